package evidence

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// untold is why there is nothing of a cohort none of whose requests carried an id of
// ours.
const untold = "no access log tells it from others: connections of TCP have no id of ours, nor have requests of engine fortio, those whose load gives them an x-request-id, and those that were cut off"

// Calls returns, for each cohort, the slowest request, one of each kind of bad
// answer and, where the others differ in what they show, one of each kind of those,
// with the calls that they led to. Of a cohort whose requests nothing tells apart it
// says so.
func (l *Log) Calls(loads map[string]*loadgen.Result, services []mesh.Service) []report.Explained {
	var all []report.Explained
	for _, cohort := range sortedKeys(loads) {
		wanted := examples(loads[cohort])
		for _, one := range wanted {
			e := l.explain(cohort, one, services)
			if e.Call == nil && one.refused(loads[cohort]) {
				e.Note = unshaken(loads[cohort].Refusal)
			}
			all = append(all, e)
		}
		if len(wanted) == 0 && loads[cohort].Sent > 0 {
			all = append(all, report.Explained{Cohort: cohort, Why: report.WhySlowest, Note: unexplained(loads[cohort])})
		}
	}
	return all
}

// unexplained is why nothing is known of any request of a load.
func unexplained(load *loadgen.Result) string {
	if slices.ContainsFunc(load.Outcomes, func(o loadgen.Outcome) bool { return o.Error != loadgen.ErrorTLS }) {
		return untold
	}
	return unshaken(load.Refusal)
}

// unshaken is why no proxy has written down a request that ended as TLS failed.
func unshaken(why *loadgen.Refusal) string {
	note := "it was no request yet to any proxy: one side refused the other by TLS"
	if why != nil {
		note += ", the first time with: " + why.Words
	}
	return note
}

func (l *Log) explain(cohort string, wanted example, services []mesh.Service) report.Explained {
	e := report.Explained{Cohort: cohort, Why: wanted.why, Answer: wanted.answer, Request: wanted.RequestID}
	lines, forgot := l.calls.lines(e.Request)
	if len(lines) == 0 && wanted.From != "" {
		e.Request = cmp.Or(l.calls.entered(wanted.Example), e.Request)
		lines, forgot = l.calls.lines(e.Request)
	}
	root := slices.IndexFunc(lines, func(c callLine) bool { return c.proxy.Client || c.proxy.Gateway })
	if root < 0 {
		e.Note = l.missing(forgot)
		return e
	}
	t := tree{lines: lines, taken: make([]bool, len(lines)), workloads: l.workloads(), services: services}
	e.Call = t.call(root)
	switch why := l.silent(); {
	case why != "":
		e.Note = "the tree may lack calls: " + why
	case len(lines) == keptLines:
		e.Note = fmt.Sprintf("the request led to more calls than the %d that are kept", keptLines)
	case t.left() > 0:
		e.Note = fmt.Sprintf("the tree lacks calls: %d more have this request's id, and began while no call that is here lasted; the clocks of the nodes may be apart", t.left())
	case len(lines) == 1 && e.Call.Upstream != "":
		e.Note = "no other call has this request's id: what was called calls nobody, or does not pass x-request-id on"
	}
	return e
}

// missing says why there is no tree of a request.
func (l *Log) missing(forgot bool) string {
	switch why := l.silent(); {
	case why != "":
		return "no access log has this request: " + why
	case forgot:
		return "its lines are not kept any more: there were too many requests after it, and slower ones"
	}
	return "no access log has this request; did it come to the ingress gateway by way of another address, where it was given another id?"
}

// silent names a proxy whose log is no evidence, and why; empty: there is none.
func (l *Log) silent() string {
	for _, p := range l.proxies {
		if why := p.problem(); why != nil {
			return "the access log of " + p.proxy.Name + " is not read: " + why.Error()
		}
	}
	return ""
}

func (l *Log) workloads() []mesh.Proxy {
	var all []mesh.Proxy
	for _, p := range l.proxies {
		all = append(all, p.proxy)
	}
	return all
}
