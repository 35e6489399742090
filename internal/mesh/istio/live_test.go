//go:build e2e

package istio

import (
	"strings"
	"testing"
	"time"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/live"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// balanced is a DestinationRule that says how ping is balanced, and nothing else.
func balanced(t *testing.T, m *Mesh, how networking.LoadBalancerSettings_SimpleLB, mark string) *rules.Object {
	t.Helper()
	o, err := rules.DecodeFile([]byte(`{"apiVersion":"networking.istio.io/v1","kind":"DestinationRule","metadata":{"name":"ping","namespace":"` + m.namespace + `"},"spec":{"host":"ping","trafficPolicy":{"loadBalancer":{"simple":"` + how.String() + `"}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if mark != "" {
		rules.Mark(o, mark)
	}
	return o
}

func TestARuleThatChangesNothingButTheBalancerIsSeenInTheProxies(t *testing.T) {
	m := open(t)
	createPing(t, m)
	client, _ := proxies(t, m)
	services, err := m.Services(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wait := func(what string, change rules.Change, mark string, limit time.Duration) error {
		began := time.Now()
		seen := live.Wait(t.Context(), []mesh.Proxy{client}, services, []live.Awaited{{Change: change, Mark: mark}}, limit)[0]
		t.Logf("%s: in %v after %s: %v", what, seen.Proxies, time.Since(began).Round(time.Millisecond), seen.Err)
		return seen.Err
	}
	roundRobin, random := networking.LoadBalancerSettings_ROUND_ROBIN, networking.LoadBalancerSettings_RANDOM

	creation := rules.Change{After: balanced(t, m, roundRobin, "meshchaos-t1-0-0")}
	written := write(t, m, creation)
	if err := wait("created", creation, "meshchaos-t1-0", 30*time.Second); err != nil {
		t.Error(err)
	}
	update := rules.Change{Before: written, After: balanced(t, m, random, "meshchaos-t1-1-0")}
	if err := wait("not written", update, "meshchaos-t1-1", time.Second); err == nil || !strings.Contains(err.Error(), "meshchaos-t1") {
		t.Errorf("error %v; want that what was never written is not seen", err)
	}
	updated := write(t, m, update)
	if err := wait("updated", update, "meshchaos-t1-1", 30*time.Second); err != nil {
		t.Error(err)
	}
	undo := rules.Change{Before: updated, After: update.Before}
	again := write(t, m, undo)
	if err := wait("put back", undo, "meshchaos-t1-0", 30*time.Second); err != nil {
		t.Error(err)
	}
	deletion := rules.Change{Before: again, After: creation.Before}
	write(t, m, deletion)
	if err := wait("deleted", deletion, "", 30*time.Second); err != nil {
		t.Error(err)
	}
}
