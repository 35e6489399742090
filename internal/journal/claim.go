package journal

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// Claim is something that only one run at a time may change, beside what is in the
// run's own namespace.
type Claim struct {
	Namespace string `json:"namespace"` // where everybody looks who is about to change it
	What      string `json:"what"`      // a host, fully qualified, or an object of another namespace
}

// Claims returns what a run claims that writes these objects, in the order in which
// it is to be taken: each host that they are for, in the namespace of its service,
// or, if it is the host of none, in that of the run; each that they are for at
// gateways, where a host is what stands in a header, in the namespace of the ingress
// gateway, if that is known; and each object that is in another namespace than the run's.
func Claims(objects []*rules.Object, namespace, gateway string) []Claim {
	var all []Claim
	for _, o := range objects {
		if o.Namespace != "" && o.Namespace != namespace {
			all = append(all, Claim{o.Namespace, o.String()})
		}
		sidecars, gateways := rules.FollowedBy(o)
		for _, host := range rules.Hosts(o) {
			if sidecars || gateway == "" {
				all = append(all, Claim{cmp.Or(serving(host), namespace), host})
			}
			if gateways && gateway != "" {
				all = append(all, Claim{gateway, host})
			}
		}
	}
	slices.SortFunc(all, func(a, b Claim) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.What, b.What))
	})
	return slices.Compact(all)
}

// serving is the namespace of the service that has a host; empty: it is of none.
func serving(host string) string {
	name, cluster := strings.CutSuffix(host, ".svc.cluster.local")
	_, namespace, two := strings.Cut(name, ".")
	if !cluster || !two || strings.ContainsAny(namespace, ".*") {
		return ""
	}
	return namespace
}

// Holder is a run that holds what another one is about to change.
type Holder struct {
	Run       string
	Scenario  string
	By        string // who runs it: user@machine
	Since     time.Time
	Until     time.Time // a run that is alive pushes it on before
	Namespace string    // of its ledger
	What      string    // a Claim's; empty: that namespace
}

// Alive says whether the run may still be under way.
func (h *Holder) Alive() bool { return time.Now().Before(h.Until) }

// Holder is the run of a ledger, which holds the namespace of that.
func (l *Ledger) Holder(namespace string) *Holder {
	return &Holder{Run: l.Run, Scenario: l.Scenario, By: l.By, Since: l.Started, Until: l.Deadline, Namespace: namespace}
}
