package verdicts

import (
	"context"
	"net/http"
	"slices"
	"sync/atomic"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/loadgen"
)

// twoCallers is a fault on a service that two workloads call: the client, and
// productpage for others.
const twoCallers = `
  app: bookinfo
  apply:
    - fault: {service: details, delay: 20ms}
  load:
    direct: {get: "http://details:9080/details/0", connections: 2, requests: 6}
    pages: {get: "http://productpage:9080/api/v1/products/0", connections: 2, requests: 6}
  expect:
    - direct.status[200] == direct.sent && pages.status[200] == pages.sent
`

// changedProxies are pods that come, go and restart while a window lasts.
func changedProxies() []hand {
	const folder = "2.7-proxies-of-the-window"
	half := twoCallers + "    - faults(details) == direct.sent\n"
	both := twoCallers + "    - faults(details) == direct.sent + pages.sent\n"
	return []hand{
		{Row: row(folder, "must-not-pass-hand-caller-that-comes", "inconclusive", "productpage-v1 appeared"), text: half, meddle: appears("productpage-v1")},
		{Row: row(folder, "must-not-pass-hand-caller-that-goes", "inconclusive", "productpage-v1"), text: both, meddle: disappears("productpage-v1")},
		{Row: row(folder, "must-not-pass-hand-caller-that-restarts", "inconclusive", "productpage-v1"), text: both, meddle: restarts("productpage-v1")},
		{Row: row(folder, "must-not-pass-hand-caller-that-does-not-answer", "inconclusive", "productpage-v1"), text: both, meddle: falls("productpage-v1")},
		{Row: row(folder, "must-pass-hand-none-comes-or-goes", "pass"), text: both, meddle: honest},
	}
}

// changing is a mesh whose proxies are others from the moment on when the load
// under the rule has begun.
type changing struct {
	mesh.Mesh
	loads  *atomic.Int32
	change func(proxies []mesh.Proxy, begun bool) []mesh.Proxy
}

func (c changing) Load(ctx context.Context, cohorts []mesh.Cohort, guard mesh.Guard, begin func(context.Context) error, observe func(loadgen.Progress)) (map[string]*loadgen.Result, error) {
	return c.Mesh.Load(ctx, cohorts, guard, func(ctx context.Context) error {
		err := begin(ctx)
		c.loads.Add(1)
		return err
	}, observe)
}

// Proxies changes those of the first step: the baseline is the first load.
func (c changing) Proxies(ctx context.Context) ([]mesh.Proxy, error) {
	proxies, err := c.Mesh.Proxies(ctx)
	return c.change(proxies, c.loads.Load() >= 2), err
}

func changes(change func([]mesh.Proxy, bool) []mesh.Proxy) func(mesh.Mesh) mesh.Mesh {
	return func(m mesh.Mesh) mesh.Mesh { return changing{m, new(atomic.Int32), change} }
}

func without(proxies []mesh.Proxy, workload string) []mesh.Proxy {
	return slices.DeleteFunc(proxies, func(p mesh.Proxy) bool { return p.Workload == workload })
}

// appears is a workload that is scaled up in the middle of the load.
func appears(workload string) func(mesh.Mesh) mesh.Mesh {
	return changes(func(proxies []mesh.Proxy, begun bool) []mesh.Proxy {
		if begun {
			return proxies
		}
		return without(proxies, workload)
	})
}

// disappears is one that is scaled down.
func disappears(workload string) func(mesh.Mesh) mesh.Mesh {
	return changes(func(proxies []mesh.Proxy, begun bool) []mesh.Proxy {
		if begun {
			return without(proxies, workload)
		}
		return proxies
	})
}

// restarts is one whose pod is replaced by another.
func restarts(workload string) func(mesh.Mesh) mesh.Mesh {
	return changes(func(proxies []mesh.Proxy, begun bool) []mesh.Proxy {
		for i := range proxies {
			if begun && proxies[i].Workload == workload {
				proxies[i].Name += "-again"
			}
		}
		return proxies
	})
}

// falls is one whose admin interface does not answer when the load has ended.
func falls(workload string) func(mesh.Mesh) mesh.Mesh {
	return func(m mesh.Mesh) mesh.Mesh {
		asked := 0
		return changes(func(proxies []mesh.Proxy, begun bool) []mesh.Proxy {
			if begun {
				asked++
			}
			for i := range proxies {
				if asked == 1 && proxies[i].Workload == workload {
					proxies[i].Admin = &envoy.Admin{Client: http.DefaultClient, Base: "http://127.0.0.1:1"}
				}
			}
			return proxies
		})(m)
	}
}
