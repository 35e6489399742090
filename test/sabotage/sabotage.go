// Package sabotage makes a mesh that does not do what it is told. A run on it
// must never pass.
package sabotage

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/report"
)

// Sabotage is one way to spoil a scenario.
type Sabotage struct {
	Scenario string
	Name     string
	Shows    string // stands in an expectation that fails, or in a problem
	Spoil    func(mesh.Mesh) mesh.Mesh
}

// Seen says whether a run showed what the sabotage must show.
func (s Sabotage) Seen(r *report.Record) bool {
	for _, e := range r.Expectations {
		if e.Verdict == report.Fail && strings.Contains(e.Expression, s.Shows) {
			return true
		}
	}
	return slices.ContainsFunc(r.Against(), func(p string) bool { return strings.Contains(p, s.Shows) })
}

// All returns the sabotages of the library. The first of each scenario is the one
// that the cluster is tried with too. What could be wrong in a scenario's own file is
// not among them: that is for Mutants.
func All() []Sabotage {
	return slices.Concat(microapi(), httpbin(), []Sabotage{
		{"delay-jason", "a delay of 1 s", "jason.p50", spoilRules(faults(func(f *networking.HTTPFaultInjection_Delay) {
			f.HttpDelayType = &networking.HTTPFaultInjection_Delay_FixedDelay{FixedDelay: durationpb.New(time.Second)}
		}))},
		{"delay-jason", "a percentage of 0", "never bit", spoilRules(faults(func(f *networking.HTTPFaultInjection_Delay) { f.Percentage.Value = 0 }))},
		{"abort-jason", "a percentage of 0", "never bit", spoilRules(entries(func(e *networking.HTTPRoute) {
			if e.GetFault().GetAbort() != nil {
				e.Fault.Abort.Percentage.Value = 0
			}
		}))},
		{"abort-grpc", "a percentage of 0", "never bit", spoilRules(entries(func(e *networking.HTTPRoute) {
			if e.GetFault().GetAbort() != nil {
				e.Fault.Abort.Percentage.Value = 0
			}
		}))},
		{"abort-grpc", "an HTTP status in the place of a code", "direct.share(UNAVAILABLE)", spoilRules(entries(func(e *networking.HTTPRoute) {
			if e.GetFault().GetAbort() != nil {
				e.Fault.Abort.ErrorType = &networking.HTTPFaultInjection_Abort_HttpStatus{HttpStatus: 500} // which a call knows as UNKNOWN
			}
		}))},
		{"abort-grpc", "retries behind the run's back for another code", "relayed.grpc[OK]", behind(entries(func(e *networking.HTTPRoute) {
			if e.Retries.GetRetryOn() == "unavailable" {
				e.Retries.RetryOn = "resource-exhausted"
			}
		}))},
		{"timeout-reviews", "a percent of 0, as the old spelling has it", "never bit", spoilRules(faults(func(f *networking.HTTPFaultInjection_Delay) {
			f.Percent = 0 //nolint:staticcheck // Istio still reads it
		}))},
		{"tcp-shift", "50/50 for 80/20", "port 31400 leads to", spoilRules(tcpWeights(50, 50))},
		{"tcp-shift", "50/50 for 80/20 behind the run's back", "split(tcp-echo)", behind(tcpWeights(50, 50))},
		{"tcp-shift", "the weights swapped behind the run's back", "split(callers)", behind(tcpWeights(20, 80))},
	})
}

// spoilRules alters what is written, and what the run is told was written.
func spoilRules(alter func(*rules.Object)) func(mesh.Mesh) mesh.Mesh {
	return func(m mesh.Mesh) mesh.Mesh { return spoiltRules{m, alter} }
}

type spoiltRules struct {
	mesh.Mesh
	alter func(*rules.Object)
}

