package runner

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/nearest"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// gateways says which gateways a VirtualService is bound to that are not there, or
// that take in none of its hosts, and which of its entries are for a port that is
// not there: no proxy would ever show these.
func (t there) gateways(before, after *rules.Object, objects []*rules.Object) error {
	var bound []string
	var had []rules.Block
	if before != nil {
		bound, had = rules.BoundTo(before), rules.Blocks(before)
	}
	var wrong []error
	note := func(path string, err error) {
		if err != nil {
			wrong = append(wrong, wrongField(after.Ref, path, "%w", err))
		}
	}
	for i, name := range rules.BoundTo(after) {
		if name != rules.MeshGateway && !slices.Contains(bound, name) {
			note(fmt.Sprintf("spec.gateways[%d]", i), t.bound(name, after, objects))
		}
	}
	if len(wrong) > 0 {
		return errors.Join(wrong...)
	}
	for _, block := range rules.Blocks(after) {
		if !slices.ContainsFunc(had, func(b rules.Block) bool {
			return b.List == block.List && b.Port == block.Port && slices.Equal(b.Gateways, block.Gateways)
		}) {
			note(block.Path, t.block(block, after, objects))
		}
	}
	return errors.Join(wrong...)
}

// bound says why nothing of a VirtualService is served by a gateway.
func (t there) bound(name string, o *rules.Object, objects []*rules.Object) error {
	gateway, err := t.gateway(name, objects)
	if gateway == nil || len(o.Spec.(*networking.VirtualService).Hosts) == 0 || len(rules.Taken(gateway, o)) > 0 {
		return err
	}
	var hosts []string
	for _, server := range gateway.Spec.(*networking.Gateway).Servers {
		hosts = append(hosts, server.Hosts...)
	}
	return fmt.Errorf("the gateway %s takes in none of the hosts of the rule (%s); it has %s", name, strings.Join(rules.Hosts(o), ", "), strings.Join(hosts, ", "))
}

// gateway returns a Gateway by namespace/name; nil without an error for one that
// nobody here may know.
func (t there) gateway(name string, objects []*rules.Object) (*rules.Object, error) {
	namespace, short, _ := strings.Cut(name, "/")
	ref := rules.Ref{Kind: rules.Gateway, Namespace: namespace, Name: short}
	for _, all := range [][]*rules.Object{objects, t.beyond.Gateways} {
		if o := rules.Find(all, ref); o != nil {
			return o, nil
		}
	}
	if namespace != t.namespace && !t.beyond.AllGateways {
		return nil, nil
	}
	var names []string
	for _, o := range t.allGateways(objects) {
		names = append(names, o.Namespace+"/"+o.Name)
	}
	return nil, fmt.Errorf("there is no gateway %s; %s", name, nearest.Hint(name, names))
}

// allGateways are those of the namespace as the run has them, and those of others.
func (t there) allGateways(objects []*rules.Object) []*rules.Object {
	all := slices.DeleteFunc(slices.Clone(t.beyond.Gateways), func(o *rules.Object) bool { return o.Namespace == t.namespace })
	for _, o := range objects {
		if o.Kind == rules.Gateway {
			all = append(all, o)
		}
	}
	return all
}

// delegates says to which VirtualServices of the namespace an object delegates that
// are not there.
func (t there) delegates(before, after *rules.Object, objects []*rules.Object) error {
	var had []rules.Ref
	if before != nil {
		had = rules.Delegates(before)
	}
	var wrong []error
	for i, ref := range rules.Delegates(after) {
		if ref.Namespace != t.namespace || rules.Find(objects, ref) != nil || slices.Contains(had, ref) {
			continue
		}
		wrong = append(wrong, wrongField(after.Ref, fmt.Sprintf("spec.http[%d].delegate", i), "there is no %s to delegate to; write it above, or correct the name", ref))
	}
	return errors.Join(wrong...)
}

// opening is a port by which requests come to a rule.
type opening struct {
	port      int
	http, tcp bool
}

