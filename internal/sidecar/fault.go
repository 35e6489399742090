package sidecar

import (
	"net/http"
	"slices"
	"time"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
)

// faultFilter is envoy.filters.http.fault: a delay and an abort, drawn
// independently, the delay first.
type faultFilter struct{}

// Fields implements HTTPFilter.
func (faultFilter) Fields() config.Fields {
	return config.Fields{
		"HTTPRoute":          {"fault"},
		"HTTPFaultInjection": {"delay", "abort"},
		"Delay":              {"fixed_delay", "percent", "percentage"},
		"Abort":              {"http_status", "grpc_status", "percentage"},
		"Percent":            {"value"},
	}
}

// Check implements HTTPFilter.
func (faultFilter) Check(path string, r *networking.HTTPRoute, refuse config.Refuse) {
	f := r.GetFault()
	if d := f.GetDelay(); d != nil {
		if d.GetFixedDelay() == nil {
			refuse(path+".fault.delay", "it has no fixedDelay; give a duration such as 7s")
		}
		if p := d.GetPercent(); p < 0 || p > 100 { //nolint:staticcheck // Istio still reads it.
			refuse(path+".fault.delay.percent", "it is %d; it must be 0 to 100", p)
		}
	}
	if a := f.GetAbort(); a != nil && a.GetGrpcStatus() == "" {
		if s := a.GetHttpStatus(); s < 200 || s > 599 {
			refuse(path+".fault.abort.httpStatus", "it is %d; it must be 200 to 599, for Envoy takes no other", s)
		}
	}
}

// fault is what the filter does to a route's requests.
type fault struct {
	delay       time.Duration // 0: none
	delayShare  uint32        // of a million
	abort       int           // the status; 0: none
	abortGRPC   int           // the status of gRPC that takes its place; -1: none does
	abortShare  uint32        // of a million
	delayStream string
	abortStream string
}

// Compile implements HTTPFilter. Without a percentage a fault never happens.
func (faultFilter) Compile(at config.Place, r *networking.HTTPRoute) config.RouteFilter {
	f := r.GetFault()
	if f.GetDelay() == nil && f.GetAbort() == nil {
		return nil
	}
	out := &fault{abortGRPC: -1, delayStream: at.Key + " delay", abortStream: at.Key + " abort"}
	if d := f.GetDelay(); d != nil {
		out.delay = d.GetFixedDelay().AsDuration()
		out.delayShare = config.PerMillion(d.GetPercentage())
		if d.GetPercentage() == nil {
			// The old field, which counts whole percents.
			out.delayShare = uint32(d.GetPercent()) * (config.Million / 100) //nolint:staticcheck // Istio still reads it.
		}
	}
	if a := f.GetAbort(); a != nil {
		out.abort = int(a.GetHttpStatus())
		if name := a.GetGrpcStatus(); name != "" {
			out.abort, out.abortGRPC = http.StatusOK, slices.Index(rules.GRPCStatuses(), name)
		}
		out.abortShare = config.PerMillion(a.GetPercentage())
	}
	return out
}

// decode implements routeFilter.
func (f *fault) decode(s *stream) bool {
	active := false
	activate := func() {
		if !active {
			active = true
			s.stats.activeFaults.add(1)
			s.onEnd(func() { s.stats.activeFaults.add(-1) })
		}
	}
	if f.delay > 0 && s.proxy.draws.happens(f.delayStream, f.delayShare) {
		activate()
		s.stats.delaysInjected.add(1)
		s.flags = append(s.flags, "DI")
		timer := time.NewTimer(f.delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-s.r.Context().Done():
			s.disconnected()
			return false
		}
	}
	if f.abort > 0 && s.proxy.draws.happens(f.abortStream, f.abortShare) {
		activate()
		s.stats.abortsInjected.add(1)
		const text = "fault filter abort"
		s.reply(f.abort, text, "FI", "fault_filter_abort")
		if s.grpc && f.abortGRPC >= 0 {
			s.answer = grpcAnswer(f.abortGRPC, text)
		}
		return false
	}
	return true
}

// Dump implements RouteFilter.
func (f *fault) Dump(route config.Object) {
	o := config.Object{"@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault"}
	if f.delay > 0 {
		o["delay"] = config.Object{"fixed_delay": config.Duration(f.delay), "percentage": config.Object{"numerator": f.delayShare, "denominator": "MILLION"}}
	}
	if f.abort > 0 {
		abort := config.Object{"http_status": f.abort, "percentage": config.Object{"numerator": f.abortShare, "denominator": "MILLION"}}
		if f.abortGRPC >= 0 {
			delete(abort, "http_status")
			abort["grpc_status"] = f.abortGRPC
		}
		o["abort"] = abort
	}
	route["typed_per_filter_config"] = config.Object{"envoy.filters.http.fault": o}
}
