package loadgen

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// wholeResult is what a sender may have seen, with every field set, and of a list with
// every field set in some entry.
func wholeResult(plan *Plan) *Result {
	rec := newRecorder(*plan, time.Unix(1_700_000_000, 0).UTC())
	for i, how := range []reply{{status: 503}, {err: ErrorTimeout}, {grpc: "UNAVAILABLE", message: "nobody is there"}} {
		begun := rec.slots.start.Add(time.Duration(i+1) * time.Second)
		id := newRequestID()
		rec.record(&ended{reply: how, id: &id, from: "127.0.0.1:4711", free: rec.slots.start, intended: begun.Add(-time.Second), begun: begun, at: begun.Add(time.Second), opened: 1})
	}
	r := &Result{
		Started: rec.slots.start, Elapsed: Duration{4 * time.Second}, Engine: EngineEpoll, Planned: plan.Requests, Setup: 3, Warmup: 5,
		Connections: plan.Connections, Grown: 7, Dialed: 11, Rate: plan.Rate, Seed: plan.Seed, Missed: 13, Failure: "nobody answers", Other: "the host is unknown", Aborted: true,
		Refusal: &Refusal{Kind: RefusedUntrusted, Words: "nobody knows who has signed it"},
	}
	rec.fill(r, plan, &matcher{})
	r.Outcomes[0].Checks, r.Outcomes[0].Version = []string{"paid"}, "v1"
	r.TargetQPS = plan.Asked(r.LastBegun.Duration)
	r.Series = rec.partOfSeries()
	return r
}

// unset are the fields that nothing is in, of a list those that nothing is in of any entry.
func unset(at string, values ...reflect.Value) (paths []string) {
	var set []reflect.Value
	for _, v := range values {
		for v.Kind() == reflect.Pointer && !v.IsNil() {
			v = v.Elem()
		}
		if !v.IsZero() {
			set = append(set, v)
		}
	}
	if len(set) == 0 {
		return []string{at}
	}
	switch of := set[0].Type(); {
	case of == reflect.TypeFor[Histogram](), of == reflect.TypeFor[time.Time](), of == reflect.TypeFor[Duration]():
	case of.Kind() == reflect.Struct:
		for i := range of.NumField() {
			var all []reflect.Value
			for _, v := range set {
				all = append(all, v.Field(i))
			}
			paths = append(paths, unset(at+"."+of.Field(i).Name, all...)...)
		}
	case of.Kind() == reflect.Slice:
		var all []reflect.Value
		for _, v := range set {
			for i := range v.Len() {
				all = append(all, v.Index(i))
			}
		}
		paths = unset(at+"[]", all...)
	}
	return paths
}

// alikeHistograms holds histograms against each other count by count.
var alikeHistograms = cmp.Comparer(func(a, b *Histogram) bool {
	return (a == nil) == (b == nil) && (a == nil || a.IsSum([]*Histogram{b}))
})

// Whatever a sender has seen stands in the merged result. A field that is new is known to
// neither this test nor Merge: set it in wholeResult, have Merge add it up, or refuse it.
func TestEveryFieldOfAResultIsMerged(t *testing.T) {
	plan := Plan{
		Send: []Request{{Name: "read", HTTP: *get("http://127.0.0.1:1/"), Weight: 1}}, Connections: 2, Senders: 2, Requests: 300, NotOK: true, Seed: 17,
		Rate: []RatePoint{{QPS: 10}, {At: Duration{time.Second}, QPS: 20}},
	}
	sent := wholeResult(&plan)
	if paths := unset("Result", reflect.ValueOf(sent)); !slices.Equal(paths, []string{"Result.Senders"}) {
		t.Errorf("nothing is in %v; set it in wholeResult, of all but the senders", paths)
	}
	text, err := json.Marshal(sent)
	if err != nil {
		t.Fatal(err)
	}
	read := new(Result)
	if err := json.Unmarshal(text, read); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sent, read, alikeHistograms); diff != "" {
		t.Errorf("what an agent tells is not what is read of it:\n%s", diff)
	}
	merged, err := plan.Merge([]SenderResult{{Name: "a", Result: read}, {Name: "b", Lost: "killed"}})
	if err != nil {
		t.Fatal(err)
	}
	if paths := unset("Sender", reflect.ValueOf(merged.Senders[0]), reflect.ValueOf(merged.Senders[1])); len(paths) > 0 {
		t.Errorf("nothing is in %v", paths)
	}
	fell := merged.Senders[1].Missed
	want := wholeResult(&plan)
	for i, o := range sent.Outcomes { // of which each has an id of its own
		want.Outcomes[i].Slowest = o.Slowest
	}
	want.Missed, want.Failure, want.Series.Responses = want.Missed+fell, "a: "+want.Failure, nil
	want.Senders = []Sender{{Name: "a", Sent: 3, Late: 3, Missed: 13}, {Name: "b", Missed: fell, Lost: "killed"}}
	if diff := cmp.Diff(want, merged, alikeHistograms); diff != "" || fell == 0 {
		t.Errorf("a sender has seen what another load has, of which %d fell to one that is lost:\n%s", fell, diff)
	}
}

// Each field of a plan is either that of all its parts, or is shared among them. One that
// is new belongs in one of these lists, and in Plan.part where it is shared.
func TestEveryFieldOfAPlanIsSharedOrTheSame(t *testing.T) {
	shared := []string{"Connections", "MaxConnections", "Requests", "Warmup"}
	same := []string{
		"Engine", "HTTP", "TCP", "GRPC", "Send", "Values", "Think", "Duration", "QPS", "Rate", "Arrival", "Seed", "Timeout", "TLS", "Checks", "Versions", "Senders", "While",
		"Prime", "AllowInitialErrors", "NoCatchUp", "Jitter", "NotOK", "AbortOn",
	}
	plan := Plan{
		HTTP: get("http://127.0.0.1:1/"), Connections: 20, MaxConnections: 40, Requests: 101, Warmup: 31, QPS: 100, Senders: 3, Seed: 17, Arrival: ArrivalPoisson,
	}
	whole := reflect.ValueOf(plan)
	for i := range whole.NumField() {
		name := whole.Type().Field(i).Name
		sum := int64(0)
		for _, part := range plan.Parts() {
			own := reflect.ValueOf(part.part()).Field(i)
			if slices.Contains(shared, name) {
				sum += own.Int()
			} else if name != "Sender" && !reflect.DeepEqual(own.Interface(), whole.Field(i).Interface()) {
				t.Errorf("%s is %v of all, and %v of sender %d", name, whole.Field(i), own, part.Sender)
			}
		}
		switch {
		case slices.Contains(shared, name):
			if sum != whole.Field(i).Int() {
				t.Errorf("%s is %v, and of the parts together %d", name, whole.Field(i), sum)
			}
		case name != "Sender" && !slices.Contains(same, name):
			t.Errorf("whether the senders of a load share its %s is not known", name)
		}
	}
}
