package mutate

import (
	"maps"
	"regexp"
	"slices"

	networking "istio.io/api/networking/v1alpha3"
)

// condition is one thing that a match asks of a request.
type condition struct {
	id     string // a header's name, or the word for anything else: path, method, query-page
	what   string // as in "the rule is for any method"
	header bool
	value  func(*networking.HTTPMatchRequest) *networking.StringMatch // nil: it is compared with none
	drop   func(*networking.HTTPMatchRequest)
}

// pathCondition is the id of what a match asks of the path.
const pathCondition = "path"

// conditions are those of any of an entry's matches, each once.
func conditions(matches []*networking.HTTPMatchRequest) []condition {
	var all []condition
	for _, m := range matches {
		for _, c := range conditionsOf(m) {
			if !slices.ContainsFunc(all, func(other condition) bool { return other.id == c.id && other.header == c.header }) {
				all = append(all, c)
			}
		}
	}
	return all
}

func conditionsOf(m *networking.HTTPMatchRequest) []condition {
	var all []condition
	for _, name := range slices.Sorted(maps.Keys(m.Headers)) {
		all = append(all, condition{
			id: name, what: name, header: true,
			value: func(m *networking.HTTPMatchRequest) *networking.StringMatch { return m.Headers[name] },
			drop:  func(m *networking.HTTPMatchRequest) { delete(m.Headers, name) },
		})
	}
	add := func(there bool, id, what string, drop func(*networking.HTTPMatchRequest)) {
		if there {
			all = append(all, condition{id: id, what: what, value: noValue, drop: drop})
		}
	}
	if m.Uri != nil {
		all = append(all, condition{id: pathCondition, what: "path", value: (*networking.HTTPMatchRequest).GetUri, drop: func(m *networking.HTTPMatchRequest) { m.Uri = nil }})
	}
	add(m.Method != nil, "method", "method", func(m *networking.HTTPMatchRequest) { m.Method = nil })
	add(m.Authority != nil, "authority", "authority", func(m *networking.HTTPMatchRequest) { m.Authority = nil })
	add(m.Scheme != nil, "scheme", "scheme", func(m *networking.HTTPMatchRequest) { m.Scheme = nil })
	add(m.Port != 0, "port", "port", func(m *networking.HTTPMatchRequest) { m.Port = 0 })
	add(len(m.SourceLabels) > 0 || m.SourceNamespace != "", "source", "caller", func(m *networking.HTTPMatchRequest) { m.SourceLabels, m.SourceNamespace = nil, "" })
	add(len(m.Gateways) > 0, "gateways", "of its gateways", func(m *networking.HTTPMatchRequest) { m.Gateways = nil })
	for _, name := range slices.Sorted(maps.Keys(m.QueryParams)) {
		add(true, "query-"+name, name+" in the query", func(m *networking.HTTPMatchRequest) { delete(m.QueryParams, name) })
	}
	for _, name := range slices.Sorted(maps.Keys(m.WithoutHeaders)) {
		add(true, "without-"+name, name+", where it was for those without", func(m *networking.HTTPMatchRequest) { delete(m.WithoutHeaders, name) })
	}
	return all
}

func noValue(*networking.HTTPMatchRequest) *networking.StringMatch { return nil }

// What takes more than the value that is asked for: any, the value in any spelling,
// what begins with it.
func anything(string) *networking.StringMatch {
	return &networking.StringMatch{MatchType: &networking.StringMatch_Regex{Regex: ".+"}}
}

func inAnyCase(exact string) *networking.StringMatch {
	return &networking.StringMatch{MatchType: &networking.StringMatch_Regex{Regex: "(?i)" + regexp.QuoteMeta(exact)}}
}

func prefixed(exact string) *networking.StringMatch {
	return &networking.StringMatch{MatchType: &networking.StringMatch_Prefix{Prefix: exact}}
}
