package verdicts

import (
	"context"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// shared is a fault on one of two services that share a port.
const shared = `
  app: bookinfo
  apply:
    - fault: {service: details, delay: 20ms}
  load:
    readers: {get: "http://details:9080/details/0", connections: 2, requests: 6}
    raters: {get: "http://ratings:9080/ratings/0", connections: 4, requests: 40}
  expect:
    - readers.status[200] == readers.sent
    - raters.status[200] == raters.sent
`

const (
	foreignDelay = `{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"somebody"},
	 "spec":{"hosts":["ratings"],"http":[{"fault":{"delay":{"fixedDelay":"0.030s","percentage":{"value":100}}},"route":[{"destination":{"host":"ratings"}}]}]}}`
	foreignRoute = `{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"somebody"},
	 "spec":{"hosts":["details"],"http":[{"route":[{"destination":{"host":"details"}}]}]}}`
	foreignPolicy = `{"apiVersion":"networking.istio.io/v1","kind":"DestinationRule","metadata":{"name":"somebody"},
	 "spec":{"host":"details","trafficPolicy":{"loadBalancer":{"simple":"RANDOM"}}}}`
)

// foreignRules are rules that somebody else writes while a window lasts.
func foreignRules() []hand {
	const folder = "2.7-rules-of-the-window"
	counted := shared + "    - faults(details) == readers.sent\n"
	more := shared + "    - faults(details) > readers.sent\n"
	return []hand{
		{Row: row(folder, "must-not-pass-hand-fault-on-the-port", "inconclusive", "somebody"), text: counted, meddle: somebody(foreignDelay)},
		{Row: row(folder, "must-not-pass-hand-fault-counted-as-ours", "fail", "faults(details) > readers.sent"), text: more, meddle: unheard(somebody(foreignDelay))},
		{Row: row(folder, "must-not-pass-hand-policy-of-the-host", "inconclusive", "somebody"), text: counted, meddle: somebody(foreignPolicy)},
		{Row: row(folder, "must-not-pass-hand-second-owner-of-the-host", "inconclusive", "somebody"), text: counted, meddle: somebody(foreignRoute)},
		{Row: row(folder, "must-not-pass-hand-fault-that-is-gone-again", "fail", "faults(details) > readers.sent"), text: more, meddle: unheard(passing(foreignDelay))},
		{Row: row(folder, "must-not-pass-hand-fault-that-came-and-went", "inconclusive", "somebody was created, then was deleted meanwhile"), text: counted, meddle: passing(foreignDelay)},
		{Row: row(folder, "must-not-pass-hand-policy-that-came-and-went", "inconclusive", "somebody was created, then was deleted meanwhile"), text: counted, meddle: passing(foreignPolicy)},
		{Row: row(folder, "must-not-pass-hand-fault-in-the-baseline-alone", "inconclusive", "baseline: VirtualService/default/somebody was created, then was deleted meanwhile"), text: counted, meddle: passingIn(0, foreignDelay)},
		{Row: row(folder, "must-not-pass-hand-what-happened-is-not-known", "inconclusive", "baseline: the envoyfilters could not be followed any more", "nobody knows what else was changed"), text: counted, meddle: forgetful},
		{Row: row(folder, "must-pass-hand-label-that-came-and-went", "pass"), text: counted, meddle: labelled},
		{Row: row(folder, "must-pass-hand-nobody-else", "pass"), text: counted, meddle: honest},
	}
}

// somebody writes an object as the load under the rule has begun, and leaves it
// there until the run is over.
func somebody(manifest string) func(mesh.Mesh) mesh.Mesh {
	return func(m mesh.Mesh) mesh.Mesh {
		undo := func() {}
		return loads{Mesh: leaving{m, &undo}, n: new(int), during: func(ctx context.Context, m mesh.Mesh, n int) (func(), error) {
			if n != 1 {
				return nil, nil
			}
			var err error
			undo, err = writes(ctx, m, manifest)
			return nil, err
		}}
	}
}

// passing is somebody who has deleted it as the load under the rule ends.
func passing(manifest string) func(mesh.Mesh) mesh.Mesh { return passingIn(1, manifest) }

// passingIn is one who writes it in another load, by its number.
func passingIn(load int, manifest string) func(mesh.Mesh) mesh.Mesh {
	return func(m mesh.Mesh) mesh.Mesh {
		return loads{Mesh: m, n: new(int), during: func(ctx context.Context, m mesh.Mesh, n int) (func(), error) {
			if n != load {
				return nil, nil
			}
			return writes(ctx, m, manifest)
		}}
	}
}

// labelled is somebody who labels the rules under way, which does nothing to the
// traffic, and takes the labels off again.
func labelled(m mesh.Mesh) mesh.Mesh {
	return loads{Mesh: m, n: new(int), during: func(ctx context.Context, m mesh.Mesh, _ int) (func(), error) {
		objects, err := m.Objects(ctx)
		if err != nil {
			return nil, err
		}
		for _, o := range objects {
			other := o.Clone()
			other.Manifest, other.Labels = nil, map[string]string{"team": "films"}
			written, err := m.Write(ctx, rules.Change{Before: o, After: other})
			if err != nil {
				return nil, err
			}
			if _, err := m.Write(ctx, rules.Change{Before: written, After: o}); err != nil {
				return nil, err
			}
		}
		return nil, nil
	}}
}

// forgetful is an API server that has forgotten, in the baseline, what happened to
// the EnvoyFilters.
func forgetful(m mesh.Mesh) mesh.Mesh {
	f := &followed{Mesh: m}
	return loads{Mesh: f, n: new(int), during: func(_ context.Context, _ mesh.Mesh, n int) (func(), error) {
		if n == 0 {
			f.hear(mesh.Event{Lost: "the envoyfilters could not be followed any more: too old resource version"})
		}
		return nil, nil
	}}
}

// followed is a mesh that tells what the test has it tell, too.
type followed struct {
	mesh.Mesh
	hear func(mesh.Event)
}

func (f *followed) Follow(ctx context.Context, traffic mesh.Traffic, hear func(mesh.Event)) ([]string, error) {
	f.hear = hear
	return f.Mesh.Follow(ctx, traffic, hear)
}
