package runner_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/journal"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/mesh/meshtest"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/runner"
)

// stateOf is the gravest of what was found about a matter, and its words.
func stateOf(found []runner.Finding, about string) (state, words string) {
	for _, state := range []string{runner.Wrong, runner.Warning, runner.Fine} {
		var all []string
		for _, one := range found {
			if one.About == about && one.State == state {
				all = append(all, one.Words)
			}
		}
		if len(all) > 0 {
			return state, strings.Join(all, "\n")
		}
	}
	return "", ""
}

func TestANamespaceInOrderIsFine(t *testing.T) {
	found, err := runner.Examine(t.Context(), meshtest.Open(t, "bookinfo", 1))
	if err != nil {
		t.Fatal(err)
	}
	for _, about := range []string{"rights", "services", "sidecars", "rules", "neighbours", "runs", "access logs"} {
		if state, words := stateOf(found, about); state != runner.Fine {
			t.Errorf("%s: %s: %s", about, state, words)
		}
	}
}

func TestEachThingThatIsWrongWithANamespaceIsFound(t *testing.T) {
	left := &journal.Ledger{Run: "0d0d", Scenario: "delay-jason", By: "ann@laptop", Started: time.Now().Add(-time.Hour), Deadline: time.Now().Add(-time.Minute)}
	alive := &journal.Ledger{Run: "0e0e", Scenario: "delay-jason", By: "ann@laptop", Started: time.Now(), Deadline: time.Now().Add(time.Minute)}
	second := decoded(t, `{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"second","namespace":"default"},
		"spec":{"hosts":["ratings"],"http":[{"route":[{"destination":{"host":"ratings"}}]}]}}`)
	for name, test := range map[string]struct {
		mesh               shared
		ledger             *journal.Ledger
		about, state, want string
	}{
		"no sidecar":              {mesh: shared{wrong: []error{errors.New("no sidecar in reviews")}}, about: "sidecars", state: runner.Wrong, want: "no sidecar in reviews"},
		"no sidecar, on purpose":  {mesh: shared{warnings: []string{"kept out"}}, about: "sidecars", state: runner.Warning, want: "kept out"},
		"GitOps":                  {mesh: shared{here: []*rules.Object{kept(t, "default", argo)}}, about: "rules", state: runner.Wrong, want: "belongs to Argo CD"},
		"two owners of a host":    {mesh: shared{here: []*rules.Object{kept(t, "default", ""), second}}, about: "rules", state: runner.Wrong, want: "both have the host"},
		"another namespace":       {mesh: shared{elsewhere: []*rules.Object{policy(t, "istio-system", "*.local", mutual)}}, about: "neighbours", state: runner.Warning, want: "DestinationRule/istio-system/wide is for *.local"},
		"what is not to be seen":  {mesh: shared{hidden: true}, about: "neighbours", state: runner.Warning, want: "may not see"},
		"a run that was killed":   {ledger: left, about: "runs", state: runner.Wrong, want: "meshchaos restore --namespace default --run 0d0d"},
		"a run that is under way": {ledger: alive, about: "runs", state: runner.Warning, want: "is under way"},
	} {
		t.Run(name, func(t *testing.T) {
			m := test.mesh
			m.Mesh = meshtest.Open(t, "bookinfo", 1)
			if test.ledger != nil {
				if err := m.Enter(t.Context(), test.ledger); err != nil {
					t.Fatal(err)
				}
			}
			found, err := runner.Examine(t.Context(), &m)
			if err != nil {
				t.Fatal(err)
			}
			if state, words := stateOf(found, test.about); state != test.state || !strings.Contains(words, test.want) {
				t.Errorf("%s is %s: %s; want %s with %q", test.about, state, words, test.state, test.want)
			}
			if others := slices.DeleteFunc(found, func(one runner.Finding) bool { return one.State == runner.Fine || one.About == test.about }); len(others) > 0 {
				t.Errorf("found too: %v", others)
			}
		})
	}
}

// barred is a mesh whose user lacks a right, or whose API does not answer.
type barred struct {
	mesh.Mesh
	permits error
}

func (b barred) Permits(context.Context, mesh.Use) error { return b.permits }

func TestARightThatIsMissedIsFoundAndSilenceIsNone(t *testing.T) {
	m := meshtest.Open(t, "bookinfo", 1)
	found, err := runner.Examine(t.Context(), barred{m, errors.New("may not create pods")})
	if state, words := stateOf(found, "rights"); err != nil || state != runner.Wrong || !strings.Contains(words, "may not create pods") {
		t.Errorf("rights are %s: %s (%v)", state, words, err)
	}
	away := &mesh.UnansweredError{Err: errors.New("connection refused")}
	if _, err := runner.Examine(t.Context(), barred{m, away}); !errors.Is(err, away) {
		t.Errorf("the error is %v, not that the mesh is away", err)
	}
}

// vacant is a mesh whose services nobody is behind.
type vacant struct{ mesh.Mesh }

func (vacant) Services(context.Context) ([]mesh.Service, error) {
	return []mesh.Service{{Name: "web", Host: "web.default.svc.cluster.local", Ports: []mesh.Port{{Number: 8000}}, Ready: []map[string]string{}}}, nil
}

func (vacant) Proxies(context.Context) ([]mesh.Proxy, error) { return nil, nil }

func TestWhereNobodyIsNothingIsSaidToBeFine(t *testing.T) {
	found, err := runner.Examine(t.Context(), vacant{meshtest.Open(t, "bookinfo", 1)})
	if err != nil {
		t.Fatal(err)
	}
	for _, about := range []string{"services", "sidecars", "access logs"} {
		if state, words := stateOf(found, about); state != runner.Warning {
			t.Errorf("%s: %s: %s", about, state, words)
		}
	}
}
