package rules

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// Intent is one thing to do to the traffic of a service. Exactly one of its
// fields is set.
type Intent struct {
	Route   *Route
	Fault   *Fault
	Breaker *Breaker
}

// Route sends the requests of a service to versions of it.
type Route struct {
	Service string            // short or fully qualified
	When    map[string]string // exact request headers; empty: all requests
	To      []Share
}

// Share is a version's part of the traffic.
type Share struct {
	Version string // the label version; the subset is named after it where it must be made
	Weight  int32  // of the sum of all weights; a sole share may have 0 and takes all
}

// Fault delays or aborts requests of a service, in the proxies of its clients.
type Fault struct {
	Service string
	When    map[string]string
	Delay   time.Duration // 0: no delay
	Abort   int32         // an HTTP status, 200 to 599; 0: no abort
	Percent float64       // of the requests, above 0 to 100
}

// Breaker limits a service's connection pool and ejects endpoints that fail,
// by a DestinationRule. A nil field is left as it is.
type Breaker struct {
	Service                  string
	MaxConnections           *int32
	HTTP1MaxPendingRequests  *int32
	HTTP2MaxRequests         *int32
	MaxRequestsPerConnection *int32
	ConsecutiveGatewayErrors *uint32
	Consecutive5xxErrors     *uint32
	Interval                 time.Duration // 0: left as it is
	BaseEjectionTime         time.Duration // 0: left as it is
	MaxEjectionPercent       *int32
}

// String says what the intent does, and to which service.
func (i Intent) String() string {
	switch {
	case i.Route != nil:
		return "the route of " + i.Route.Service
	case i.Fault != nil:
		return "the fault on " + i.Fault.Service
	case i.Breaker != nil:
		return "the breaker of " + i.Breaker.Service
	}
	return "an empty intent"
}

// Validate says what is wrong with the intent in itself, before any object is
// looked at. The error names the field, not the intent.
func (i Intent) Validate() error {
	set := 0
	var err error
	if i.Route != nil {
		set, err = set+1, i.Route.check()
	}
	if i.Fault != nil {
		set, err = set+1, i.Fault.check()
	}
	if i.Breaker != nil {
		set, err = set+1, i.Breaker.check()
	}
	if set != 1 {
		return fmt.Errorf("an intent has one of route, fault and breaker; this one has %d", set)
	}
	return err
}

func (r *Route) check() error {
	seen := map[string]bool{}
	var sum int64
	for _, share := range r.To {
		switch {
		case share.Version == "":
			return errors.New("a share has no version")
		case seen[share.Version]:
			return fmt.Errorf("the version %s stands twice", share.Version)
		case share.Weight < 0:
			return fmt.Errorf("the weight of %s is %d; it must not be below 0", share.Version, share.Weight)
		}
		seen[share.Version] = true
		sum += int64(share.Weight)
	}
	switch {
	case len(r.To) == 0:
		return errors.New("it names no version to send to")
	case len(r.To) > 1 && sum == 0:
		return errors.New("the weights sum to 0; give at least one version a weight")
	case sum > math.MaxInt32:
		return fmt.Errorf("the weights sum to %d, more than Istio counts; make them smaller", sum)
	}
	return checkWhen(r.When)
}

func (f *Fault) check() error {
	switch {
	case f.Delay == 0 && f.Abort == 0:
		return errors.New("it has neither a delay nor an abort; give one")
	case f.Delay != 0 && !validDuration(f.Delay):
		return fmt.Errorf("the delay is %s; it must be whole milliseconds, at least 1ms", f.Delay)
	case f.Abort != 0 && (f.Abort < 200 || f.Abort > 599):
		return fmt.Errorf("the abort is %d; it must be an HTTP status from 200 to 599", f.Abort)
	case !validPercent(f.Percent):
		return fmt.Errorf("the percentage is %v; it must be from %v to 100", f.Percent, minPercent)
	}
	return checkWhen(f.When)
}

// checkWhen takes what Envoy can match a header against.
func checkWhen(when map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(when)) {
		switch {
		case !headerName.MatchString(name):
			return fmt.Errorf("%q in when is not the name of a header", name)
		case when[name] == "":
			return fmt.Errorf("the header %s in when has no value", name)
		case name != strings.ToLower(name):
			return fmt.Errorf("the header %s in when must be in lower case, as Istio has it: %s", name, strings.ToLower(name))
		}
	}
	return nil
}

func (b *Breaker) check() error {
	limits := []struct {
		name  string
		value *int32
		most  int32
	}{
		{"maxConnections", b.MaxConnections, math.MaxInt32},
		{"http1MaxPendingRequests", b.HTTP1MaxPendingRequests, math.MaxInt32},
		{"http2MaxRequests", b.HTTP2MaxRequests, math.MaxInt32},
		{"maxRequestsPerConnection", b.MaxRequestsPerConnection, 1 << 29},
		{"maxEjectionPercent", b.MaxEjectionPercent, 100},
	}
	set := b.ConsecutiveGatewayErrors != nil || b.Consecutive5xxErrors != nil || b.Interval != 0 || b.BaseEjectionTime != 0
	for _, limit := range limits {
		if limit.value == nil {
			continue
		}
		set = true
		if *limit.value < 1 || *limit.value > limit.most {
			return fmt.Errorf("%s is %d; it must be from 1 to %d (Istio takes 0 as unset)", limit.name, *limit.value, limit.most)
		}
	}
	switch {
	case !set:
		return errors.New("it sets nothing; give a limit or a threshold")
	case b.Interval != 0 && !validDuration(b.Interval):
		return fmt.Errorf("interval is %s; it must be whole milliseconds, at least 1ms", b.Interval)
	case b.BaseEjectionTime != 0 && !validDuration(b.BaseEjectionTime):
		return fmt.Errorf("baseEjectionTime is %s; it must be whole milliseconds, at least 1ms", b.BaseEjectionTime)
	}
	return nil
}
