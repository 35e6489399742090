package mutate

import (
	"fmt"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// match takes what a rule asks of a request away, all of it and one thing at a time,
// or takes more for it: any value of a header, or a value in another spelling, and any
// path below the one that is asked for.
func match(w written) []edit {
	var touches []touch
	w.http(func(at spot, entry *networking.HTTPRoute, before []*networking.HTTPRoute) {
		asked := w.asked(entry, before)
		if len(asked) == 0 {
			return
		}
		touches = append(touches, touch{
			spot: at, id: "match-dropped", what: "the rule is for all requests to " + w.host(at),
			do: func(o *rules.Object, index int, _ string) { drop(entryOf(o, index), asked...) },
		})
		for _, c := range asked {
			touches = append(touches, c.widened(at, entry)...)
		}
	})
	w.tcp(func(at spot, entry *networking.TCPRoute) {
		if len(entry.Match) > 0 {
			touches = append(touches, touch{
				spot: at, id: "match-dropped", what: "the rule is for all connections to " + w.host(at),
				do: func(o *rules.Object, index int, _ string) { o.Spec.(*networking.VirtualService).Tcp[index].Match = nil },
			})
		}
	})
	return w.grouped(touches)
}

// asked is what the rule itself asks for: an object all that stands in it, an intent
// what is in its when, and what no entry asked for before.
func (w written) asked(entry *networking.HTTPRoute, before []*networking.HTTPRoute) []condition {
	all := conditions(entry.Match)
	if w.rule.Intent == nil {
		return all
	}
	var old []condition
	for _, b := range before {
		old = append(old, conditions(b.Match)...)
	}
	when := rules.When(w.rule.Intent)
	return slices.DeleteFunc(all, func(c condition) bool {
		if c.header {
			return when[c.id] == ""
		}
		return slices.ContainsFunc(old, func(o condition) bool { return o.id == c.id })
	})
}

// drop takes conditions out of every match of an entry. One that asks for nothing any
// more is for all requests.
func drop(entry *networking.HTTPRoute, asked ...condition) {
	for _, m := range entry.Match {
		for _, c := range asked {
			c.drop(m)
		}
	}
	if slices.ContainsFunc(entry.Match, func(m *networking.HTTPMatchRequest) bool { return len(conditionsOf(m)) == 0 }) {
		entry.Match = nil
	}
}

// widened asks for less of one thing.
func (c condition) widened(at spot, entry *networking.HTTPRoute) []touch {
	var exact, other []string
	for _, m := range entry.Match {
		switch value := c.value(m); {
		case value.GetExact() != "":
			exact = append(exact, value.GetExact())
		case value.GetMatchType() != nil:
			other = append(other, value.GetPrefix()+value.GetRegex())
		}
	}
	set := func(id, what string, to func(exact string) *networking.StringMatch) touch {
		return touch{spot: at, id: id, what: what, do: func(o *rules.Object, index int, _ string) {
			for _, m := range entryOf(o, index).Match {
				if value := c.value(m); value.GetMatchType() != nil {
					value.MatchType = to(value.GetExact()).MatchType
				}
			}
		}}
	}
	values := strings.Join(append(exact, other...), " and ")
	switch {
	case c.header && len(other) > 0:
		return []touch{set(c.id+"-any", fmt.Sprintf("the rule is for any %s, not %s alone", c.id, values), anything)}
	case c.header && len(exact) > 0:
		return []touch{
			set(c.id+"-any", fmt.Sprintf("the rule is for any %s, not %s alone", c.id, values), anything),
			set(c.id+"-any-case", fmt.Sprintf("the rule is for %s %s in any spelling", c.id, values), inAnyCase),
		}
	case c.header: // it is enough that the header is there
		return nil
	case c.id == pathCondition && len(exact) > 0 && len(other) == 0:
		return []touch{set("path-widened", fmt.Sprintf("the rule is for all paths that begin with %s", values), prefixed)}
	}
	return []touch{{spot: at, id: c.id + "-any", what: "the rule is for any " + c.what, do: func(o *rules.Object, index int, _ string) {
		drop(entryOf(o, index), c)
	}}}
}
