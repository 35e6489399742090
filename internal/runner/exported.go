package runner

import (
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// exported says of an object that no proxy of one of the namespaces follows it, since it
// is exported elsewhere: none would ever show it. A VirtualService for gateways alone
// may be exported to theirs.
func (t there) exported(before, after *rules.Object) error {
	to := rules.ExportedTo(after)
	sidecars, _ := rules.Followers(rules.BoundTo(after))
	follows := func(namespace string) bool {
		return slices.ContainsFunc(to, func(one string) bool {
			return one == "*" || one == namespace || one == "." && namespace == after.Namespace
		})
	}
	left := slices.DeleteFunc(append([]string{t.namespace}, t.further...), follows)
	switch {
	case len(to) == 0 || len(left) == 0:
		return nil
	case before != nil && slices.Equal(rules.ExportedTo(before), to) && len(t.further) == 0:
		return nil
	case after.Kind == rules.VirtualService && !sidecars && !slices.Equal(to, []string{"~"}):
		return nil
	}
	return wrongField(after.Ref, "spec.exportTo", "it is exported to %s, and no proxy of %s follows it; export it there, or leave exportTo out", strings.Join(to, ", "), strings.Join(left, ", "))
}
