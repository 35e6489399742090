package verdicts

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// policy is a DestinationRule beside a load that meets it.
const policy = `
  app: bookinfo
  apply:
    - apiVersion: networking.istio.io/v1
      kind: DestinationRule
      metadata: {name: reviews}
      spec: {host: reviews, %s}
%s  load:
    readers: {get: "http://reviews:9080/reviews/0", connections: 2, requests: 12}
  expect:
    - readers.status[200] == readers.sent
`

// toAll uses a subset, which has no part of its own that could bite.
const toAll = `    - apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: {name: reviews}
      spec: {hosts: [reviews], http: [{route: [{destination: {host: reviews, subset: all}}]}]}
`

// unseenRules are rules that are stored and that no proxy is ever told of, as
// with istiod stopped.
func unseenRules() []hand {
	const folder = "2.8-rule-not-seen"
	stopped := func(m mesh.Mesh) mesh.Mesh { return &deaf{Mesh: m} }
	var all []hand
	for _, change := range []struct{ name, spec, beside, expect string }{
		{"load-balancer", "trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}", "", ""},
		{"tls", "trafficPolicy: {tls: {mode: DISABLE}}", "", ""},
		{"connect-timeout", "trafficPolicy: {connectionPool: {tcp: {connectTimeout: 7s}}}", "", ""},
		{"min-health-percent", "trafficPolicy: {outlierDetection: {maxEjectionPercent: 100, minHealthPercent: 40}}", "", "    - ejections(reviews) == 0\n"},
		{"subset-labels", "subsets: [{name: all, labels: {app: reviews}}]", toAll, ""},
	} {
		text := fmt.Sprintf(policy, change.spec, change.beside) + change.expect
		all = append(all, hand{
			Row:  row(folder, "must-not-pass-hand-"+change.name, "inconclusive", "DestinationRule/default/reviews"),
			text: text, meddle: stopped, live: time.Second,
		})
		if change.name == "load-balancer" || change.name == "connect-timeout" || change.name == "min-health-percent" {
			all = append(all, hand{Row: row(folder, "must-pass-hand-"+change.name, "pass"), text: text, meddle: honest})
		}
	}
	return all
}

// deaf is a mesh that takes DestinationRules and tells no proxy.
type deaf struct {
	mesh.Mesh
	mu      sync.Mutex
	stored  []*rules.Object
	version int
}

// Objects implements mesh.Mesh.
func (d *deaf) Objects(ctx context.Context) ([]*rules.Object, error) {
	objects, err := d.Mesh.Objects(ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	return append(objects, d.stored...), err
}

// Admit implements mesh.Mesh: a real one takes what the embedded mesh cannot do.
func (d *deaf) Admit(context.Context, []*rules.Object) error { return nil }

// Write implements mesh.Mesh.
func (d *deaf) Write(ctx context.Context, c rules.Change) (*rules.Object, error) {
	if c.Ref().Kind != "DestinationRule" {
		return d.Mesh.Write(ctx, c)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stored = slices.DeleteFunc(d.stored, func(o *rules.Object) bool { return o.Ref == c.Ref() })
	if c.After == nil {
		return nil, nil
	}
	written := c.After.Clone()
	d.version++
	written.ResourceVersion = fmt.Sprint("deaf-", d.version)
	manifest, err := written.Encode()
	if err != nil {
		return nil, err
	}
	written.Manifest = manifest
	d.stored = append(d.stored, written)
	return written, nil
}
