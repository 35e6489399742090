package live

import (
	"context"
	"errors"
	"fmt"

	networking "istio.io/api/networking/v1alpha3"
	telemetry "istio.io/api/telemetry/v1alpha1"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// look is how a change is seen in a proxy.
type look struct {
	needs needs
	// reaches says whether the change may concern a proxy at all.
	reaches func(proxy mesh.Proxy) bool
	// judge says how a proxy stands to the change: whether it concerns the proxy,
	// and if so, what the proxy has instead; empty if it runs the change.
	judge func(ctx context.Context, v *view) (concerned bool, instead string, err error)
	// early says that a gateway may have nothing yet for the change to be seen by.
	early bool
}

// errUnseen says that a change leaves no trace in any proxy's configuration.
var errUnseen = errors.New("it cannot be seen in the proxies, so nothing would tell when they run it")

// lookFor returns how to see a change; nil if there is nothing to see yet.
func lookFor(a Awaited, services []mesh.Service) (*look, error) {
	switch spec := either(a.Change).Spec.(type) {
	case *networking.VirtualService:
		return virtualService(a, services)
	case *networking.DestinationRule:
		return destinationRule(a)
	case *networking.Gateway:
		return gateway(a.Change), nil
	case *telemetry.Telemetry:
		return telemetryOf(a.Change, services)
	default:
		return nil, fmt.Errorf("a spec of type %T: %w", spec, errUnseen)
	}
}

// either returns what a change writes, or what it deletes.
func either(change rules.Change) *rules.Object {
	if change.After != nil {
		return change.After
	}
	return change.Before
}

// all joins looks: a proxy runs a change when it runs all parts of it.
func all(looks []*look) *look {
	if len(looks) == 0 {
		return nil
	}
	joined := &look{}
	for _, l := range looks {
		joined.needs.add(l.needs)
	}
	joined.reaches = func(proxy mesh.Proxy) bool {
		for _, l := range looks {
			if l.reaches(proxy) {
				return true
			}
		}
		return false
	}
	joined.judge = func(ctx context.Context, v *view) (bool, string, error) {
		concerned := false
		for _, l := range looks {
			if !l.reaches(v.proxy) {
				continue
			}
			here, instead, err := l.judge(ctx, v)
			concerned = concerned || here
			if instead != "" || err != nil {
				return concerned, instead, err
			}
		}
		return concerned, "", nil
	}
	return joined
}
