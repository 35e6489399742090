package runner_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/mesh/embedded"
	"github.com/meshchaos/meshchaos/internal/mesh/meshtest"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/report"
)

// crowded delays two services of one port, which only the route's name in the
// access log tells apart.
const crowded = `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: crowded}
spec:
  app: bookinfo
  apply:
    - fault: {service: ratings, delay: 20ms}
    - fault: {service: details, delay: 20ms}
  load:
    pages: {get: "http://productpage:9080/productpage", connections: 2, requests: 20}
  expect:
    - pages.status[200] == pages.sent
    - faults(details) == pages.sent
`

// unlogged is an embedded mesh that logs nothing until it is told to.
func unlogged(t *testing.T, app string) mesh.Mesh {
	t.Helper()
	m, err := embedded.Open(t.Context(), embedded.Options{App: app, Seed: 1, NoAccessLog: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return m
}

func runWith(t *testing.T, m mesh.Mesh, o runner.Options) *report.Record {
	t.Helper()
	o.ID, o.LiveLimit = "test", 4*time.Second
	record, err := runner.Run(t.Context(), m, read(t, crowded), o)
	if err != nil {
		t.Fatal(err)
	}
	return record
}

func telemetries(r *report.Record) (changes []report.Change) {
	for _, c := range r.Changes {
		if strings.HasPrefix(c.Object, rules.Telemetry+"/") {
			changes = append(changes, c)
		}
	}
	return changes
}

func TestAccessLogsThatAreOffAreSwitchedOnAndOffAgain(t *testing.T) {
	t.Parallel()
	m := unlogged(t, "bookinfo")
	before := meshtest.InForce(t, m)
	record := runWith(t, m, runner.Options{})
	changes := telemetries(record)
	if record.Verdict != report.Pass || len(changes) != 1 || changes[0].Action != "created" || len(changes[0].LiveIn) == 0 || !changes[0].Restored {
		t.Errorf("verdict %s, changes of logs %+v, problems %q, %+v", record.Verdict, changes, record.Against(), record.Expectations)
	}
	if after := meshtest.InForce(t, m); len(after) != len(before) {
		t.Errorf("left in force: %v", after)
	}
	if calls := record.Windows[1].Calls; len(calls) == 0 || calls[0].Call == nil || len(calls[0].Call.Calls) == 0 {
		t.Errorf("the calls are %+v", calls)
	}
}

func TestSomebodyElsesTelemetryIsEditedAndPutBack(t *testing.T) {
	t.Parallel()
	m := unlogged(t, "bookinfo")
	theirs, err := rules.Decode([]byte(`{"apiVersion":"telemetry.istio.io/v1","kind":"Telemetry","metadata":{"name":"theirs","namespace":"default","labels":{"team":"books"}},` +
		`"spec":{}}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Write(t.Context(), rules.Change{After: theirs}); err != nil {
		t.Fatal(err)
	}
	before := meshtest.InForce(t, m)
	record := runWith(t, m, runner.Options{})
	if changes := telemetries(record); record.Verdict != report.Pass || len(changes) != 1 || changes[0].Action != "updated" || changes[0].Object != "Telemetry/default/theirs" {
		t.Errorf("verdict %s, changes of logs %+v, problems %q", record.Verdict, changes, record.Against())
	}
	for ref, text := range meshtest.InForce(t, m) {
		if before[ref] != text {
			t.Errorf("%s is now %s", ref, text)
		}
	}
}

func TestWithoutAccessLogsWhatOnlyTheyTellIsUnknown(t *testing.T) {
	t.Parallel()
	for name, one := range map[string]struct {
		options runner.Options
		bend    func(mesh.Mesh) mesh.Mesh
		warning string
	}{
		"forbidden":        {options: runner.Options{NoAccessLog: true}},
		"the mesh refuses": {bend: func(m mesh.Mesh) mesh.Mesh { return refusing{m} }, warning: "the access logs stay off, and the evidence has to come from elsewhere: no Telemetry here"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := unlogged(t, "bookinfo")
			if one.bend != nil {
				m = one.bend(m)
			}
			record := runWith(t, m, one.options)
			if len(telemetries(record)) > 0 || !record.Restored {
				t.Errorf("changes of logs %+v, restored %v", telemetries(record), record.Restored)
			}
			if warnings := strings.Join(record.Warnings, "\n"); one.warning != "" && !strings.Contains(warnings, one.warning) {
				t.Errorf("warnings %q", warnings)
			}
			for _, q := range record.Windows[1].Quantities {
				if q.Value == nil && q.Absent == "" || q.Value != nil && *q.Value == 0 {
					t.Errorf("%+v", q)
				}
			}
			for _, b := range record.Windows[1].Bites {
				if b.Count != nil && *b.Count == 0 {
					t.Errorf("what is not known to bite is said not to: %+v", b)
				}
			}
			if len(record.Windows[1].Calls) > 0 && record.Windows[1].Calls[0].Call != nil {
				t.Error("a call is explained without a log")
			}
		})
	}
}

// refusing is a mesh that takes no Telemetry.
type refusing struct{ mesh.Mesh }

func (r refusing) Admit(ctx context.Context, objects []*rules.Object) error {
	for _, o := range objects {
		if o.Kind == rules.Telemetry {
			return errors.New("no Telemetry here")
		}
	}
	return r.Mesh.Admit(ctx, objects)
}

// A rule that somebody changes and changes back within a window is as it was at
// its end.
func TestARuleThatIsChangedAndChangedBackIsSeen(t *testing.T) {
	t.Parallel()
	m := open(t)
	var meddled bool
	record := run(t.Context(), t, m, short, func(e runner.Event) {
		if meddled || !strings.Contains(e.Phase, "load of step slow") {
			return
		}
		meddled = true
		objects, err := m.Objects(context.Background())
		if err != nil {
			t.Error(err)
		}
		for _, o := range objects {
			if o.Name != "theirs" {
				continue
			}
			other := o.Clone()
			other.Spec.(*networking.VirtualService).Http[0].Timeout = durationpb.New(time.Minute)
			written, err := m.Write(context.Background(), rules.Change{Before: o, After: other})
			if err == nil {
				_, err = m.Write(context.Background(), rules.Change{Before: written, After: o})
			}
			if err != nil {
				t.Error(err)
			}
		}
	})
	if !meddled || record.Verdict == report.Pass || !strings.Contains(strings.Join(record.Against(), "\n"), "theirs was changed by somebody else meanwhile, and changed back") {
		t.Errorf("verdict %s, problems %q", record.Verdict, record.Against())
	}
	if !record.Restored {
		t.Error("it is not as it was")
	}
}
