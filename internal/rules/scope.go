package rules

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"
)

// scope is which requests of a service an intent is for: without any of these, all
// that workloads send.
type scope struct {
	when     map[string]string // the headers that they have
	source   map[string]string // the labels of the pods that they come from
	gateways []string          // by which they enter
}

func (s scope) all() bool { return len(s.when)+len(s.source)+len(s.gateways) == 0 }

// includes says whether it has all requests of another one.
func (s scope) includes(other scope) bool {
	return Selects(s.when, other.when) && Selects(s.source, other.source) && slices.Equal(s.gateways, other.gateways)
}

// Selects says whether the labels of a workload, or the headers of a request, have all
// that is asked for.
func Selects(asked, have map[string]string) bool {
	for name, value := range asked {
		if own, there := have[name]; !there || own != value {
			return false
		}
	}
	return true
}

// String words it for errors.
func (s scope) String() string {
	var words []string
	if len(s.when) > 0 {
		words = append(words, "with "+WordPairs(s.when))
	}
	if len(s.source) > 0 {
		words = append(words, "of a pod with the labels "+WordPairs(s.source))
	}
	if len(s.gateways) > 0 {
		words = append(words, "by "+strings.Join(s.gateways, ", "))
	}
	return strings.Join(words, " ")
}

// WordPairs words labels, or headers, by their names: app: ratings, version: v1.
func WordPairs(pairs map[string]string) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(pairs)) {
		words = append(words, name+": "+pairs[name])
	}
	return strings.Join(words, ", ")
}

// check takes headers and labels that Envoy can match.
func (s scope) check() error {
	if s.when != nil && len(s.when) == 0 {
		return wrongKey("when", "when names no header; name one, or leave it out for all requests")
	}
	for _, name := range slices.Sorted(maps.Keys(s.when)) {
		switch {
		case !headerName.MatchString(name):
			return wrongKey("when."+name, "%q in when is not the name of a header; it takes letters, digits and -, and no space", name)
		case s.when[name] == "":
			return wrongKey("when."+name, "the header %s in when has no value; write one, or leave the header out", name)
		case name != strings.ToLower(name):
			return wrongKey("when."+name, "the header %s in when must be in lower case, as Istio has it: %s", name, strings.ToLower(name))
		}
	}
	return errors.Join(s.checkSource(), s.checkGateways())
}

func (s scope) checkSource() error {
	if s.source != nil && len(s.source) == 0 {
		return wrongKey("sourceLabels", "sourceLabels names no label; name one, or leave it out for requests of all pods")
	}
	for _, name := range slices.Sorted(maps.Keys(s.source)) {
		switch value := s.source[name]; {
		case !labelKey.MatchString(name):
			return wrongKey("sourceLabels."+name, "%q in sourceLabels is not the name of a label; it takes letters, digits and - _ . and begins and ends with a letter or digit", name)
		case value == "" || !labelValue.MatchString(value):
			return wrongKey("sourceLabels."+name, "%q is not the value of the label %s in sourceLabels; it takes letters, digits and - _ . and begins and ends with a letter or digit", value, name)
		}
	}
	return nil
}

// demandSource adds the labels of the scope to a match, and says whether a request
// can come from a pod with both what it demanded before and them.
func (s scope) demandSource(block *networking.HTTPMatchRequest) (bool, error) {
	if len(s.source) == 0 {
		return true, nil
	}
	if len(block.Gateways) > 0 {
		if !slices.Contains(block.Gateways, MeshGateway) {
			return false, nil
		}
		return false, errors.New("names gateways, beside which Istio ignores sourceLabels; take them out of it, or apply a VirtualService of your own instead")
	}
	for name, value := range s.source {
		if have, asked := block.SourceLabels[name]; asked && have != value {
			return false, nil
		}
		if block.SourceLabels == nil {
			block.SourceLabels = map[string]string{}
		}
		block.SourceLabels[name] = value
	}
	return true, nil
}

// required says whether every request that the matches take is of the scope
// already.
func (s scope) required(match []*networking.HTTPMatchRequest) bool {
	for _, block := range match {
		for name, value := range s.when {
			if !proto.Equal(block.GetHeaders()[name], exactly(value)) {
				return false
			}
		}
		if len(s.source) > 0 && len(block.GetGateways()) > 0 || !s.includes(scope{s.when, block.GetSourceLabels(), s.gateways}) {
			return false
		}
		if len(s.gateways) > 0 && (len(block.GetGateways()) == 0 || len(s.common(block.GetGateways())) < len(block.GetGateways())) {
			return false
		}
	}
	return len(match) > 0
}
