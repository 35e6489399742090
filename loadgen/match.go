package loadgen

import (
	"bytes"
	"fmt"
	"math/bits"
	"regexp"
	"regexp/syntax"
	"slices"
)

// maxChecks is how many checks fit in a set.
const maxChecks = 64

// matcher holds a plan's compiled checks and versions.
type matcher struct {
	checks, versions []statement
	longest          int  // of their texts, in bytes
	expressions      bool // there are such among them
}

// statement is a compiled Check.
type statement struct {
	name string
	body []byte
	re   *regexp.Regexp // nil: body is looked for
}

func (s *statement) holds(body []byte) bool {
	if s.re != nil {
		return s.re.Match(body)
	}
	return bytes.Contains(body, s.body)
}

// newMatcher compiles the statements of a plan.
func newMatcher(plan *Plan) (*matcher, error) {
	checks, err := compile("checks", plan.Checks)
	if err != nil {
		return nil, err
	}
	versions, err := compile("versions", plan.Versions)
	if err != nil {
		return nil, err
	}
	m := &matcher{checks: checks, versions: versions}
	for _, s := range slices.Concat(checks, versions) {
		m.longest, m.expressions = max(m.longest, len(s.body)), m.expressions || s.re != nil
	}
	return m, nil
}

func compile(list string, checks []Check) ([]statement, error) {
	if len(checks) > maxChecks {
		return nil, wrong(list, "%s has %d entries; at most %d are possible", list, len(checks), maxChecks)
	}
	var statements []statement
	names := map[string]bool{}
	for i, c := range checks {
		s := statement{name: c.Name, body: []byte(c.Body)}
		switch {
		case c.Name == "":
			return nil, wrong(fmt.Sprintf("%s[%d]", list, i), "%s[%d] has no name; give it one", list, i)
		case names[c.Name]:
			return nil, wrong(list+"."+c.Name, "%s has two entries named %q; rename one", list, c.Name)
		case (c.Body == "") == (c.Match == ""):
			return nil, wrong(list+"."+c.Name, "%s %q must have exactly one of body and match", list, c.Name)
		case c.Match != "":
			re, err := regexp.Compile(c.Match)
			if err != nil {
				return nil, wrong(list+"."+c.Name+".match", "%s %q: match is no RE2 expression: %w", list, c.Name, err)
			}
			if holdsAlways(c.Match) {
				return nil, wrong(list+"."+c.Name+".match", "%s %q: match %q holds of every answer, even of an empty one; write what must stand in it", list, c.Name, c.Match)
			}
			s.re = re
		}
		names[c.Name] = true
		statements = append(statements, s)
	}
	return statements, nil
}

// holdsAlways says whether an expression matches in any text: in nothing at all
// at its begin, or at its end.
func holdsAlways(expression string) bool {
	re, err := syntax.Parse(expression, syntax.Perl)
	return err == nil && (matchesNothing(re, syntax.OpBeginText, syntax.OpBeginLine) || matchesNothing(re, syntax.OpEndText, syntax.OpEndLine))
}

// matchesNothing says whether an expression matches the empty text where these
// assertions hold.
func matchesNothing(re *syntax.Regexp, holding ...syntax.Op) bool {
	nothing := func(sub *syntax.Regexp) bool { return matchesNothing(sub, holding...) }
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpStar, syntax.OpQuest:
		return true
	case syntax.OpRepeat:
		return re.Min == 0 || nothing(re.Sub[0])
	case syntax.OpPlus, syntax.OpCapture:
		return nothing(re.Sub[0])
	case syntax.OpConcat:
		return !slices.ContainsFunc(re.Sub, func(sub *syntax.Regexp) bool { return !nothing(sub) })
	case syntax.OpAlternate:
		return slices.ContainsFunc(re.Sub, nothing)
	}
	return slices.Contains(holding, re.Op)
}

// asks says whether the plan says anything of bodies.
func (m *matcher) asks() bool { return len(m.checks)+len(m.versions) > 0 }

// held is the set of the checks that hold of body, a bit each.
func (m *matcher) held(body []byte) uint64 { return heldOf(m.checks, body) }

// searched is a reply with what its body shows.
func (m *matcher) searched(rep reply, body []byte) reply {
	rep.checks, rep.version = m.held(body), m.version(body)
	return rep
}

// version is the name of the version that holds of body, Mixed if several do,
// else empty.
func (m *matcher) version(body []byte) string { return m.versionOf(heldOf(m.versions, body)) }

func heldOf(statements []statement, body []byte) uint64 {
	var set uint64
	for i := range statements {
		if statements[i].holds(body) {
			set |= 1 << i
		}
	}
	return set
}

// versionOf is what an answer is called of which a set of versions holds.
func (m *matcher) versionOf(set uint64) string {
	switch bits.OnesCount64(set) {
	case 0:
		return ""
	case 1:
		return m.versions[bits.TrailingZeros64(set)].name
	default:
		return Mixed
	}
}

// names lists a set of checks.
func (m *matcher) names(set uint64) []string {
	var names []string
	for i := range m.checks {
		if set&(1<<i) != 0 {
			names = append(names, m.checks[i].name)
		}
	}
	return names
}
