package html

import (
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
)

// asked is a row of the load that was asked for.
type asked struct {
	report.Asked
	Sends                      string // GET http://productpage:9080/productpage
	Connections, Requests, QPS mark
	Most                       mark        // connections that there may come to be
	Senders                    mark        // where there are several
	Rate                       []ratePoint // one that changes
	Duration, Timeout, Warmup  mark
}

// ratePoint is a rate, and when it is that.
type ratePoint struct{ QPS, At mark }

func loadsAsked(r *report.Record) []asked {
	var all []asked
	for i, a := range r.Asked {
		plan := a.Plan
		row := asked{Asked: a, Sends: summary.Sends(plan), Connections: counted(int64(plan.Connections), "asked", i, "plan", "connections"), Requests: mark{Words: "–"}, QPS: mark{Words: "–"}}
		if plan.MaxConnections > 0 {
			row.Most = counted(int64(plan.MaxConnections), "asked", i, "plan", "maxConnections")
		}
		if plan.Senders > 1 {
			row.Senders = counted(int64(plan.Senders), "asked", i, "plan", "senders")
		}
		if plan.Requests > 0 {
			row.Requests = counted(plan.Requests, "asked", i, "plan", "requests")
		}
		if plan.QPS > 0 {
			row.QPS = marked(plan.QPS, summary.Number(plan.QPS), "asked", i, "plan", "qps")
		}
		for j, point := range plan.Rate {
			row.Rate = append(row.Rate, ratePoint{
				QPS: marked(point.QPS, summary.Number(point.QPS), "asked", i, "plan", "rate", j, "qps"),
				At:  marked(point.At, point.At.String(), "asked", i, "plan", "rate", j, "at"),
			})
		}
		if plan.Duration.Duration > 0 {
			row.Duration = marked(plan.Duration, plan.Duration.String(), "asked", i, "plan", "duration")
		}
		if plan.Timeout.Duration > 0 {
			row.Timeout = marked(plan.Timeout, plan.Timeout.String(), "asked", i, "plan", "timeout")
		}
		if plan.Warmup > 0 {
			row.Warmup = counted(plan.Warmup, "asked", i, "plan", "warmup")
		}
		all = append(all, row)
	}
	return all
}
