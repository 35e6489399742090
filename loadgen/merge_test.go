package loadgen

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// What ten senders have seen comes to what one recorder has of all of their requests: each
// count of each histogram, each slot, each outcome, though each result has crossed the wire.
func TestTheMergedResultOfSendersIsThatOfOne(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	rapid.Check(t, func(t *rapid.T) {
		plan := Plan{HTTP: get("http://127.0.0.1:1/"), Connections: 10, Senders: 10, QPS: 100}
		if rapid.Bool().Draw(t, "list") {
			plan.HTTP, plan.Send = nil, []Request{{Name: "read", HTTP: *plan.HTTP}, {Name: "write", HTTP: *plan.HTTP}}
		}
		plan.NotOK = rapid.Bool().Draw(t, "notOK")
		if rapid.Bool().Draw(t, "closed") {
			plan.QPS = 0
		}
		lasts := rapid.Int64Range(1, int64(10*time.Minute)).Draw(t, "lasts")
		whole := newRecorder(plan, start)
		each := make([]*recorder, plan.Senders)
		for i := range each {
			each[i] = newRecorder(plan, start)
		}
		for i := range rapid.IntRange(0, 200).Draw(t, "requests") {
			e := drawnEnded(t, start, lasts, i)
			if len(plan.Send) > 0 {
				e.request = int16(rapid.IntRange(0, len(plan.Send)-1).Draw(t, "request"))
			}
			whole.record(e)
			each[rapid.IntRange(0, 9).Draw(t, "sender")].record(e)
		}
		want := resultOf(t, plan, whole)
		var parts []SenderResult
		for i, r := range each {
			part := plan.Parts()[i]
			result := resultOf(t, part, r)
			want.Senders = append(want.Senders, Sender{Name: "one", Sent: result.Sent, Late: result.Late})
			parts = append(parts, SenderResult{Name: "one", Result: result})
		}
		merged, err := plan.Merge(parts)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(written(t, want), written(t, merged)); diff != "" {
			t.Error(diff)
		}
	})
}

func newRecorder(plan Plan, start time.Time) *recorder {
	return &recorder{open: plan.Open(), apart: plan.NotOK, of: make([]times, len(plan.Send)), slots: slots{start: start}}
}

// drawnEnded is a request of a hundred ways to end. No two take as long, or it would be a
// matter of taste which took longest.
func drawnEnded(t *rapid.T, start time.Time, lasts int64, i int) *ended {
	intended := start.Add(time.Duration(rapid.Int64Range(0, lasts).Draw(t, "intended")))
	begun := intended.Add(time.Duration(rapid.Int64Range(0, int64(30*time.Millisecond)).Draw(t, "lag")))
	took := time.Duration(rapid.Int64Range(31, 60_000).Draw(t, "took"))*time.Millisecond + time.Duration(i)
	id := new(requestID)
	copy(id[:], time.Duration(i).String())
	e := &ended{id: id, from: "127.0.0.1:1", free: start, intended: intended, begun: begun, at: intended.Add(took), opened: int64(i % 2)}
	if rapid.Bool().Draw(t, "gRPC") {
		e.grpc, e.message = rapid.SampledFrom([]string{"OK", "UNAVAILABLE"}).Draw(t, "code"), rapid.SampledFrom([]string{"", "away"}).Draw(t, "message")
		return e
	}
	e.status, e.err = rapid.IntRange(200, 245).Draw(t, "status"), rapid.SampledFrom([]string{"", "", ErrorTimeout, ErrorCanceled}).Draw(t, "error")
	return e
}

// resultOf is what a cohort makes of a recorder, over the wire.
func resultOf(t *rapid.T, plan Plan, rec *recorder) *Result {
	r := &Result{Started: rec.slots.start, Connections: plan.Connections}
	rec.fill(r, &plan, &matcher{})
	r.TargetQPS = plan.Asked(0)
	if r.Series = rec.series(); plan.Sender > 0 {
		r.Series = rec.partOfSeries()
	}
	read := new(Result)
	if err := json.Unmarshal(written(t, r), read); err != nil {
		t.Fatal(err)
	}
	return read
}

