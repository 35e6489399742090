package compare

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/report"
)

// unlike says what of two runs was not the same beside what they observed.
func unlike(before, now *report.Record) []string {
	var all []string
	say := func(differ bool, format string, args ...any) {
		if differ {
			all = append(all, fmt.Sprintf(format, args...))
		}
	}
	a, b := before.Scenario, now.Scenario
	say(a.Digest != b.Digest, "not the same scenario text: %s, before %s", short(b.Digest), short(a.Digest))
	for _, name := range otherFiles(a, b) {
		say(true, "not the same file of rules: %s", name)
	}
	say(!maps.Equal(a.Params, b.Params), "not the same parameters: %s, before %s", params(b.Params, a.Params), params(a.Params, b.Params))
	say(!slices.Equal(a.Set, b.Set), "not the same --set: %s, before %s", settings(b, a), settings(a, b))
	all = append(all, expected(before, now)...)
	all = append(all, loaded(before, now)...)
	say(before.Mesh.Kind != now.Mesh.Kind, "not the same mesh: %s, before %s", now.Mesh.Kind, before.Mesh.Kind)
	say(before.Mesh.Server != now.Mesh.Server && before.Mesh.Server != "" && now.Mesh.Server != "", "not the same cluster: %s, before %s", now.Mesh.Server, before.Mesh.Server)
	say(before.Mesh.Namespace != now.Mesh.Namespace, "not the same namespace: %s, before %s", now.Mesh.Namespace, before.Mesh.Namespace)
	say(before.Mesh.Version != now.Mesh.Version, "not the same version of the mesh: %s, before %s", cmp.Or(now.Mesh.Version, "not known"), cmp.Or(before.Mesh.Version, "not known"))
	say(before.Tool.Version != now.Tool.Version || before.Tool.Commit != now.Tool.Commit, "not the same meshchaos: %s, before %s", tool(now.Tool), tool(before.Tool))
	return append(all, uncompared(before, now)...)
}

// otherFiles are the names of the files of rules that two scenarios do not have alike.
func otherFiles(a, b report.Scenario) []string {
	all := maps.Clone(a.Files)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, b.Files)
	return slices.DeleteFunc(slices.Sorted(maps.Keys(all)), func(name string) bool {
		old, was := a.Files[name]
		new, is := b.Files[name]
		return was && is && report.DigestOf(old) == report.DigestOf(new)
	})
}

// expected says what is expected now that was not before, and what is a known bug in the one
// alone. What was expected, and is not any more, is a value of its own.
func expected(before, now *report.Record) []string {
	row := func(e report.Expectation) string { return strings.TrimSpace(e.Step + " " + e.Expression) }
	var all []string
	for _, e := range now.Expectations {
		was := slices.IndexFunc(before.Expectations, func(o report.Expectation) bool { return row(o) == row(e) })
		switch {
		case was < 0:
			all = append(all, "expected now, and not before: "+row(e))
		case before.Expectations[was].KnownBug != e.KnownBug:
			all = append(all, fmt.Sprintf("not the same known bug: %s, before %s: %s", cmp.Or(e.KnownBug, "none"), cmp.Or(before.Expectations[was].KnownBug, "none"), row(e)))
		}
	}
	return all
}

// short is a digest as far as it takes to tell it from others.
func short(digest string) string {
	_, hex, _ := strings.Cut(digest, ":")
	return cmp.Or(hex[:min(len(hex), 12)], "none")
}

// params words those of a run, but for what is masked in another.
func params(all, other map[string]string) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		value, _ := alikeMasked(all[name], other[name])
		words = append(words, name+"="+value)
	}
	return listed(words)
}

// settings words those of a run, but for those of parameters that are masked in another.
func settings(of, other report.Scenario) string {
	var words []string
	for _, one := range of.Set {
		path, value, _ := strings.Cut(one, "=")
		value, _ = alikeMasked(value, other.Params[strings.TrimPrefix(path, "params.")])
		for _, theirs := range other.Set {
			if at, masked, _ := strings.Cut(theirs, "="); at == path {
				value, _ = alikeMasked(value, masked)
			}
		}
		words = append(words, path+"="+value)
	}
	return listed(words)
}

func listed(all []string) string { return cmp.Or(strings.Join(all, ", "), "none") }

func tool(t report.Tool) string {
	words := t.Version
	if t.Commit != "" {
		words += " (" + t.Commit[:min(len(t.Commit), 12)] + ")"
	}
	return words
}
