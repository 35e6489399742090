package evidence

import (
	"slices"
	"testing"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/loadgen"
)

// jasonsGone is the entry for jason that a change took away, of which one for all
// requests is left, or two of which one is for jason alone.
func jasonsGone(t *testing.T, narrow bool) rules.Part {
	t.Helper()
	entry := func(mark string, of ...*networking.HTTPMatchRequest) *networking.HTTPRoute {
		return &networking.HTTPRoute{Name: mark, Match: of, Route: []*networking.HTTPRouteDestination{{Destination: &networking.Destination{Host: "web"}}}}
	}
	exactly := func(text string) *networking.StringMatch {
		return &networking.StringMatch{MatchType: &networking.StringMatch_Exact{Exact: text}}
	}
	jasons := &networking.HTTPMatchRequest{Headers: map[string]*networking.StringMatch{"end-user": exactly("jason")}}
	before, after := faultOn("web"), faultOn("web")
	was := entry("", jasons)
	was.Fault = before.Spec.(*networking.VirtualService).Http[0].Fault
	before.Spec.(*networking.VirtualService).Http = []*networking.HTTPRoute{was, entry("")}
	after.Spec.(*networking.VirtualService).Http = []*networking.HTTPRoute{entry(webMark)}
	if narrow {
		behind := entry(otherMark, jasons)
		before.Spec.(*networking.VirtualService).Http = append(before.Spec.(*networking.VirtualService).Http[:1], behind, entry(""))
		after.Spec.(*networking.VirtualService).Http = []*networking.HTTPRoute{behind, entry(webMark)}
	}
	parts := rules.Follow(nil, "step", rules.Change{Before: before, After: after})
	i := slices.IndexFunc(parts, func(p rules.Part) bool { return p.Kind == rules.PartTakenEntry })
	if i < 0 {
		t.Fatalf("nothing is taken away: %v", parts)
	}
	return parts[i]
}

func TestRequestsThatNoEntryTakesAnyMore(t *testing.T) {
	only := faultOn("web")
	only.Spec.(*networking.VirtualService).Http = []*networking.HTTPRoute{{
		Name: webMark, Match: []*networking.HTTPMatchRequest{{Headers: map[string]*networking.StringMatch{"end-user": {}}}},
		Route: []*networking.HTTPRouteDestination{{Destination: &networking.Destination{Host: "web"}}},
	}}
	parts := rules.Follow(nil, "step", rules.Change{After: only})
	rest := parts[len(parts)-1]
	nobody := func(e *envoy.LogEntry) {
		e.Route, e.Cluster, e.Upstream, e.Status, e.Flags = "", "", "", 404, []string{"NR"}
	}
	byItself := func(e *envoy.LogEntry) { e.Route = "default" }
	inbound := func(e *envoy.LogEntry) { e.Cluster = "inbound|8080||" }
	for name, test := range map[string]struct {
		line envoy.LogEntry
		want int64
	}{
		"by the entry":                   {entry(1, by(webMark)), 0},
		"by none":                        {entry(1, nobody), 1},
		"by none, to another host":       {entry(1, nobody, func(e *envoy.LogEntry) { e.Authority = "other:8000" }), 0},
		"of a workload without entries":  {entry(1, byItself), 0},
		"as it comes to the host itself": {entry(1, inbound), 0},
	} {
		s := newScene()
		before, after := s.snapshots()
		o := Observed{Namespace: "shop", Before: before, After: after, Services: shop, Log: s.log(map[string][]envoy.LogEntry{"caller": {test.line}})}
		w := Read(o)
		w.incomplete = map[string]error{}
		if b := w.Bites([]rules.Part{rest})[0]; rest.Kind != rules.PartLockedOut || b.Count == nil || *b.Count != test.want {
			t.Errorf("%s: got %+v, count %v, not %v", name, b, deref(b.Count), test.want)
		}
	}
}

func TestWhatWouldHaveMetAnEntryThatIsGone(t *testing.T) {
	cohort := func(user string) mesh.Cohort {
		return mesh.Cohort{Name: user, From: mesh.FromClient, Plan: loadgen.Plan{HTTP: &loadgen.HTTP{URL: "http://web:8000/", Header: map[string]string{"end-user": user}}}}
	}
	loads := map[string]*loadgen.Result{"jason": {Sent: 7}, "anna": {Sent: 3}}
	const unknown = -1
	for name, test := range map[string]struct {
		client  bool // the caller is the load
		cohorts []mesh.Cohort
		narrow  bool
		lines   []envoy.LogEntry // nil: the logs are not read
		want    int64
	}{
		"its user is among the load":          {true, []mesh.Cohort{cohort("jason"), cohort("anna")}, false, nil, 7},
		"its user is not":                     {true, []mesh.Cohort{cohort("anna")}, false, nil, 0},
		"others ask, of whom nothing is read": {false, []mesh.Cohort{cohort("jason")}, false, nil, unknown},
		"others ask, of whom nothing tells":   {false, nil, false, times(10, entry(1, by(webMark))), unknown},
		"others ask by another rule":          {false, nil, false, times(10, entry(1, by(otherMark))), 0},
		"others ask as its user does":         {false, nil, true, append(times(8, entry(1, by(webMark))), times(2, entry(1, by(otherMark)))...), 2},
		"others ask otherwise":                {false, nil, true, times(10, entry(1, by(webMark))), 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene()
			for _, readings := range []map[string]*reading{s.before, s.after} {
				readings["caller"].proxy.Client = test.client
			}
			before, after := s.snapshots()
			o := Observed{Namespace: "shop", Before: before, After: after, Services: shop, Cohorts: test.cohorts, Loads: loads}
			if test.lines != nil {
				o.Log = s.log(map[string][]envoy.LogEntry{"caller": test.lines})
			}
			b := whole(o).Bites([]rules.Part{jasonsGone(t, test.narrow)})[0]
			if got := deref(b.Count); (test.want == unknown) != (b.Count == nil) || b.Count != nil && *b.Count != test.want {
				t.Errorf("got %+v, count %v, not %v", b, got, test.want)
			}
		})
	}
}
