package evidence

import (
	"context"
	"maps"
	"time"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// AwaitMirrored waits until the copies of mirrored requests are with the endpoints
// that get them, where a rule in force mirrors: nobody waits for a copy, so that
// of the last requests they may still be without a connection when the load is
// over, and no proxy has counted them. That is so when no copy waits for a
// connection, as far as the proxies keep count of that, and two readings are
// alike; after lateness it is waited no longer. The error is that of an ended ctx.
func AwaitMirrored(ctx context.Context, proxies []mesh.Proxy, objects []*rules.Object) error {
	if !mirrors(objects) {
		return nil
	}
	deadline := time.Now().Add(lateness)
	var last map[flowKey]uint64
	for time.Now().Before(deadline) {
		counts, waiting := sentNow(ctx, proxies)
		if !waiting && last != nil && maps.Equal(counts, last) {
			return ctx.Err()
		}
		last = counts
		if err := pauseUntil(ctx, time.Now().Add(2*settlePoll)); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// mirrors says whether a rule mirrors requests.
func mirrors(objects []*rules.Object) bool {
	for _, o := range objects {
		vs, _ := o.Spec.(*networking.VirtualService)
		for _, entry := range vs.GetHttp() {
			if entry.GetMirror() != nil || len(entry.GetMirrors()) > 0 {
				return true
			}
		}
	}
	return false
}

// flowKey is an endpoint of a cluster of a proxy.
type flowKey struct {
	proxy, address string
	cluster        envoy.ClusterName
}

// sentNow is what each endpoint was sent until now, and whether a request is known
// to wait for a connection. A proxy that cannot be read shows nothing: the reading
// of the window finds that out.
func sentNow(ctx context.Context, proxies []mesh.Proxy) (counts map[flowKey]uint64, waiting bool) {
	counts = map[flowKey]uint64{}
	for _, proxy := range proxies {
		ctx, cancel := context.WithTimeout(ctx, readLimit)
		pending, _ := proxy.Admin.Stats(ctx, `^cluster\.outbound\|.*\.upstream_rq_pending_active$`)
		clusters, _ := proxy.Admin.Clusters(ctx)
		cancel()
		for _, n := range pending {
			waiting = waiting || n > 0
		}
		for _, c := range clusters {
			for _, h := range c.Hosts {
				counts[flowKey{proxy.Name, h.Address, c.Name}] = h.Requests
			}
		}
	}
	return counts, waiting
}
