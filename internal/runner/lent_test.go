package runner_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/mesh/meshtest"
	"github.com/meshchaos/meshchaos/internal/runner"
)

const spared = `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: spared}
spec:
  app: bookinfo
  apply:
    - fault: {service: ratings, sourceLabels: {track: canary}, abort: 503}
  load:
    raters: {get: "http://ratings:9080/ratings/0", from: reviews-v1, connections: 1, requests: 5}
  expect:
    - raters.status[200] == raters.sent
`

// relabelled has one more pod of a workload, or other labels for the load workload.
type relabelled struct {
	mesh.Mesh
	twin   map[string]string // of a second pod of reviews-v1
	client map[string]string // of what passes for it
}

// Proxies implements mesh.Mesh.
func (r relabelled) Proxies(ctx context.Context) ([]mesh.Proxy, error) {
	proxies, err := r.Mesh.Proxies(ctx)
	for i, p := range proxies {
		with := func(more map[string]string) mesh.Proxy {
			p := p
			p.Labels = maps.Clone(p.Labels)
			maps.Copy(p.Labels, more)
			return p
		}
		switch {
		case p.Client && p.Borrows != "":
			proxies[i] = with(r.client)
		case p.Workload == "reviews-v1" && !p.Client && r.twin != nil:
			twin := with(r.twin)
			twin.Name += "-twin"
			proxies = append(proxies, twin)
		}
	}
	return proxies, err
}

func TestALoadIsNotFromAWorkloadWhosePodsARuleTellsApart(t *testing.T) {
	canary := map[string]string{"track": "canary"}
	for name, m := range map[string]relabelled{
		"one pod of two has what the rule asks for": {twin: canary},
		"none has but the load":                     {client: canary},
	} {
		m.Mesh = open(t)
		compare := meshtest.Remember(t, m.Mesh)
		_, err := runner.Run(t.Context(), m, read(t, spared), runner.Options{ID: "test", LiveLimit: 4 * time.Second})
		var refused *runner.RefusedError
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), "asks for pods with track=canary, which") || !strings.Contains(err.Error(), "s.yaml:9:") {
			t.Errorf("%s: error %v", name, err)
		}
		compare()
	}
	if _, err := runner.Run(t.Context(), open(t), read(t, spared), runner.Options{ID: "test", LiveLimit: 4 * time.Second}); err != nil {
		t.Errorf("all are alike: %v", err)
	}
}
