package mutate

import (
	"fmt"
	"net/http"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// status answers an abort with another one.
func status(w written) []edit {
	var touches []touch
	w.http(func(at spot, entry *networking.HTTPRoute, before []*networking.HTTPRoute) {
		was := abortOf(entry).GetHttpStatus()
		if had(before, entry, abortOf) {
			return
		}
		if code := abortOf(entry).GetGrpcStatus(); code != "" {
			touches = append(touches, w.code(at, code))
		}
		if was == 0 {
			return
		}
		now := otherStatus(was)
		touches = append(touches, touch{
			spot: at, id: fmt.Sprintf("abort-%d", now), what: fmt.Sprintf("the abort of %s answers %d, not %d", w.host(at), now, was),
			do: func(o *rules.Object, index int, _ string) {
				entryOf(o, index).Fault.Abort.ErrorType = &networking.HTTPFaultInjection_Abort_HttpStatus{HttpStatus: now}
			},
		})
	})
	return w.grouped(touches)
}

// code answers an abort of gRPC with another one.
func (w written) code(at spot, was string) touch {
	now := otherCode(was)
	return touch{
		spot: at, id: "abort-" + now, what: fmt.Sprintf("the abort of %s answers %s, not %s", w.host(at), now, was),
		do: func(o *rules.Object, index int, _ string) {
			entryOf(o, index).Fault.Abort.ErrorType = &networking.HTTPFaultInjection_Abort_GrpcStatus{GrpcStatus: now}
		},
	}
}

// otherCode is one that says, as the other does, that there is no service.
func otherCode(was string) string {
	if was == "UNAVAILABLE" {
		return "INTERNAL"
	}
	return "UNAVAILABLE"
}

// otherStatus is one of the same class, which is what statuses are mistaken for.
func otherStatus(was int32) int32 {
	switch {
	case was == http.StatusServiceUnavailable:
		return http.StatusInternalServerError
	case was >= http.StatusBadRequest && was < http.StatusInternalServerError && was != http.StatusNotFound:
		return http.StatusNotFound
	case was == http.StatusNotFound:
		return http.StatusBadRequest
	}
	return http.StatusServiceUnavailable
}
