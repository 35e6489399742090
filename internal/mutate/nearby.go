package mutate

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

// nearby puts a second fault beside one: the same on each other service, and an
// abort with another status on its own.
func nearby(w written) []edit {
	var edits []edit
	add := func(e edit) {
		if !slices.ContainsFunc(edits, func(other edit) bool { return other.id == e.id }) {
			edits = append(edits, e)
		}
	}
	w.http(func(at spot, entry *networking.HTTPRoute, before []*networking.HTTPRoute) {
		if had(before, entry, (*networking.HTTPRoute).GetFault) || !simple(entry.Fault) {
			return
		}
		for _, service := range w.site.Services {
			if service.Name != w.host(at) && speaksHTTP(service) {
				add(edit{id: "also-" + service.Name, what: "the same fault is on " + service.Name + " too", also: faultLike(entry, service.Name)})
			}
		}
		add(w.secondStatus(at, entry))
	})
	return edits
}

// secondStatus aborts what a fault delays, or, beside an abort, those whom it is not
// for.
func (w written) secondStatus(at spot, entry *networking.HTTPRoute) edit {
	abort := &networking.HTTPFaultInjection_Abort{Percentage: &networking.Percent{Value: 100}}
	status := otherStatus(abortOf(entry).GetHttpStatus())
	abort.ErrorType = &networking.HTTPFaultInjection_Abort_HttpStatus{HttpStatus: status}
	what := fmt.Sprintf("what %s delays is aborted with %d too", w.host(at), status)
	if abortOf(entry) != nil {
		what = fmt.Sprintf("whoever the abort of %s is not for is answered %d", w.host(at), status)
	}
	return edit{id: fmt.Sprintf("also-%d", status), what: what, alter: func(w written) ([]rules.Change, error) {
		for _, e := range w.changes[at.change].After.Spec.(*networking.VirtualService).Http {
			switch {
			case abortOf(entry) == nil && proto.Equal(e.Fault, entry.Fault):
				e.Fault.Abort = abort
			case abortOf(entry) != nil && e.Fault == nil:
				e.Fault = &networking.HTTPFaultInjection{Abort: abort}
			}
		}
		return w.changes, nil
	}}
}

// simple says whether an intent can say what a fault says.
func simple(f *networking.HTTPFaultInjection) bool {
	return f.GetDelay().GetFixedDelay() != nil || f.GetAbort().GetHttpStatus() != 0 || f.GetAbort().GetGrpcStatus() != ""
}

func speaksHTTP(s mesh.Service) bool {
	return slices.ContainsFunc(s.Ports, func(p mesh.Port) bool { return !p.TCP })
}

// faultLike is the fault of an entry as an intent, for another service.
func faultLike(entry *networking.HTTPRoute, service string) *rules.Fault {
	fault := &rules.Fault{Service: yamlnode.Names{service}, When: map[string]string{}}
	for _, m := range entry.Match {
		for name, value := range m.Headers {
			if value.GetExact() != "" {
				fault.When[name] = value.GetExact()
			}
		}
	}
	if len(fault.When) == 0 {
		fault.When = nil
	}
	if d := delayOf(entry); d != nil {
		fault.Delay.Duration = d.GetFixedDelay().AsDuration()
		fault.Percent.Value = new(percent(d.Percentage, d.Percent)) //nolint:staticcheck // Istio still reads it
	}
	if a := abortOf(entry); a != nil {
		if status := a.GetHttpStatus(); status != 0 {
			fault.Abort = &status
		}
		fault.GRPCStatus = rules.GRPCCode(a.GetGrpcStatus())
		fault.Percent.Value = new(percent(a.Percentage, 0))
	}
	return fault
}
