package mutate

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// gateways has what is for gateways alone apply in the sidecars too, and what is for
// both only in one of them.
func gateways(w written) []edit {
	var edits []edit
	for i, change := range w.changes {
		vs, ok := change.After.Spec.(*networking.VirtualService)
		if !ok || len(vs.Gateways) == 0 || slices.Contains(vs.Hosts, "*") || !slices.ContainsFunc(vs.Http, decides) {
			continue // no sidecar takes it, or it does nothing there
		}
		bind := func(id, what string, to []string) {
			edits = append(edits, edit{id: id, what: what, alter: func(w written) ([]rules.Change, error) {
				w.changes[i].After.Spec.(*networking.VirtualService).Gateways = to
				return w.changes, nil
			}})
		}
		others := slices.DeleteFunc(slices.Clone(vs.Gateways), func(g string) bool { return g == rules.MeshGateway })
		host := shortHost(change.After)
		switch {
		case len(others) == len(vs.Gateways):
			bind("sidecars-too", fmt.Sprintf("the rule of %s is for sidecars too", host), append(others, rules.MeshGateway))
		case len(others) > 0:
			bind("sidecars-alone", fmt.Sprintf("the rule of %s is for sidecars alone", host), []string{rules.MeshGateway})
			bind("gateways-alone", fmt.Sprintf("the rule of %s is for gateways alone", host), others)
		}
	}
	return edits
}

// decides says whether an entry does more than to send its requests to a service.
func decides(entry *networking.HTTPRoute) bool {
	plain := &networking.HTTPRoute{Name: entry.Name, Route: entry.Route}
	return !proto.Equal(plain, entry) || len(entry.Route) > 1 || slices.ContainsFunc(entry.Route, func(r *networking.HTTPRouteDestination) bool {
		return r.Destination.GetSubset() != ""
	})
}
