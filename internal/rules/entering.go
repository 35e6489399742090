package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

// checkGateways takes names of gateways, beside which Istio asks for no labels.
func (s scope) checkGateways() error {
	if s.gateways != nil && len(s.gateways) == 0 {
		return wrongKey("gateways", "gateways names no gateway; name one, or leave it out for what workloads send")
	}
	for i, name := range s.gateways {
		switch {
		case name == "":
			return wrongKey("gateways", "it names a gateway without a name; leave it out")
		case name == MeshGateway:
			return wrongKey("gateways", "%s stands for the sidecars, which an intent without gateways is for; leave it out", MeshGateway)
		case slices.Contains(s.gateways[:i], name):
			return wrongKey("gateways", "the gateway %s stands twice", name)
		}
	}
	if len(s.gateways) > 0 && len(s.source) > 0 {
		return wrongKey("gateways", "gateways cannot stand beside sourceLabels, which Istio ignores then; take one of them")
	}
	return nil
}

// common are those of a list of gateways that the scope names, too. Both are written
// as objects of the run's namespace write them, or as namespace/name.
func (s scope) common(gateways []string) []string {
	var both []string
	for _, g := range gateways {
		if slices.ContainsFunc(s.gateways, func(own string) bool { return sameGateway(GatewayName(own, ""), GatewayName(g, "")) }) {
			both = append(both, g)
		}
	}
	return both
}

// demandGateways narrows a match down to the scope's gateways, and says whether a
// request can still enter by one.
func (s scope) demandGateways(block *networking.HTTPMatchRequest) (bool, error) {
	switch {
	case len(s.gateways) == 0:
		return true, nil
	case len(block.Gateways) > 0:
		block.Gateways = s.common(block.Gateways)
		return len(block.Gateways) > 0, nil
	case len(block.SourceLabels) > 0 || block.SourceNamespace != "":
		return false, errors.New("asks for a source, which Istio ignores beside gateways; apply a VirtualService of your own instead")
	}
	block.Gateways = s.gateways
	return true, nil
}

// editEntering makes a change to the http entries that lead from the scope's
// gateways to a service, in the VirtualServices that are bound to them.
func (d *draft) editEntering(service Service, s scope, change func(*networking.HTTPRoute) error) error {
	leads := func(entry *networking.HTTPRoute) bool { return d.leads(entry, service) }
	for _, gateway := range s.gateways {
		owner, err := d.entering(service, gateway)
		if err != nil {
			return err
		}
		own := scope{when: s.when, gateways: []string{gateway}}
		if len(BoundTo(owner)) == 1 {
			own.gateways = nil
		}
		err = editEntries(owner.Spec.(*networking.VirtualService), own, leads, func(entry *networking.HTTPRoute) error {
			if !d.leadsOnly(entry, service) {
				return fmt.Errorf("leads to other services than %s too; apply a VirtualService of your own instead", service.Name)
			}
			return change(entry)
		})
		if err != nil {
			return inObject(owner, err)
		}
	}
	return nil
}

// entering returns the VirtualService that leads from a gateway to a service.
func (d *draft) entering(service Service, gateway string) (*Object, error) {
	name := GatewayName(gateway, d.home)
	var found []*Object
	var refs []string
	for _, o := range d.objects {
		if o.Namespace == d.namespace && slices.Contains(BoundTo(o), name) && slices.ContainsFunc(o.Spec.(*networking.VirtualService).Http, func(entry *networking.HTTPRoute) bool {
			return d.leads(entry, service)
		}) {
			found, refs = append(found, o), append(refs, o.String())
		}
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("no VirtualService of the namespace %s leads from the gateway %s to %s by an http entry; apply one", d.namespace, name, service.Name)
	case 1:
		return found[0], nil
	}
	return nil, fmt.Errorf("%s lead from the gateway %s to %s, and which one a request goes by depends on its host; apply a VirtualService of your own instead", strings.Join(refs, " and "), name, service.Name)
}

// leads says whether an entry leads to a service.
func (d *draft) leads(entry *networking.HTTPRoute, service Service) bool {
	return slices.ContainsFunc(entry.Route, func(to *networking.HTTPRouteDestination) bool { return d.isOf(to, service) })
}

// leadsOnly says whether an entry leads to a service, and to no other.
func (d *draft) leadsOnly(entry *networking.HTTPRoute, service Service) bool {
	return !slices.ContainsFunc(entry.Route, func(to *networking.HTTPRouteDestination) bool { return !d.isOf(to, service) })
}

func (d *draft) isOf(to *networking.HTTPRouteDestination, service Service) bool {
	return FQDN(to.GetDestination().GetHost(), d.namespace) == FQDN(service.Name, d.namespace)
}
