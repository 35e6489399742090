// Package live waits until the proxies run a change of the rules, and later
// until they do so no more.
//
// It asks the proxies themselves: each Envoy's /config_dump shows the routes,
// listeners and clusters in force. Istio's status tells less, as it is not about
// what was delivered. The package may import internal/envoy, internal/rules and
// internal/mesh.
package live

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// Wait returns the names of the proxies that run a change, once all do which it
// concerns, or an error after the limit, which is above 0. Istio takes a fraction
// of a second as a rule, and 40 s have been reported. A nil change.After is in force when nothing is left of
// change.Before.
//
// mark is part of the names of the http entries that the change writes into a
// VirtualService, and of no other entry's; it is empty for one that goes back to
// what was there before the run. A DestinationRule or a TCP route needs none.
//
// Some changes cannot be seen: a Gateway's TCP server opens its listener only
// when a VirtualService is bound to it. For these no proxy is returned, and the
// VirtualService is to be waited for.
//
// The error says which proxies do not run the change, and what they run.
func Wait(ctx context.Context, proxies []mesh.Proxy, change rules.Change, mark string, limit time.Duration) ([]string, error) {
	look, err := lookFor(change, mark)
	if err != nil {
		return nil, fmt.Errorf("waiting for %s: %w", change.Ref(), err)
	}
	if look == nil {
		return nil, nil
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var last round
	if until(limited, func(ctx context.Context) bool {
		asked := ask(ctx, proxies, look)
		if ctx.Err() == nil || len(last.live)+len(last.behind) == 0 { // a round that was cut short tells less than the one before
			last = asked
		}
		return len(asked.behind) == 0 && (len(asked.live) > 0 || change.After == nil)
	}) {
		return last.live, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("waiting for %s: %w", change.Ref(), err)
	}
	if len(last.behind) == 0 {
		return nil, fmt.Errorf("waiting for %s: after %s no proxy has anything for its host; is there such a service, and is the namespace injected with sidecars?", change.Ref(), limit)
	}
	return nil, fmt.Errorf("waiting for %s: after %s it is not in force everywhere: %s; look at istioctl proxy-status and at the log of istiod",
		change.Ref(), limit, strings.Join(last.behind, "; "))
}

// look asks one proxy how it stands to a change: whether it concerns the proxy,
// and if so, what the proxy has instead; empty if it runs the change.
type look func(ctx context.Context, proxy mesh.Proxy) (concerned bool, instead string, err error)

// lookFor returns how to see a change; nil if there is nothing to see.
func lookFor(change rules.Change, mark string) (look, error) {
	switch spec := either(change).Spec.(type) {
	case *networking.VirtualService:
		return virtualService(change, mark)
	case *networking.DestinationRule:
		return destinationRule(change), nil
	case *networking.Gateway:
		return gateway(change), nil
	default:
		return nil, fmt.Errorf("a spec of type %T cannot be seen in a proxy", spec)
	}
}

// either returns what a change writes, or what it deletes.
func either(change rules.Change) *rules.Object {
	if change.After != nil {
		return change.After
	}
	return change.Before
}

// round is what the proxies answered when they were asked once.
type round struct {
	live   []string // names
	behind []string // names and what they have instead
}

// ask asks all proxies at once.
func ask(ctx context.Context, proxies []mesh.Proxy, look look) round {
	type answer struct {
		concerned bool
		instead   string
	}
	answers := make([]answer, len(proxies))
	var group sync.WaitGroup
	for i, proxy := range proxies {
		group.Go(func() {
			concerned, instead, err := look(ctx, proxy)
			if err != nil {
				concerned, instead = true, err.Error()
			}
			answers[i] = answer{concerned, instead}
		})
	}
	group.Wait()
	var r round
	for i, a := range answers {
		switch {
		case a.concerned && a.instead != "":
			r.behind = append(r.behind, proxies[i].Name+": "+a.instead)
		case a.concerned:
			r.live = append(r.live, proxies[i].Name)
		}
	}
	return r
}

const (
	shortPause = 50 * time.Millisecond
	longPause  = 500 * time.Millisecond
)

// until calls ready again and again, with pauses that grow, until it is true
// twice in a row: a proxy's workers take a new configuration a moment after its
// main thread shows it. It is false if ctx ends before.
func until(ctx context.Context, ready func(context.Context) bool) bool {
	pause, before := shortPause, false
	for {
		now := ready(ctx)
		if now && before {
			return true
		}
		before = now
		wait := pause
		if now {
			wait = shortPause
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(wait):
		}
		pause = min(pause*3/2, longPause)
	}
}
