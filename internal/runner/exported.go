package runner

import (
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// exported says of an object that no proxy of the namespace follows it, since it is
// exported elsewhere: none would ever show it. A VirtualService for gateways alone
// may be exported to theirs.
func (t there) exported(before, after *rules.Object) error {
	to := rules.ExportedTo(after)
	sidecars, _ := rules.Followers(rules.BoundTo(after))
	own := func(namespace string) bool { return slices.Contains([]string{".", "*", t.namespace}, namespace) }
	switch {
	case len(to) == 0 || slices.ContainsFunc(to, own):
		return nil
	case before != nil && slices.Equal(rules.ExportedTo(before), to):
		return nil
	case after.Kind == rules.VirtualService && !sidecars && !slices.Equal(to, []string{"~"}):
		return nil
	}
	return wrongField(after.Ref, "spec.exportTo", "it is exported to %s, and no proxy of %s follows it; add \".\", or leave exportTo out", strings.Join(to, ", "), t.namespace)
}
