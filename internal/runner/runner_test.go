package runner_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/types/known/durationpb"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/mesh/embedded"
	"github.com/meshchaos/meshchaos/internal/mesh/meshtest"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/internal/verdict"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// short takes a fraction of a second: two steps, of which the second fails
// where expect is false.
const short = `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: short}
spec:
  app: bookinfo
  onFailure: rollback
  given:
    - route: {service: reviews, to: v2}
  steps:
    - name: slow
      apply:
        - fault: {service: ratings, delay: 50ms}
      load:
        pages: {get: "http://productpage:9080/productpage", connections: 2, requests: 6}
      expect:
        - pages.min >= 50ms
        - faults(ratings) == pages.sent
    - name: split
      apply:
        - route: {service: reviews, to: {v2: 50, v3: 50}}
      load:
        pages: {get: "http://productpage:9080/productpage", connections: 2, requests: 6}
      expect:
        - pages.status[200] == pages.sent
`

// owner is a VirtualService that was there before the run.
const owner = `{"apiVersion":"networking.istio.io/v1beta1","kind":"VirtualService",
 "metadata":{"name":"theirs","namespace":"default","labels":{"team":"books"},"annotations":{"why":"theirs"}},
 "spec":{"hosts":["ratings"],"http":[{"name":"plain","route":[{"destination":{"host":"ratings"}}]}]}}`

func read(t *testing.T, text string) *scenarios.Scenario {
	t.Helper()
	return readNamed(t, "s.yaml", text)
}

