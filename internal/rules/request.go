package rules

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"
)

// Request is what is known of a request, or a connection, that the load sends,
// before any proxy has seen it.
type Request struct {
	Host    string // fully qualified, or a name of the world outside
	Port    int
	Gateway bool   // it enters by a gateway; false: by the sidecar of its client
	Method  string // empty: a connection
	Path    string // without its query
	Header  map[string]string
	Source  map[string]string // the labels of the pod that sends it; nil: not known
}

// fate is whether a request meets a condition.
type fate int

const (
	no fate = iota
	maybe
	yes
)

func fateOf(met bool) fate {
	if met {
		return yes
	}
	return no
}

// meets says whether a request matches an entry's blocks.
func (r Request) meets(blocks []proto.Message) fate {
	if len(blocks) == 0 {
		return yes
	}
	best := no
	for _, block := range blocks {
		best = max(best, r.meetsBlock(block))
	}
	return best
}

// meetsBlock takes the worst of the conditions of a block.
func (r Request) meetsBlock(block proto.Message) fate {
	worst := yes
	switch m := block.(type) {
	case *networking.HTTPMatchRequest:
		rest := proto.CloneOf(m)
		rest.Name, rest.StatPrefix, rest.Uri, rest.Method, rest.Headers, rest.Port, rest.Gateways, rest.IgnoreUriCase, rest.SourceLabels = "", "", nil, nil, nil, 0, nil, false, nil
		worst = min(worst, r.meetsPlace(m), r.meetsSource(m), r.meetsText(m.Uri, r.Path, m.IgnoreUriCase), r.meetsText(m.Method, r.Method, false))
		for name, match := range m.Headers {
			worst = min(worst, r.meetsHeader(name, match))
		}
		if proto.Size(rest) > 0 && worst > no {
			return maybe
		}
	case *networking.L4MatchAttributes:
		rest := proto.CloneOf(m)
		rest.Port, rest.Gateways, rest.SourceLabels = 0, nil, nil
		worst = min(r.meetsPlace(m), r.meetsSource(m))
		if proto.Size(rest) > 0 && worst > no {
			return maybe
		}
	default:
		return maybe
	}
	return worst
}

// meetsPlace is for the port and the gateways. That of a gateway is its own, and
// not known.
func (r Request) meetsPlace(m gatewayMatch) fate {
	if r.Gateway && (m.GetPort() != 0 || len(m.GetGateways()) > 0) {
		return maybe
	}
	sidecars, _ := Followers(m.GetGateways())
	return fateOf((m.GetPort() == 0 || int(m.GetPort()) == r.Port) && sidecars)
}

// meetsSource is for the labels of the pod that sends a request, which Istio ignores
// beside gateways.
func (r Request) meetsSource(m gatewayMatch) fate {
	switch asked := m.GetSourceLabels(); {
	case len(asked) == 0 || len(m.GetGateways()) > 0:
		return yes
	case r.Source == nil:
		return maybe
	default:
		return fateOf(Selects(asked, r.Source))
	}
}

// meetsText is maybe for a path that a proxy writes otherwise before it looks at it.
func (r Request) meetsText(match *networking.StringMatch, text string, folded bool) fate {
	switch {
	case match == nil:
		return yes
	case strings.ContainsAny(text, "%\\") || strings.Contains(text, "//") || strings.Contains(text, "/."):
		return maybe
	case folded && match.GetRegex() == "":
		match = lowered(match)
		text = strings.ToLower(text)
	}
	met, err := matches(match, text)
	if err != nil {
		return maybe
	}
	return fateOf(met)
}

// lowered is a match whose letters are lower case, for a text whose letters are.
func lowered(match *networking.StringMatch) *networking.StringMatch {
	match = proto.CloneOf(match)
	switch kind := match.MatchType.(type) {
	case *networking.StringMatch_Exact:
		kind.Exact = strings.ToLower(kind.Exact)
	case *networking.StringMatch_Prefix:
		kind.Prefix = strings.ToLower(kind.Prefix)
	}
	return match
}

// meetsHeader is maybe for a header that the load does not give and that its client
// or a proxy may add.
func (r Request) meetsHeader(name string, match *networking.StringMatch) fate {
	for own, value := range r.Header {
		if strings.EqualFold(own, name) {
			return r.meetsValue(match, value)
		}
	}
	if AddedOnTheWay(name) || strings.HasPrefix(strings.ToLower(name), "x-") {
		return maybe
	}
	return no
}

// AddedOnTheWay says whether a request may have a header, in any spelling, that the
// load does not give: a client's library or a proxy adds it by itself. So it is with
// what is no header, as :path, or the claim of a token.
func AddedOnTheWay(name string) bool {
	name = strings.ToLower(name)
	added := []string{"accept", "accept-encoding", "connection", "content-length", "content-type", "cookie", "host", "traceparent", "tracestate", "user-agent", "x-request-id"}
	return slices.Contains(added, name) || slices.ContainsFunc([]string{":", "@", "x-forwarded-", "x-envoy-", "x-b3-"}, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

func (r Request) meetsValue(match *networking.StringMatch, value string) fate {
	met, err := matches(match, value)
	if err != nil {
		return maybe
	}
	return fateOf(met)
}
