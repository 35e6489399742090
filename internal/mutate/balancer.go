package mutate

import (
	"fmt"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// balancer has endpoints drawn where they take turns, and take turns where they do
// not.
func balancer(w written) []edit {
	var edits []edit
	for i, change := range w.changes {
		before, after := policies(change.Before), policies(change.After)
		for _, path := range after.paths() {
			was := after.at(path).GetLoadBalancer().GetSimple()
			if was == networking.LoadBalancerSettings_UNSPECIFIED || was == before.at(path).GetLoadBalancer().GetSimple() {
				continue
			}
			now := networking.LoadBalancerSettings_RANDOM
			if was != networking.LoadBalancerSettings_ROUND_ROBIN {
				now = networking.LoadBalancerSettings_ROUND_ROBIN
			}
			id := prefixOf(path) + "balancer-" + strings.ToLower(strings.ReplaceAll(now.String(), "_", "-"))
			edits = append(edits, edit{id: w.ofPolicy(change.After) + id, what: fmt.Sprintf("the load balancer of %s is %s, not %s", shortHost(change.After), now, was), alter: func(w written) ([]rules.Change, error) {
				policies(w.changes[i].After).at(path).GetLoadBalancer().LbPolicy = &networking.LoadBalancerSettings_Simple{Simple: now}
				return w.changes, nil
			}})
		}
	}
	return edits
}