func readNamed(t *testing.T, name, text string) *scenarios.Scenario {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := scenarios.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// open opens an embedded Bookinfo in which theirs is in force.
func open(t *testing.T) mesh.Mesh {
	t.Helper()
	m := meshtest.Open(t, "bookinfo", 1)
	theirs, err := rules.DecodeFile([]byte(owner))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Write(t.Context(), rules.Change{After: theirs}); err != nil {
		t.Fatal(err)
	}
	return m
}

func run(ctx context.Context, t *testing.T, m mesh.Mesh, text string, observe func(runner.Event)) *report.Record {
	t.Helper()
	scenario := read(t, text)
	record, err := runner.Run(ctx, m, scenario, runner.Options{ID: "test", Observe: observe, LiveLimit: 4 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if err := verdict.Unchanged(record, scenario); err != nil {
		t.Errorf("of the record as it was made it is said: %v", err)
	}
	return record
}

// bent is a mesh some of whose verbs are bent.
type bent struct {
	mesh.Mesh
	write func(context.Context, rules.Change) (*rules.Object, error)
	load  func(context.Context, []mesh.Cohort, mesh.Guard, func(context.Context) error, func(loadgen.Progress)) (map[string]*loadgen.Result, error)
	blind func() bool // whether the proxies do not answer

	objects func(context.Context) ([]*rules.Object, error)
	admit   func() error
}

func (b bent) Objects(ctx context.Context) ([]*rules.Object, error) {
	if b.objects == nil {
		return b.Mesh.Objects(ctx)
	}
	return b.objects(ctx)
}

func (b bent) Admit(ctx context.Context, objects []*rules.Object) error {
	if b.admit == nil {
		return b.Mesh.Admit(ctx, objects)
	}
	return b.admit()
}

func (b bent) Proxies(ctx context.Context) ([]mesh.Proxy, error) {
	proxies, err := b.Mesh.Proxies(ctx)
	if b.blind != nil && b.blind() {
		for i := range proxies {
			proxies[i].Admin = &envoy.Admin{Client: http.DefaultClient, Base: "http://127.0.0.1:1"}
		}
	}
	return proxies, err
}

func (b bent) Write(ctx context.Context, c rules.Change) (*rules.Object, error) {
	if b.write == nil {
		return b.Mesh.Write(ctx, c)
	}
	return b.write(ctx, c)
}

func (b bent) Load(ctx context.Context, cohorts []mesh.Cohort, guard mesh.Guard, begin func(context.Context) error, observe func(loadgen.Progress)) (map[string]*loadgen.Result, error) {
	if b.load == nil {
		return b.Mesh.Load(ctx, cohorts, guard, begin, observe)
	}
	return b.load(ctx, cohorts, guard, begin, observe)
}

func TestARunLeavesTheMeshAsItFoundIt(t *testing.T) {
	m := open(t)
	compare := meshtest.Remember(t, m)
	record := run(t.Context(), t, m, short, nil)
	if record.Verdict != report.Pass || !record.Restored {
		t.Errorf("verdict %s, restored %v, problems %q, %+v", record.Verdict, record.Restored, record.Against(), record.Expectations)
	}
	compare()
	for _, c := range record.Changes {
		if (c.Action == "updated") != (len(c.Before) > 0) {
			t.Errorf("%s of %s is %s, and what was there is %q", c.Object, c.Step, c.Action, c.Before)
		}
		if c.Object == "VirtualService/default/theirs" && (c.Action != "updated" || len(c.Before) == 0 || !c.Restored) {
			t.Errorf("the record of theirs is %+v", c)
		}
	}
}

func TestAnInterruptInAnyPhaseLeavesTheMeshAsItFoundIt(t *testing.T) {
	var phases []string
	run(t.Context(), t, open(t), short, func(e runner.Event) {
		if e.Load == nil {
			phases = append(phases, e.Phase)
		}
	})
	if len(phases) < 8 {
		t.Fatalf("only %d phases: %q", len(phases), phases)
	}
	for i, phase := range phases[1:] { // in the first nothing has been written
		t.Run(phase, func(t *testing.T) {
			m := open(t)
			compare := meshtest.Remember(t, m)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			seen := 0
			record := run(ctx, t, m, short, func(e runner.Event) {
				if e.Load == nil {
					if seen == i+1 {
						cancel()
					}
					seen++
				}
			})
			if !record.Restored {
				t.Errorf("not restored: %q", record.Problems)
			}
			compare()
		})
	}
}

func TestADeletionThatNoProxyConfirmsIsTriedAgainAndSaid(t *testing.T) {
	m := open(t)
	compare := meshtest.Remember(t, m)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	text := strings.Replace(short, "- fault: {service: ratings, delay: 50ms}", "- fault: {service: details, delay: 50ms}", 1)
	record := run(ctx, t, bent{Mesh: m, blind: func() bool { return ctx.Err() != nil }}, text, func(e runner.Event) {
		if e.Phase == "undoing" {
			cancel() // as the step's own objects are being deleted
		}
	})
	if record.Restored {
		t.Error("nothing proves that the proxies run the old rules, and the run says so")
	}
	compare()
}

func TestADeletionWhoseAnswerWasLostIsKnownToBeOne(t *testing.T) {
	m := open(t)
	compare := meshtest.Remember(t, m)
	lost := false
	record := run(t.Context(), t, bent{Mesh: m, write: func(ctx context.Context, c rules.Change) (*rules.Object, error) {
		written, err := m.Write(ctx, c)
		if err == nil && !lost && c.After == nil {
			lost = true
			return nil, errors.New("the connection was reset")
		}
		return written, err
	}}, short, nil)
	if !record.Restored {
		t.Errorf("it is gone, and the run says that it is not: %q", record.Problems)
	}
	compare()
}

func TestABaselineThatIsNotBackIsNoPass(t *testing.T) {
	m := open(t)
	loads := 0
	record := run(t.Context(), t, bent{Mesh: m, load: func(ctx context.Context, cohorts []mesh.Cohort, guard mesh.Guard, begin func(context.Context) error, observe func(loadgen.Progress)) (map[string]*loadgen.Result, error) {
		results, err := m.Load(ctx, cohorts, guard, begin, observe)
		if loads++; loads == 4 { // baseline, two steps, recovery
			results["pages"].Outcomes[0].Checks = []string{"reviews-lost"}
		}
		return results, err
	}}, short, nil)
	if record.Verdict != report.Inconclusive || !strings.Contains(strings.Join(record.Against(), " "), "the baseline is not back") {
		t.Errorf("verdict %s, problems %q", record.Verdict, record.Against())
	}
}

func TestABugOfOursLeavesNoRuleBehind(t *testing.T) {
	for name, load := range map[string]func(context.Context, []mesh.Cohort, mesh.Guard, func(context.Context) error, func(loadgen.Progress)) (map[string]*loadgen.Result, error){
		"in the load": func(context.Context, []mesh.Cohort, mesh.Guard, func(context.Context) error, func(loadgen.Progress)) (map[string]*loadgen.Result, error) {
			panic("a bug")
		},
		"in the run": func(ctx context.Context, _ []mesh.Cohort, _ mesh.Guard, begin func(context.Context) error, _ func(loadgen.Progress)) (map[string]*loadgen.Result, error) {
			return map[string]*loadgen.Result{"pages": nil}, begin(ctx) // no result where one must be
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := open(t)
			compare := meshtest.Remember(t, m)
			record := run(t.Context(), t, bent{Mesh: m, load: load}, short, nil)
			if record.Verdict != report.Inconclusive || !record.Restored || !strings.Contains(strings.Join(record.Against(), " "), "this program failed") {
				t.Errorf("verdict %s, restored %v, problems %q", record.Verdict, record.Restored, record.Against())
			}
			compare()
		})
	}
}

func TestLoadThatFailsIsNoPassAndTheRuleIsUndone(t *testing.T) {
	m := open(t)
	compare := meshtest.Remember(t, m)
	record := run(t.Context(), t, bent{Mesh: m, load: func(context.Context, []mesh.Cohort, mesh.Guard, func(context.Context) error, func(loadgen.Progress)) (map[string]*loadgen.Result, error) {
		return nil, errors.New("the pod is gone")
	}}, short, nil)
	if record.Verdict != report.Inconclusive || !record.Restored || !strings.Contains(strings.Join(record.Against(), " "), "the pod is gone") {
		t.Errorf("verdict %s, restored %v, problems %q", record.Verdict, record.Restored, record.Against())
	}
	if left := leftOf(t, record); len(left) > 0 {
		t.Errorf("all is as it was, and the record says that there is %q", left)
	}
	compare()
}

func TestAWriteWhoseAnswerWasLostIsUndone(t *testing.T) {
	m := open(t)
	compare := meshtest.Remember(t, m)
	lost := false
	record := run(t.Context(), t, bent{Mesh: m, write: func(ctx context.Context, c rules.Change) (*rules.Object, error) {
		written, err := m.Write(ctx, c)
		if err == nil && !lost && c.Ref().Name == "theirs" {
			lost = true
			return nil, errors.New("the connection was reset")
		}
		return written, err
	}}, short, nil)
	if record.Verdict == report.Pass || !record.Restored {
		t.Errorf("verdict %s, restored %v, problems %q", record.Verdict, record.Restored, record.Against())
	}
	compare()
}

func TestWhatCannotBeUndoneIsSaidAndTheRestIsUndone(t *testing.T) {
	m := open(t)
	record := run(t.Context(), t, bent{Mesh: m, write: func(ctx context.Context, c rules.Change) (*rules.Object, error) {
		if c.Ref().Name == "theirs" && c.After.Manifest != nil {
			return nil, errors.New("forbidden")
		}
		return m.Write(ctx, c)
	}}, short, nil)
	if record.Restored || record.Verdict == report.Pass {
		t.Errorf("verdict %s, restored %v", record.Verdict, record.Restored)
	}
	for name := range meshtest.InForce(t, m) {
		if name != "VirtualService/default/theirs" {
			t.Errorf("%s is left", name)
		}
	}
	for _, c := range record.Changes {
		if c.Object == "VirtualService/default/theirs" && (c.Restored || !strings.Contains(c.Proof, "forbidden")) {
			t.Errorf("the record of theirs is %+v", c)
		}
	}
}

func TestAnObjectThatIsNotAsItWasIsFoundByTheLastLook(t *testing.T) {
	m := open(t)
	record := run(t.Context(), t, bent{Mesh: m, write: func(ctx context.Context, c rules.Change) (*rules.Object, error) {
		if c.Ref().Name == "theirs" && c.After.Manifest != nil {
			told := c.After.Clone()
			c.After = c.After.Clone()
			c.After.Manifest, c.After.Annotations = nil, nil
			written, err := m.Write(ctx, c)
			if err == nil {
				told.ResourceVersion = written.ResourceVersion
			}
			return told, err
		}
		return m.Write(ctx, c)
	}}, short, nil)
	if record.Restored {
		t.Error("the run says that everything is restored")
	}
	for _, c := range record.Changes {
		if c.Object == "VirtualService/default/theirs" && !strings.Contains(c.Proof, "differs from what was there") {
			t.Errorf("the record of theirs is %+v", c)
		}
	}
}

func TestRulesAreUndoneEvenIfNoProxyAnswersAfterAnInterrupt(t *testing.T) {
	m := open(t)
	compare := meshtest.Remember(t, m)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	began := time.Now()
	record := run(ctx, t, bent{Mesh: m, blind: func() bool { return ctx.Err() != nil }, write: func(ctx context.Context, c rules.Change) (*rules.Object, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return m.Write(ctx, c)
	}}, short, func(e runner.Event) {
		if e.Phase == "load of step split" {
			began = time.Now()
			cancel()
		}
	})
	if record.Restored {
		t.Error("nothing proves that the proxies run the old rules, and the run says so")
	}
	compare()
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestWhoHurriesWaitsForNoProofAndTheRulesAreUndoneAllTheSame(t *testing.T) {
	m := open(t)
	compare := meshtest.Remember(t, m)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	hurry := make(chan struct{})
	impatient := sync.OnceFunc(func() { close(hurry) })
	var began time.Time
	undoings := 0
	record, err := runner.Run(ctx, bent{Mesh: m, blind: func() bool { return ctx.Err() != nil }}, read(t, short), runner.Options{
		ID: "test", LiveLimit: time.Minute, Hurry: hurry,
		Observe: func(e runner.Event) {
			switch e.Phase {
			case "load of step split":
				cancel()
			case "undoing":
				if undoings++; undoings == 1 {
					began = time.Now()
				}
				impatient()
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if record.Restored {
		t.Error("nothing proves that the proxies run the old rules, and the run says so")
	}
	compare()
	if undoings != 1 {
		t.Errorf("it said %d times that it undoes, which it does once, however often it tries", undoings)
	}
	if took := time.Since(began); took > 2900*time.Millisecond { // 3 s without hurry
		t.Errorf("it took %v", took)
	}
}

func TestWhatCannotBeReadAfterTheRunIsNotSaidToBeRestored(t *testing.T) {
	m := open(t)
	read := 0
	record := run(t.Context(), t, bent{Mesh: m, objects: func(ctx context.Context) ([]*rules.Object, error) {
		if read++; read > 1 {
			return nil, errors.New("the API server is gone")
		}
		return m.Objects(ctx)
	}}, short, nil)
	if record.Restored || record.Verdict == report.Pass {
		t.Errorf("verdict %s, restored %v", record.Verdict, record.Restored)
	}
	for _, c := range record.Changes {
		if c.Restored || !strings.Contains(c.Proof, "could not be read") {
			t.Errorf("the record of %s says restored %v: %s", c.Object, c.Restored, c.Proof)
		}
	}
}

func TestAMeshThatDoesNotAnswerIsNoRefusal(t *testing.T) {
	for name, b := range map[string]bent{
		"objects": {objects: func(context.Context) ([]*rules.Object, error) { return nil, errors.New("the API server is gone") }},
		"admit":   {admit: func() error { return &mesh.UnansweredError{Err: errors.New("too many requests")} }},
	} {
		t.Run(name, func(t *testing.T) {
			b.Mesh = open(t)
			_, err := runner.Run(t.Context(), b, read(t, short), runner.Options{ID: "test"})
			var refused *runner.RefusedError
			if err == nil || errors.As(err, &refused) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

func TestWhatCannotBeClosedIsNoPass(t *testing.T) {
	record, err := runner.Run(t.Context(), lasting{open(t)}, read(t, short), runner.Options{
		ID: "test", LiveLimit: 4 * time.Second, Close: func() error { return errors.New("the pod meshchaos-client is still there") },
	})
	if err != nil || record.Verdict == report.Pass || record.Restored || len(record.Problems) == 0 {
		t.Errorf("error %v, verdict %s, restored %v, problems %q", err, record.Verdict, record.Restored, record.Against())
	}
}

// lasting is a cluster, which does not go with this process.
type lasting struct{ mesh.Mesh }

func (m lasting) Info() mesh.Info {
	info := m.Mesh.Info()
	info.Ephemeral = false
	return info
}

// meddled runs short while somebody else does something to theirs, once, as the
// fault stands in it.
func meddled(t *testing.T, m mesh.Mesh, meddle func(context.Context, *rules.Object) error) *report.Record {
	t.Helper()
	done := false
	return run(t.Context(), t, bent{Mesh: m, load: func(ctx context.Context, cohorts []mesh.Cohort, guard mesh.Guard, begin func(context.Context) error, observe func(loadgen.Progress)) (map[string]*loadgen.Result, error) {
		objects, err := m.Objects(ctx)
		if err != nil {
			return nil, err
		}
		for _, o := range objects {
			if !done && o.Name == "theirs" && strings.Contains(string(o.Manifest), "fixedDelay") {
				done = true
				if err := meddle(ctx, o); err != nil {
					return nil, err
				}
			}
		}
		return m.Load(ctx, cohorts, guard, begin, observe)
	}}, short, nil)
}

// leftOf is what a record says stood there after the run, of the objects that were not
// what was there before it, in the words of meshtest.InForce; empty: it was gone.
func leftOf(t *testing.T, record *report.Record) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, c := range record.Changes {
		switch {
		case c.Left == nil:
			continue
		case string(c.Left) == "null":
			all[c.Object] = ""
			continue
		}
		o, err := rules.Decode(c.Left)
		if err != nil {
			t.Fatal(err)
		}
		text, err := o.Encode()
		if err != nil {
			t.Fatal(err)
		}
		all[c.Object] = string(text)
	}
	return all
}

func TestWhatSomebodyElseChangedMeanwhileIsLeftAlone(t *testing.T) {
	m := open(t)
	record := meddled(t, m, func(ctx context.Context, o *rules.Object) error {
		other := o.Clone()
		other.Manifest = nil
		other.Spec.(*networking.VirtualService).Http[0].Timeout = durationpb.New(time.Minute)
		_, err := m.Write(ctx, rules.Change{Before: o, After: other})
		return err
	})
	if record.Restored {
		t.Error("the run says that everything is restored")
	}
	const name = "VirtualService/default/theirs"
	now := meshtest.InForce(t, m)[name]
	if !strings.Contains(now, "60s") || !strings.Contains(now, "fixedDelay") {
		t.Errorf("somebody else's change was overwritten: %s", now)
	}
	if left := leftOf(t, record)[name]; left != now {
		t.Errorf("the record says that %s is left, and there is %s", left, now)
	}
}

func TestTheRuleIsTakenOutOfWhatSomebodyElseMadeOfTheObject(t *testing.T) {
	const name = "VirtualService/default/theirs"
	http := func(o *rules.Object) *networking.VirtualService { return o.Spec.(*networking.VirtualService) }
	other := &networking.HTTPRoute{
		Match: []*networking.HTTPMatchRequest{{Uri: &networking.StringMatch{MatchType: &networking.StringMatch_Prefix{Prefix: "/beta"}}}},
		Route: []*networking.HTTPRouteDestination{{Destination: &networking.Destination{Host: "ratings"}}},
	}
	for what, test := range map[string]struct {
		edit  func(*rules.Object) // nil: it is deleted
		left  string              // in force
		proof string
	}{
		"a label": {
			func(o *rules.Object) { o.Labels = map[string]string{"team": "films"} },
			"films", `metadata.labels.team is "films"`,
		},
		"an entry before the run's": {
			func(o *rules.Object) { http(o).Http = slices.Insert(http(o).Http, 0, other) },
			"/beta", `spec.http[0].match[0].uri.prefix is "/beta"`,
		},
		"a deletion": {nil, "", "somebody else deleted it during the run"},
	} {
		t.Run(what, func(t *testing.T) {
			m := open(t)
			record := meddled(t, m, func(ctx context.Context, o *rules.Object) error {
				change := rules.Change{Before: o}
				if test.edit != nil {
					change.After = o.Clone()
					change.After.Manifest = nil
					test.edit(change.After)
				}
				_, err := m.Write(ctx, change)
				return err
			})
			if !record.Restored || record.Verdict == report.Pass {
				t.Errorf("verdict %s, restored %v, %q", record.Verdict, record.Restored, record.Problems)
			}
			for _, c := range record.Changes {
				if c.Object == name && (!c.Restored || !strings.Contains(c.Proof, test.proof)) {
					t.Errorf("the record of theirs is %+v", c)
				}
			}
			now, there := meshtest.InForce(t, m)[name]
			if strings.Contains(now, "fixedDelay") || strings.Contains(now, "meshchaos") || !strings.Contains(now, test.left) || there != (test.edit != nil) {
				t.Errorf("the fault is left, or somebody else's edit is lost: %s", now)
			}
			if diff := cmp.Diff(map[string]string{name: now}, leftOf(t, record)); diff != "" {
				t.Errorf("what is left, and what the record says (-is +said):\n%s", diff)
			}
		})
	}
}

func TestWhatSomebodyElseHasUndoneMeanwhileIsNotLeft(t *testing.T) {
	m := open(t)
	compare := meshtest.Remember(t, m)
	theirs, err := rules.DecodeFile([]byte(owner))
	if err != nil {
		t.Fatal(err)
	}
	record := meddled(t, m, func(ctx context.Context, o *rules.Object) error {
		_, err := m.Write(ctx, rules.Change{Before: o, After: theirs})
		return err
	})
	if !record.Restored || record.Verdict == report.Pass {
		t.Errorf("verdict %s, restored %v, problems %q", record.Verdict, record.Restored, record.Against())
	}
	compare()
}

func TestWhatSomebodyElseMadeFirstIsNoneOfTheRuns(t *testing.T) {
	m := open(t)
	const name = "DestinationRule/default/meshchaos-reviews"
	made := false
	record := run(t.Context(), t, bent{Mesh: m, write: func(ctx context.Context, c rules.Change) (*rules.Object, error) {
		if !made && c.Ref().String() == name {
			made = true
			other := c.After.Clone()
			other.Manifest, other.Labels = nil, map[string]string{"run": "another"}
			if _, err := m.Write(ctx, rules.Change{After: other}); err != nil {
				return nil, err
			}
		}
		return m.Write(ctx, c)
	}}, short, nil)
	if !record.Restored || record.Verdict == report.Pass || len(record.Changes) != 0 {
		t.Errorf("verdict %s, restored %v, changes %v", record.Verdict, record.Restored, record.Changes)
	}
	if now := meshtest.InForce(t, m)[name]; !strings.Contains(now, "another") {
		t.Errorf("somebody else's object was taken away: %s", now)
	}
}

func TestAMovedResourceVersionAloneIsNoConflict(t *testing.T) {
	m := open(t)
	compare := meshtest.Remember(t, m)
	record := run(t.Context(), t, bent{Mesh: m, load: func(ctx context.Context, cohorts []mesh.Cohort, guard mesh.Guard, begin func(context.Context) error, observe func(loadgen.Progress)) (map[string]*loadgen.Result, error) {
		objects, err := m.Objects(ctx)
		if err != nil {
			return nil, err
		}
		for _, o := range objects { // as a status writer does
			if _, err := m.Write(ctx, rules.Change{Before: o, After: o}); err != nil {
				return nil, err
			}
		}
		return m.Load(ctx, cohorts, guard, begin, observe)
	}}, short, nil)
	if record.Verdict != report.Pass || !record.Restored {
		t.Errorf("verdict %s, restored %v, problems %q", record.Verdict, record.Restored, record.Against())
	}
	compare()
}

func TestAFailedStepEndsTheRun(t *testing.T) {
	m := open(t)
	compare := meshtest.Remember(t, m)
	record := run(t.Context(), t, m, strings.Replace(short, "pages.min >= 50ms", "pages.min >= 50s", 1), nil)
	if record.Verdict != report.Fail || !record.Restored {
		t.Errorf("verdict %s, restored %v", record.Verdict, record.Restored)
	}
	var windows []string
	for _, w := range record.Windows {
		windows = append(windows, w.Name+" "+w.Step)
	}
	if diff := cmp.Diff([]string{"baseline ", "during slow", "recovery "}, windows); diff != "" {
		t.Errorf("the windows differ (-want +got):\n%s", diff)
	}
	compare()
}

func TestSubsetsAreWrittenBeforeTheRoutesThatNameThem(t *testing.T) {
	m := open(t)
	var writes []string
	b := bent{Mesh: m, write: func(ctx context.Context, c rules.Change) (*rules.Object, error) {
		verb := "writes "
		if c.After == nil {
			verb = "deletes "
		}
		writes = append(writes, verb+c.Ref().Kind+" "+c.Ref().Name)
		return m.Write(ctx, c)
	}}
	// With time enough that no deletion is taken for one that was lost, and written again.
	if _, err := runner.Run(t.Context(), b, read(t, short), runner.Options{ID: "test", LiveLimit: 2 * time.Minute}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"writes DestinationRule meshchaos-reviews", "writes VirtualService meshchaos-reviews",
		"writes VirtualService theirs",
		"writes DestinationRule meshchaos-reviews", "writes VirtualService meshchaos-reviews",
		"writes VirtualService meshchaos-reviews", "writes VirtualService theirs", "writes DestinationRule meshchaos-reviews",
		"deletes VirtualService meshchaos-reviews", "deletes DestinationRule meshchaos-reviews",
	}
	if diff := cmp.Diff(want, writes); diff != "" {
		t.Errorf("the writes differ (-want +got):\n%s", diff)
	}
}

func TestARunWhoseRulesAreInForceAlreadyIsRefused(t *testing.T) {
	services, err := embedded.Services("bookinfo")
	if err != nil {
		t.Fatal(err)
	}
	plan := func(text string, objects []*rules.Object) ([]runner.Stage, error) {
		return runner.Plan(runner.Site{Namespace: "default", Services: services, Objects: objects}, read(t, text), "t")
	}
	stages, err := plan(short, nil)
	if err != nil {
		t.Fatal(err)
	}
	var inForce []*rules.Object
	for _, stage := range stages[:2] {
		for _, change := range stage.Changes {
			inForce = rules.Put(inForce, change.After)
		}
	}
	if _, err := plan(short, inForce); err == nil || !strings.Contains(err.Error(), `all that the step "slow" applies is in force already`) {
		t.Errorf("the error is %v", err)
	}
	same := strings.ReplaceAll(short, "{v2: 50, v3: 50}", "v2")
	if _, err := plan(same, inForce); err == nil || !strings.Contains(err.Error(), "all that is applied is in force already") {
		t.Errorf("the error is %v", err)
	}
	if _, err := plan(same, nil); err != nil {
		t.Errorf("a later step may repeat what is given: %v", err)
	}
}

func TestWhatTheMeshRefusesIsRefusedBeforeTheFirstWrite(t *testing.T) {
	m := open(t)
	written := false
	b := bent{Mesh: m, write: func(ctx context.Context, c rules.Change) (*rules.Object, error) {
		written = true
		return m.Write(ctx, c)
	}}
	text := strings.Replace(short, "- route: {service: reviews, to: {v2: 50, v3: 50}}", `- {apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: details}, spec: {hosts: [details], http: [{corsPolicy: {allowCredentials: true}, route: [{destination: {host: details}}]}]}}`, 1)
	_, err := runner.Run(t.Context(), b, read(t, text), runner.Options{ID: "test"})
	var refused *runner.RefusedError
	if !errors.As(err, &refused) || !strings.Contains(err.Error(), "corsPolicy") || written {
		t.Errorf("error %v, written %v", err, written)
	}
}
