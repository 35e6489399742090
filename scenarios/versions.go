package scenarios

import (
	"fmt"
	"maps"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

// likeVersions warns of versions that are not told apart: where one shows, so does
// the other, since its text is a part of the first one's, and every such answer is
// of neither.
func (r *reader) likeVersions(f *fileScenario) []Warning {
	var warnings []Warning
	for _, one := range slices.Sorted(maps.Keys(f.Spec.Versions)) {
		for _, other := range slices.Sorted(maps.Keys(f.Spec.Versions)) {
			text := literal(f.Spec.Versions[other])
			if one == other || text == "" || !holdsOf(f.Spec.Versions[one], text) {
				continue
			}
			node := yamlnode.Follow(f.body, "spec.versions."+one)
			warnings = append(warnings, warningAt(*r.place(yamlnode.At(node, "", "")), versionsAlike, fmt.Sprintf(
				"an answer with %q, which shows version %s, shows %s as well: it is mixed, and of neither; write a text for %s that only its answers have", text, other, one, one)))
		}
	}
	return warnings
}

// impliedBy are the checks that an answer fulfils because of another one, or because
// of the version that it shows.
func impliedBy(f *fileScenario) check.Implied {
	of := func(all map[string]fileCheck) map[string][]string {
		implied := map[string][]string{}
		for name, stated := range all {
			texts := literals(stated)
			for other, looked := range f.Spec.Checks {
				within := func(text string) bool { return holdsOf(looked, text) }
				if looked == stated || slices.ContainsFunc(texts, within) {
					implied[name] = append(implied[name], other)
				}
			}
		}
		return implied
	}
	return check.Implied{ByCheck: of(f.Spec.Checks), ByVersion: of(f.Spec.Versions)}
}

// literals are texts that stand in every answer that fulfils a check.
func literals(c fileCheck) []string {
	if c.Match == "" {
		return []string{c.Body}
	}
	re, err := syntax.Parse(c.Match, syntax.Perl)
	if err != nil {
		return nil
	}
	return literalsOf(re)
}

func literalsOf(re *syntax.Regexp) []string {
	switch {
	case re.Op == syntax.OpLiteral && re.Flags&syntax.FoldCase == 0:
		return []string{string(re.Rune)}
	case re.Op == syntax.OpConcat, re.Op == syntax.OpCapture, re.Op == syntax.OpPlus, re.Op == syntax.OpRepeat && re.Min > 0:
		var all []string
		for _, part := range re.Sub {
			all = append(all, literalsOf(part)...)
		}
		return all
	}
	return nil
}

// literal is the text that stands in every answer that fulfils a check; empty:
// there is no such.
func literal(c fileCheck) string {
	if c.Match == "" {
		return c.Body
	}
	re, err := syntax.Parse(c.Match, syntax.Perl)
	if err != nil || re.Op != syntax.OpLiteral || re.Flags&syntax.FoldCase != 0 {
		return ""
	}
	return string(re.Rune)
}

// holdsOf says whether an answer fulfils a check because a text stands in it,
// whatever else does.
func holdsOf(c fileCheck, text string) bool {
	if c.Match == "" {
		return c.Body != "" && strings.Contains(text, c.Body)
	}
	re, err := regexp.Compile(c.Match)
	return err == nil && re.MatchString("\x00"+text+"\x00")
}
