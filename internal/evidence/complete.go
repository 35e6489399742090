package evidence

import (
	"fmt"
	"slices"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// complete compares the log of a proxy with what its /clusters counted: a log
// that is sampled, or that lost lines, has fewer.
func (w *Window) complete(p pair) error {
	log := w.Log.of(p.proxy.Name)
	if log == nil || log.problem() != nil {
		return nil
	}
	for name := range p.after.clusters {
		if name.Direction != envoy.Outbound || w.mirrored(name.Host) {
			continue
		}
		if err := w.completeOf(p, log, name); err != nil {
			return err
		}
	}
	// Those too that the proxy answered itself, which leave no trace in /clusters. A
	// count that went backwards is a gap of the window.
	if requests, _, _ := p.downstream(""); log.taken() < requests {
		return fmt.Errorf("it has %d lines of requests, and the proxy took %d (downstream_rq_total): is it sampled, or was it rotated away?", log.taken(), requests)
	}
	return nil
}

// completeOf compares the lines of one cluster. A request that is still under
// way, as a connection that stays open, has no line yet. One that is retried is
// an attempt more in /clusters, and no line.
func (w *Window) completeOf(p pair, log *proxyLog, name envoy.ClusterName) error {
	f := p.flow(name)
	var requests, errors, underway uint64
	for _, h := range f.hosts {
		requests, errors, underway = requests+h.requests, errors+h.errors, underway+h.underway
	}
	lines := log.sent(name.String())
	if f.why != "" || requests <= lines+underway+w.retries(name.Host, lines, errors) {
		return nil
	}
	return fmt.Errorf("it has %d lines of requests to %s, and /clusters counted %d: is it sampled, or was it rotated away?", lines, name, requests)
}

// istioRetries is how often Istio has a request retried that no rule says
// anything of (networking.istio.io, HTTPRetry).
const istioRetries = 2

// retries is how many attempts to a host may have no line of their own: as many
// for each line as there are retries, and by Istio's own default, which retries
// what failed, no more than failed.
func (w *Window) retries(host string, lines, errors uint64) uint64 {
	var most uint64
	for entry, owner := range w.entries() {
		if leadsToHost(entry.Route, owner, host) {
			most = max(most, uint64(max(entry.GetRetries().GetAttempts(), 0)))
		}
	}
	return max(most*lines, min(istioRetries*lines, errors))
}

// mirrored says whether a rule in force mirrors requests to a host: of those no
// proxy writes a line.
func (w *Window) mirrored(host string) bool {
	for entry, owner := range w.entries() {
		if to := entry.GetMirror(); to != nil && rules.FQDN(to.GetHost(), owner.Namespace) == host {
			return true
		}
		for _, policy := range entry.GetMirrors() {
			if rules.FQDN(policy.GetDestination().GetHost(), owner.Namespace) == host {
				return true
			}
		}
	}
	return false
}

// entries goes through the http entries of the rules in force.
func (w *Window) entries() func(func(*networking.HTTPRoute, *rules.Object) bool) {
	return func(yield func(*networking.HTTPRoute, *rules.Object) bool) {
		for _, o := range w.Objects {
			vs, _ := o.Spec.(*networking.VirtualService)
			for _, entry := range vs.GetHttp() {
				if !yield(entry, o) {
					return
				}
			}
		}
	}
}

func leadsToHost(route []*networking.HTTPRouteDestination, owner *rules.Object, host string) bool {
	return slices.ContainsFunc(route, func(to *networking.HTTPRouteDestination) bool {
		return rules.FQDN(to.GetDestination().GetHost(), owner.Namespace) == host
	})
}
