package runner_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/mesh/meshtest"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

const lasts = `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: lasts}
spec:
  app: bookinfo
  apply:
    - fault: {service: ratings, delay: 10ms}
  load:
    raters: {get: "http://ratings:9080/ratings/0", connections: 1, qps: 50, duration: 30s}
  expect:
    - raters.status[200] == raters.sent
`

// passer is somebody who writes an object as soon as the load of a window is under way.
type passer struct {
	mesh.Mesh
	at     int // which window
	began  time.Time
	object *rules.Object
	hear   func(mesh.Event)
	tell   mesh.Event // instead of the object, if it is nil
}

// Follow implements mesh.Mesh.
func (p *passer) Follow(ctx context.Context, traffic mesh.Traffic, hear func(mesh.Event)) ([]string, error) {
	p.hear = hear
	return p.Mesh.Follow(ctx, traffic, hear)
}

// Load implements mesh.Mesh.
func (p *passer) Load(ctx context.Context, cohorts []mesh.Cohort, guard mesh.Guard, begin func(context.Context) error, observe func(loadgen.Progress)) (map[string]*loadgen.Result, error) {
	p.at--
	passing := p.at == 0
	return p.Mesh.Load(ctx, cohorts, guard, begin, func(progress loadgen.Progress) {
		observe(progress)
		if !passing || !p.began.IsZero() || progress.Sent == 0 {
			return
		}
		p.began = time.Now()
		if p.object == nil {
			p.hear(p.tell)
		} else if _, err := p.Write(ctx, rules.Change{After: p.object}); err != nil {
			panic(err)
		}
	})
}

func TestARunThatSomebodyMeddlesWithEndsAtOnce(t *testing.T) {
	t.Parallel()
	theirs, err := rules.DecodeFile([]byte(`{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"passer","namespace":"default"},
	 "spec":{"hosts":["details"],"http":[{"timeout":"1s","route":[{"destination":{"host":"details"}}]}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	ref := rules.Ref{Kind: "EnvoyFilter", Namespace: "default", Name: "passer"}
	for name, test := range map[string]struct {
		passer
		words string
	}{
		"a rule":                   {passer{object: theirs}, "load under the rule: VirtualService/default/passer was created by somebody else meanwhile"},
		"of a kind beside":         {passer{tell: mesh.Event{Ref: ref, Did: mesh.Created, Version: "1", By: []string{"kubectl"}}}, "EnvoyFilter/default/passer was created meanwhile, by somebody else (kubectl)"},
		"a pod":                    {passer{tell: mesh.Event{Ref: rules.Ref{Kind: "Pod", Namespace: "default", Name: "p"}, Did: mesh.Ceased}}, "Pod/default/p was ready no more meanwhile"},
		"nobody hears of anything": {passer{tell: mesh.Event{Lost: "the pods could not be followed any more"}}, "could not be followed any more, so nobody knows what else was changed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := test.passer
			m.Mesh, m.at = open(t), 2
			record := run(t.Context(), t, &m, lasts, nil)
			during := record.Windows[len(record.Windows)-1]
			if took := during.Ended.Sub(m.began); m.began.IsZero() || during.Name != report.During || during.Cut == "" || took > 10*time.Second {
				t.Errorf("the load of the %s ended %s after it: %q", during.Words(), took, during.Cut)
			}
			if record.Verdict != report.Inconclusive || !record.Restored || !strings.Contains(strings.Join(record.Against(), "\n"), test.words) {
				t.Errorf("verdict %s, restored %v, problems %q", record.Verdict, record.Restored, record.Against())
			}
			if now := meshtest.InForce(t, m.Mesh); strings.Contains(now["VirtualService/default/theirs"], "fixedDelay") {
				t.Errorf("the fault is left: %s", now)
			}
		})
	}
}

// What is changed between two windows makes the one differ from the other.
func TestWhatSomebodyElseChangesBetweenTwoLoadsEndsTheRun(t *testing.T) {
	t.Parallel()
	m := &passer{Mesh: open(t)}
	ref := rules.Ref{Kind: "EnvoyFilter", Namespace: "default", Name: "passer"}
	record := run(t.Context(), t, m, short, func(e runner.Event) {
		if strings.HasPrefix(e.Phase, "applying step slow") {
			m.hear(mesh.Event{Ref: ref, Did: mesh.Created, Version: "1"})
			m.hear(mesh.Event{Ref: rules.Ref{Kind: "Pod", Namespace: "default", Name: "p"}, Did: mesh.Serves})
		}
	})
	said := strings.Join(record.Against(), "\n")
	if record.Verdict != report.Inconclusive || !record.Restored || !strings.Contains(said, "EnvoyFilter/default/passer was created meanwhile") || strings.Contains(said, "Pod/") {
		t.Errorf("verdict %s, restored %v, problems %q", record.Verdict, record.Restored, record.Against())
	}
}

// A watch may tell of a write of the run's own long after it, and of one that another
// of its own writes has followed.
func TestWhatIsHeardLateOfTheRunsOwnWritesIsNoMeddling(t *testing.T) {
	t.Parallel()
	m := &hardOfHearing{Mesh: open(t)}
	record := run(t.Context(), t, m, short, nil)
	if record.Verdict != report.Pass || !record.Restored || m.told < 12 {
		t.Errorf("verdict %s, restored %v, problems %q, after %d events", record.Verdict, record.Restored, record.Against(), m.told)
	}
}

// hardOfHearing tells of all that has happened only as a load begins, and each time
// anew.
type hardOfHearing struct {
	mesh.Mesh
	hear   func(mesh.Event)
	events []mesh.Event
	told   int
}

// Follow implements mesh.Mesh.
func (h *hardOfHearing) Follow(ctx context.Context, traffic mesh.Traffic, hear func(mesh.Event)) ([]string, error) {
	h.hear = hear
	return h.Mesh.Follow(ctx, traffic, func(e mesh.Event) { h.events = append(h.events, e) })
}

// Load implements mesh.Mesh.
func (h *hardOfHearing) Load(ctx context.Context, cohorts []mesh.Cohort, guard mesh.Guard, begin func(context.Context) error, observe func(loadgen.Progress)) (map[string]*loadgen.Result, error) {
	return h.Mesh.Load(ctx, cohorts, guard, func(ctx context.Context) error {
		for _, e := range h.events {
			h.told++
			h.hear(e)
		}
		return begin(ctx)
	}, observe)
}