func (s spoiltRules) Write(ctx context.Context, c rules.Change) (*rules.Object, error) {
	if c.After != nil && c.After.Manifest == nil {
		c.After = c.After.Clone()
		s.alter(c.After)
	}
	return s.Mesh.Write(ctx, c)
}

// spoilProxies alters what the proxies answer at their admin interfaces.
func spoilProxies(alter func([]byte) []byte) func(mesh.Mesh) mesh.Mesh {
	return func(m mesh.Mesh) mesh.Mesh { return spoiltProxies{m, alter} }
}

type spoiltProxies struct {
	mesh.Mesh
	alter func([]byte) []byte
}

func (s spoiltProxies) Proxies(ctx context.Context) ([]mesh.Proxy, error) {
	proxies, err := s.Mesh.Proxies(ctx)
	for i := range proxies {
		admin := *proxies[i].Admin
		client := *admin.Client
		client.Transport = altering{admin.Client.Transport, s.alter}
		proxies[i].Admin = &envoy.Admin{Client: &client, Base: admin.Base}
	}
	return proxies, err
}

type altering struct {
	next  http.RoundTripper
	alter func([]byte) []byte
}

// RoundTrip implements http.RoundTripper.
func (a altering) RoundTrip(req *http.Request) (*http.Response, error) {
	next := a.next
	if next == nil {
		next = http.DefaultTransport
	}
	resp, err := next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body.Close()
	body = a.alter(body)
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	resp.Header.Del("Content-Length")
	return resp, nil
}

var overflow = regexp.MustCompile(`(upstream_rq_(?:pending|active)_overflow"?[,:]\s*(?:"value":\s*)?)(\d+)`)

func doubleOverflows(body []byte) []byte {
	return overflow.ReplaceAllFunc(body, func(found []byte) []byte {
		parts := overflow.FindSubmatch(found)
		value, _ := strconv.Atoi(string(parts[2]))
		return append(bytes.Clone(parts[1]), strconv.Itoa(2*value)...)
	})
}

func entries(alter func(*networking.HTTPRoute)) func(*rules.Object) {
	return func(o *rules.Object) {
		if vs, ok := o.Spec.(*networking.VirtualService); ok {
			for _, entry := range vs.Http {
				alter(entry)
			}
		}
	}
}

func faults(alter func(*networking.HTTPFaultInjection_Delay)) func(*rules.Object) {
	return entries(func(e *networking.HTTPRoute) {
		if e.GetFault().GetDelay() != nil {
			alter(e.Fault.Delay)
		}
	})
}

func tcpWeights(first, second int32) func(*rules.Object) {
	return func(o *rules.Object) {
		vs, ok := o.Spec.(*networking.VirtualService)
		if !ok {
			return
		}
		for _, entry := range vs.Tcp {
			if len(entry.Route) == 2 {
				entry.Route[0].Weight, entry.Route[1].Weight = first, second
			}
		}
	}
}

func limits(o *rules.Object) {
	for _, policy := range policiesOf(o) {
		if pool := policy.GetConnectionPool(); pool.GetTcp() != nil && pool.GetHttp() != nil {
			pool.Tcp.MaxConnections, pool.Http.Http1MaxPendingRequests = 100, 100
		}
	}
}

func dropLimits(o *rules.Object) {
	rule, ok := o.Spec.(*networking.DestinationRule)
	if !ok {
		return
	}
	rule.TrafficPolicy = nil
	for _, subset := range rule.Subsets {
		subset.TrafficPolicy = nil
	}
}

// policiesOf are the policies of a DestinationRule: the service's, and each
// subset's.
func policiesOf(o *rules.Object) []*networking.TrafficPolicy {
	rule, ok := o.Spec.(*networking.DestinationRule)
	if !ok {
		return nil
	}
	policies := []*networking.TrafficPolicy{rule.TrafficPolicy}
	for _, subset := range rule.Subsets {
		policies = append(policies, subset.TrafficPolicy)
	}
	return policies
}
