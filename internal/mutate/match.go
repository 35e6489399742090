package mutate

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// match takes what a rule asks of a request away, or takes more for it: any value
// of a header, or a value in another spelling, and any path below the one that is
// asked for.
func match(w written) []edit {
	var touches []touch
	w.http(func(at spot, entry *networking.HTTPRoute, before []*networking.HTTPRoute) {
		if len(entry.Match) == 0 {
			return
		}
		asked := w.asked(entry, before)
		if len(asked) == 0 {
			return
		}
		touches = append(touches, touch{
			spot: at, id: "match-dropped", what: "the rule is for all requests to " + w.host(at),
			do: func(o *rules.Object, index int, _ string) { drop(entryOf(o, index), asked) },
		})
		for _, name := range asked {
			touches = append(touches, w.widened(at, entry, name)...)
		}
	})
	return w.grouped(touches)
}

// The names under which asked lists what is no header.
const askedPath = ":path"

// asked are the headers, and the path, that the rule itself asks for: those of an
// intent are in its when, and an object says all by itself.
func (w written) asked(entry *networking.HTTPRoute, before []*networking.HTTPRoute) []string {
	if w.rule.Intent != nil {
		return slices.Sorted(maps.Keys(rules.When(w.rule.Intent)))
	}
	var all []string
	for _, m := range entry.Match {
		for name := range m.Headers {
			all = append(all, name)
		}
		if m.Uri != nil {
			all = append(all, askedPath)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// drop takes what is asked for out of every match of an entry.
func drop(entry *networking.HTTPRoute, asked []string) {
	for _, m := range entry.Match {
		for _, name := range asked {
			if name == askedPath {
				m.Uri = nil
				continue
			}
			delete(m.Headers, name)
		}
	}
	empty := func(m *networking.HTTPMatchRequest) bool {
		return len(m.Headers) == 0 && m.Uri == nil && m.Method == nil && m.Authority == nil && m.Scheme == nil && m.Port == 0 &&
			len(m.SourceLabels) == 0 && len(m.Gateways) == 0 && len(m.QueryParams) == 0 && len(m.WithoutHeaders) == 0 && m.SourceNamespace == ""
	}
	if slices.ContainsFunc(entry.Match, empty) {
		entry.Match = nil
	}
}

// widened asks for less of one thing.
func (w written) widened(at spot, entry *networking.HTTPRoute, name string) []touch {
	exact := ""
	for _, m := range entry.Match {
		exact = stringOf(m, name).GetExact()
	}
	if exact == "" {
		return nil
	}
	set := func(id, what string, to *networking.StringMatch) touch {
		return touch{spot: at, id: id, what: what, do: func(o *rules.Object, index int, _ string) {
			for _, m := range entryOf(o, index).Match {
				switch {
				case stringOf(m, name).GetExact() != exact:
				case name == askedPath:
					m.Uri = to
				default:
					m.Headers[name] = to
				}
			}
		}}
	}
	if name == askedPath {
		return []touch{set("path-widened", fmt.Sprintf("the rule is for all paths that begin with %s", exact),
			&networking.StringMatch{MatchType: &networking.StringMatch_Prefix{Prefix: exact}})}
	}
	return []touch{
		set(name+"-any", fmt.Sprintf("the rule is for any %s, not %s alone", name, exact),
			&networking.StringMatch{MatchType: &networking.StringMatch_Regex{Regex: ".+"}}),
		set(name+"-any-case", fmt.Sprintf("the rule is for %s %s in any spelling", name, exact),
			&networking.StringMatch{MatchType: &networking.StringMatch_Regex{Regex: "(?i)" + regexp.QuoteMeta(exact)}}),
	}
}

func stringOf(m *networking.HTTPMatchRequest, name string) *networking.StringMatch {
	if name == askedPath {
		return m.Uri
	}
	return m.Headers[name]
}
