package verdict

import (
	"fmt"
	"slices"

	"github.com/meshchaos/meshchaos/loadgen"
)

// requestsUnlike is where what is known of the requests of a list contradicts the plan, or
// what is known of all of them together; empty: nowhere.
func requestsUnlike(plan loadgen.Plan, l *loadgen.Result) string {
	if len(l.Times) != len(plan.Send) {
		return fmt.Sprintf(".times has %d entries, and the scenario in the report has a list of %d requests", len(l.Times), len(plan.Send))
	}
	for i, o := range l.Outcomes {
		if known := slices.ContainsFunc(plan.Send, func(r loadgen.Request) bool { return r.Name == o.Request }); known != (len(plan.Send) > 0) || !known && o.Request != "" {
			return fmt.Sprintf(".outcomes[%d].request is %q, which the scenario in the report has not", i, o.Request)
		}
	}
	if len(plan.Send) == 0 {
		return ""
	}
	for i, r := range plan.Send {
		of := l.Of(r.Name)
		ended := of.Sent - of.Count(func(o loadgen.Outcome) bool { return o.Error == loadgen.ErrorCanceled })
		switch t := l.Times[i]; {
		case t.Request != r.Name:
			return fmt.Sprintf(".times[%d].request is %q, and the scenario in the report has %q there", i, t.Request, r.Name)
		case t.Response.Count() != ended, t.Service.Count() != ended:
			return fmt.Sprintf(".times[%d] is of %d requests, and of the outcomes %d are of %s and were not canceled", i, t.Response.Count(), ended, r.Name)
		case l.Lag.Count() > 0 && t.Lag.Count() != of.Sent:
			return fmt.Sprintf(".times[%d].lag is of %d requests, and %d of %s were sent", i, t.Lag.Count(), of.Sent, r.Name)
		}
	}
	if wrong := timesUnlikeWhole(l); wrong != "" {
		return wrong
	}
	if plan.Drawn() {
		return drawingUnlike(plan, l)
	}
	return turnsUnlike(plan, l)
}

// timesUnlikeWhole holds the times of the requests of a list against those of all.
func timesUnlikeWhole(l *loadgen.Result) string {
	for _, of := range []struct {
		name  string
		whole *loadgen.Histogram
		part  func(loadgen.TimesOf) *loadgen.Histogram
	}{
		{"response", l.Response, func(t loadgen.TimesOf) *loadgen.Histogram { return t.Response }},
		{"service", l.Service, func(t loadgen.TimesOf) *loadgen.Histogram { return t.Service }},
		{"lag", l.Lag, func(t loadgen.TimesOf) *loadgen.Histogram { return t.Lag }},
	} {
		var parts []*loadgen.Histogram
		for _, t := range l.Times {
			parts = append(parts, of.part(t))
		}
		if !of.whole.IsSum(parts) {
			return fmt.Sprintf(".times do not add up to .%s", of.name)
		}
	}
	return ""
}

// drawingUnlike holds how many there are of each request against what the seed draws: of a
// load that its number of requests has ended, that is known.
func drawingUnlike(plan loadgen.Plan, l *loadgen.Result) string {
	if l.Planned == 0 || l.Sent != l.Planned {
		return ""
	}
	for i, n := range plan.Drawing(l.Planned, l.Seed) {
		if of := l.Of(plan.Send[i].Name); of.Sent != n {
			return fmt.Sprintf(".outcomes has %d of %s, and of %d requests the seed %d draws %d", of.Sent, plan.Send[i].Name, l.Planned, l.Seed, n)
		}
	}
	return ""
}

// turnsUnlike holds how many there are of each request against how many there are of the one
// before it: each connection sends them in turn, and begins anew behind one that took
// nothing. Only its last one is not followed by any.
func turnsUnlike(plan loadgen.Plan, l *loadgen.Result) string {
	connections := int64(l.Connections + l.Grown)
	begins := int64(0) // how often the list was gone through, to its end or as far as there was nothing to take
	for i, r := range plan.Send {
		of := l.Of(r.Name)
		goesOn := of.Sent
		if r.Take != nil {
			goesOn -= of.Count(loadgen.Outcome.Failed)
		}
		begins += of.Sent - goesOn
		if i == len(plan.Send)-1 {
			begins += goesOn
			break
		}
		if next := l.Of(plan.Send[i+1].Name).Sent; next > goesOn || next < goesOn-connections {
			return fmt.Sprintf(".outcomes has %d of %s, and %d of %s before it, of which %d could be followed by it, over %d connections", next, plan.Send[i+1].Name, of.Sent, r.Name, goesOn, connections)
		}
	}
	if first := l.Of(plan.Send[0].Name).Sent; first < begins || first > begins+connections {
		return fmt.Sprintf(".outcomes has %d of %s, and the list was begun anew %d times, over %d connections", first, plan.Send[0].Name, begins, connections)
	}
	return ""
}