func written(t *rapid.T, r *Result) []byte {
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// What fell to a sender that is lost is missed, and it is named.
func TestThePartOfALostSenderIsMissed(t *testing.T) {
	result := func(elapsed time.Duration) *Result {
		return &Result{Elapsed: Duration{elapsed}, Sent: 10, Response: &Histogram{}, Service: &Histogram{}}
	}
	for _, tt := range []struct {
		name   string
		plan   Plan
		others *Result
		missed int64
	}{
		{"of an open loop what was due until the load ended", Plan{QPS: 100, Duration: Duration{10 * time.Second}}, result(3 * time.Second), 100},
		{"and no more than it had to send", Plan{QPS: 100, Requests: 30}, result(3 * time.Second), 10},
		{"of one whose senders are all lost all that they had", Plan{QPS: 100, Duration: Duration{3 * time.Second}}, nil, 300},
		{"of a closed loop all that its connections were to send", Plan{Requests: 31}, result(time.Second), 11},
		{"of one that time ends nobody knows how many", Plan{Duration: Duration{time.Second}}, result(time.Second), 0},
	} {
		tt.plan.HTTP, tt.plan.Connections, tt.plan.Senders = get("http://127.0.0.1:1/"), 3, 3
		parts := []SenderResult{{Name: "a", Lost: "killed"}, {Name: "b", Result: tt.others}, {Name: "c", Result: tt.others}}
		if tt.others == nil {
			parts[1].Lost, parts[2].Lost = "killed", "killed"
		}
		r, err := tt.plan.Merge(parts)
		if err != nil {
			t.Fatal(err)
		}
		if r.Missed != tt.missed || r.Senders[0].Name != "a" || r.Senders[0].Lost != "killed" || r.Senders[0].Sent != 0 || tt.others != nil && (r.Senders[0].Missed != tt.missed || r.Sent != 20 || r.Senders[1].Sent != 10 || r.Senders[1].Lost != "") {
			t.Errorf("%s: %d missed, of %+v", tt.name, r.Missed, r.Senders)
		}
	}
}

// Of a load whose senders are all lost it is known by which seed they were to draw.
func TestASeedIsThatOfThePlanWhereNobodyTellsIt(t *testing.T) {
	plan := Plan{HTTP: get("http://127.0.0.1:1/"), QPS: 100, Duration: Duration{time.Second}, Arrival: ArrivalPoisson, Seed: 7, Connections: 2, Senders: 2}
	r, err := plan.Merge([]SenderResult{{Name: "a", Lost: "killed"}, {Name: "b", Lost: "killed"}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Seed != 7 || r.Sent != 0 || r.Missed != plan.Owed(time.Second, 7) {
		t.Errorf("seed %d, %d sent, %d missed of %d", r.Seed, r.Sent, r.Missed, plan.Owed(time.Second, 7))
	}
}

// A sender that could tell what it had sent before it ended has missed the rest.
func TestWhatALostSenderHasToldOfIsNotMissed(t *testing.T) {
	plan := Plan{HTTP: get("http://127.0.0.1:1/"), QPS: 100, Duration: Duration{10 * time.Second}, Connections: 3, Senders: 3}
	result := func(elapsed time.Duration, sent, missed int64) *Result {
		return &Result{Elapsed: Duration{elapsed}, Sent: sent, Missed: missed, Response: &Histogram{}, Service: &Histogram{}}
	}
	r, err := plan.Merge([]SenderResult{{Name: "a", Result: result(time.Second, 30, 3), Lost: "told to end"}, {Name: "b", Result: result(3*time.Second, 100, 0)}, {Name: "c", Result: result(3*time.Second, 98, 2)}})
	if err != nil {
		t.Fatal(err)
	}
	want := []Sender{{Name: "a", Sent: 30, Missed: 70, Lost: "told to end"}, {Name: "b", Sent: 100}, {Name: "c", Sent: 98, Missed: 2}}
	if r.Sent != 228 || r.Missed != 72 || !slices.Equal(r.Senders, want) {
		t.Errorf("%d sent and %d missed, of %+v", r.Sent, r.Missed, r.Senders)
	}
}

func TestPartsThatDoNotFitAreNotMerged(t *testing.T) {
	plan := Plan{HTTP: get("http://127.0.0.1:1/"), Connections: 2, Senders: 2}
	one := func() *Result { return &Result{Engine: EngineEpoll, Response: &Histogram{}, Service: &Histogram{}} }
	other := one()
	other.Engine = EngineNetHTTP
	bare := one()
	bare.Series = &Series{Width: Duration{narrowest}, Begun: []int64{1}}
	narrow := one()
	narrow.Series = &Series{Width: Duration{3 * narrowest}, Begun: []int64{1}, Responses: []string{""}}
	foreign := one()
	foreign.Times = []TimesOf{{Request: "login", Response: &Histogram{}, Service: &Histogram{}}}
	for name, parts := range map[string][]SenderResult{
		"one is missing":                 {{Result: one()}},
		"two engines":                    {{Result: one()}, {Result: other}},
		"a series without histograms":    {{Result: one()}, {Result: bare}},
		"slots that are no power of two": {{Result: one()}, {Result: narrow}},
		"times of a list that is none":   {{Result: one()}, {Result: foreign}},
	} {
		if _, err := plan.Merge(parts); err == nil {
			t.Errorf("%s: they are merged", name)
		}
	}
}
