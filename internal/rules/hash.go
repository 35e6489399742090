package rules

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"
)

// hashOf is the consistentHash of a policy's block; nil: it has none.
func hashOf(block proto.Message) *networking.LoadBalancerSettings_ConsistentHashLB {
	lb, _ := block.(*networking.LoadBalancerSettings)
	return lb.GetConsistentHash()
}

// Binds says whether the consistentHash of a part finds in a request of the load what
// it hashes: by its header, or, where it hashes where requests come from, in any.
// Known is false where what is known of the request does not tell: of a cookie, a
// parameter, or a header that a rule in force may add.
func (p Part) Binds(r Request, inForce []*Object) (bound, known bool) {
	header := p.hash.GetHttpHeaderName()
	switch {
	case p.hash.GetUseSourceIp():
		return true, true
	case header == "":
		return false, false
	}
	return r.has(header, inForce)
}

// has says whether a request of the load has a header. Known is false where a client,
// a proxy or a rule in force may add it.
func (r Request) has(header string, inForce []*Object) (has, known bool) {
	if r.Gives(header) {
		return true, true
	}
	return false, !AddedOnTheWay(header) && !slices.ContainsFunc(inForce, func(o *Object) bool { return addsHeader(o, header) })
}

// Gives says whether the load itself gives a request a header.
func (r Request) Gives(header string) bool { return hasHeader(r.Header, header) }

// hasHeader says whether there is a header of a name, whatever its case.
func hasHeader(headers map[string]string, name string) bool {
	for own := range headers {
		if strings.EqualFold(own, name) {
			return true
		}
	}
	return false
}

// BindsAll says whether it does so in each request, whoever sends it.
func (p Part) BindsAll() bool { return p.hash.GetUseSourceIp() }

// addsHeader says whether an entry gives a request a header.
func addsHeader(o *Object, header string) bool {
	vs, _ := o.Spec.(*networking.VirtualService)
	by := func(h *networking.Headers) bool {
		return hasHeader(h.GetRequest().GetSet(), header) || hasHeader(h.GetRequest().GetAdd(), header)
	}
	return slices.ContainsFunc(vs.GetHttp(), func(entry *networking.HTTPRoute) bool {
		return by(entry.Headers) || slices.ContainsFunc(entry.Route, func(to *networking.HTTPRouteDestination) bool { return by(to.Headers) })
	})
}
