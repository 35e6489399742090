package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/re2"
)

// narrow returns the match blocks of an entry, each ANDed with a scope. A block
// that can then match no request is left out; an entry without blocks, which
// takes every request, gets one. The blocks are copies.
func narrow(match []*networking.HTTPMatchRequest, s scope) ([]*networking.HTTPMatchRequest, error) {
	if len(match) == 0 {
		match = []*networking.HTTPMatchRequest{{}}
	}
	var out []*networking.HTTPMatchRequest
	for i, block := range match {
		block = proto.CloneOf(block)
		possible, err := demand(block, s)
		if err != nil {
			return nil, fmt.Errorf("match[%d]: %w", i, err)
		}
		if possible {
			out = append(out, block)
		}
	}
	return out, nil
}

// demand adds the headers and the labels of a scope to a block, and says whether a
// request can have both what it demanded before and them.
func demand(block *networking.HTTPMatchRequest, s scope) (bool, error) {
	if possible, err := s.demandSource(block); !possible || err != nil {
		return false, err
	}
	if possible, err := s.demandGateways(block); !possible || err != nil {
		return false, err
	}
	for name, value := range s.when {
		if without := headerOf(block.WithoutHeaders, name); without != "" {
			excluded, err := matches(block.WithoutHeaders[without], value)
			if err != nil || excluded {
				return false, err
			}
		}
		if key := headerOf(block.Headers, name); key != "" {
			agrees, err := matches(block.Headers[key], value)
			if err != nil || !agrees {
				return false, err
			}
			delete(block.Headers, key)
		}
		if block.Headers == nil {
			block.Headers = map[string]*networking.StringMatch{}
		}
		block.Headers[name] = exactly(value)
	}
	return true, nil
}

// headerOf returns the key that stands for a header, whatever its case; "" for
// none.
func headerOf(headers map[string]*networking.StringMatch, name string) string {
	for _, key := range slices.Sorted(maps.Keys(headers)) {
		if strings.EqualFold(key, name) {
			return key
		}
	}
	return ""
}

func exactly(value string) *networking.StringMatch {
	return &networking.StringMatch{MatchType: &networking.StringMatch_Exact{Exact: value}}
}

// matches says whether a header's value satisfies a match. A match without a
// type asks only that the header is there; an expression must match the whole
// value, as in Envoy.
func matches(match *networking.StringMatch, value string) (bool, error) {
	switch kind := match.GetMatchType().(type) {
	case *networking.StringMatch_Exact:
		return kind.Exact == value, nil
	case *networking.StringMatch_Prefix:
		return strings.HasPrefix(value, kind.Prefix), nil
	case *networking.StringMatch_Regex:
		if kind.Regex == "*" { // no expression: Istio reads it as {}
			return true, nil
		}
		re, err := re2.Whole(kind.Regex)
		if err != nil {
			return false, fmt.Errorf("reading the header's regular expression %q: %w", kind.Regex, err)
		}
		return re.MatchString(value), nil
	}
	return true, nil
}