// block says that an entry, or a match of it, is for a port that none of the
// services and gateways of its rule has.
func (t there) block(block rules.Block, o *rules.Object, objects []*rules.Object) error {
	var openings []opening
	for _, name := range block.Gateways {
		some, known := t.inSidecars(o)
		if name != rules.MeshGateway {
			some, known = t.atGateway(name, o, objects)
		}
		if !known {
			return nil
		}
		openings = append(openings, some...)
	}
	right := func(p opening) bool { return block.List == "http" && p.http || block.List != "http" && p.tcp }
	onPort := func(p opening) bool { return block.Port == 0 || block.Port == p.port }
	switch {
	case !slices.ContainsFunc(openings, onPort):
		return fmt.Errorf("nothing that the rule is for has the port %d; there is %s", block.Port, wordOpenings(openings))
	case !slices.ContainsFunc(openings, func(p opening) bool { return onPort(p) && right(p) }):
		return fmt.Errorf("it is for %s, and no port that the rule is for carries that; there is %s", block.List, wordOpenings(openings))
	}
	return nil
}

func wordOpenings(openings []opening) string {
	words := map[string]bool{}
	for _, p := range openings {
		kind := "TCP"
		switch {
		case p.http && p.tcp:
			kind = "HTTP or TCP"
		case p.http:
			kind = "HTTP"
		}
		words[fmt.Sprintf("%d (%s)", p.port, kind)] = true
	}
	return cmp.Or(strings.Join(slices.Sorted(maps.Keys(words)), ", "), "none")
}

// inSidecars are the ports of the hosts of a rule.
func (t there) inSidecars(o *rules.Object) (openings []opening, known bool) {
	for _, host := range rules.Hosts(o) {
		service, err := t.service(host)
		if service == nil || err != nil {
			return nil, false
		}
		for _, p := range service.Ports {
			openings = append(openings, opening{p.Number, !p.TCP || p.Either, p.TCP || p.Either})
		}
	}
	return openings, true
}

// atGateway are the ports of a gateway that take in a host of a rule.
func (t there) atGateway(name string, o *rules.Object, objects []*rules.Object) (openings []opening, known bool) {
	gateway, err := t.gateway(name, objects)
	if gateway == nil || err != nil {
		return nil, false
	}
	for _, server := range rules.Taken(gateway, o) {
		protocol := strings.ToUpper(server.GetPort().GetProtocol())
		web := strings.HasPrefix(protocol, "HTTP") || strings.HasPrefix(protocol, "GRPC")
		openings = append(openings, opening{int(server.GetPort().GetNumber()), web, !web || protocol == "HTTPS"})
	}
	return openings, true
}

// entrance says that load cannot enter at the gateway by the port that it asks for.
func (t there) entrance(text string, objects []*rules.Object) error {
	port, err := strconv.Atoi(text)
	if err != nil {
		return fmt.Errorf("its port %q is not a number", text)
	}
	leads := []int{port}
	if t.beyond.GatewayPorts != nil {
		if leads = t.beyond.GatewayPorts[port]; leads == nil {
			return fmt.Errorf("the service of the ingress gateway has no port %d; it has %s", port, wordNumbers(slices.Collect(maps.Keys(t.beyond.GatewayPorts))))
		}
	}
	if !t.beyond.AllGateways {
		return nil
	}
	var served []int
	for _, gateway := range t.allGateways(objects) {
		for _, server := range gateway.Spec.(*networking.Gateway).Servers {
			number := int(server.GetPort().GetNumber())
			if slices.Contains(leads, number) {
				return nil
			}
			served = append(served, number)
		}
	}
	return fmt.Errorf("no Gateway serves the port %d; they serve %s; write a Gateway with a server for it, or correct the port", port, wordNumbers(served))
}

func wordNumbers(numbers []int) string {
	slices.Sort(numbers)
	words := make([]string, 0, len(numbers))
	for _, n := range slices.Compact(numbers) {
		words = append(words, strconv.Itoa(n))
	}
	return cmp.Or(strings.Join(words, ", "), "none")
}
