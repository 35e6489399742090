package sidecar

import (
	"testing"

	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

// Envoy draws whose turn is first, and a configuration that is repeated the same.
func TestTheFirstOfThoseInTurnIsDrawn(t *testing.T) {
	services := web(t, sidecartest.Answering("1"), sidecartest.Answering("2"), sidecartest.Answering("3"))
	rule := sidecartest.DestinationRule(t, "web", `{"host":"web","trafficPolicy":{"loadBalancer":{"simple":"ROUND_ROBIN"}}}`)
	turns := func(seed uint64) (order string) {
		m := startMesh(t, Options{Seed: seed}, services, rule)
		for range 4 { // On one connection, and so of one worker.
			order += m.get("http://web:8000/").Body
		}
		return order
	}
	seen := map[string]bool{}
	for seed := range uint64(20) {
		seen[turns(seed)] = true
	}
	if len(seen) != 3 || !seen["1231"] || !seen["2312"] || !seen["3123"] {
		t.Errorf("the orders are %v", seen)
	}
	if a, b := turns(7), turns(7); a != b {
		t.Errorf("one seed gave %s, and then %s", a, b)
	}
}
