package evidence

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/types/known/durationpb"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/internal/envoy/envoytest"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The services of envoytest's namespace.
var shop = []mesh.Service{
	{Name: "web", Host: "web.shop.svc.cluster.local", Ports: []mesh.Port{{Number: 8000}}},
	{Name: "other", Host: "other.shop.svc.cluster.local", Ports: []mesh.Port{{Number: 8000}}},
	{Name: "unused", Host: "unused.shop.svc.cluster.local", Ports: []mesh.Port{{Number: 8088}}},
	{Name: "echo", Host: "echo.shop.svc.cluster.local", Ports: []mesh.Port{{Number: 9000, TCP: true}}},
}

// recorded is envoytest's namespace between two moments.
type recorded struct {
	before, after *Snapshot
}

// record takes a snapshot of the proxies at both moments. Those that are held
// stay as they were at the first.
func record(t *testing.T, from, to string, proxies []mesh.Proxy, captures []string, held ...string) recorded {
	t.Helper()
	var r recorded
	envoys := make([]*envoytest.Envoy, len(proxies))
	for i := range proxies {
		envoys[i] = envoytest.Serve(t, captures[i], from)
		proxies[i].Admin = envoys[i].Admin
	}
	take := func() *Snapshot {
		s, err := Take(t.Context(), proxies)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	r.before = take()
	for i := range envoys {
		if !slices.Contains(held, proxies[i].Name) {
			envoys[i].Show(to)
		}
	}
	r.after = take()
	return r
}

func recordLoad(t *testing.T, held ...string) recorded {
	// web-v2 was as idle as web-v1, whose answers stand in for it.
	return record(t, "rules", "load", []mesh.Proxy{
		{Name: "client", Client: true, Address: "10.244.0.35"},
		{Name: "plain", Address: "10.244.0.36"},
		{Name: "web-v1", App: "web", Version: "v1", Address: "10.244.0.12"},
		{Name: "web-v2", App: "web", Version: "v2", Address: "10.244.0.9"},
		{Name: "gateway", Gateway: true, Address: "10.244.0.4"},
	}, []string{"client", "plain", "web-v1", "web-v1", "gateway"}, held...)
}

func recordBreaker(t *testing.T, from, to string) recorded {
	return record(t, from, to, []mesh.Proxy{
		{Name: "client", Client: true, Address: "10.244.0.35"},
		{Name: "web-v1", App: "web", Version: "v1", Address: "10.244.0.12"},
	}, []string{"client", "web-v1"})
}

// one returns a single quantity of a recorded window.
func (r recorded) one(objects []*rules.Object, function string, args ...string) report.Quantity {
	return whole(Observed{Namespace: "shop", Before: r.before, After: r.after, Services: shop, Objects: objects}).Quantities([]check.Need{{Function: function, Args: args}})[0]
}

// faultOn is a VirtualService that aborts requests to a host.
func faultOn(host string, gateways ...string) *rules.Object {
	return &rules.Object{
		Ref: rules.Ref{Kind: rules.VirtualService, Namespace: "shop", Name: host},
		Spec: &networking.VirtualService{
			Hosts: []string{host}, Gateways: gateways,
			Http: []*networking.HTTPRoute{{Fault: &networking.HTTPFaultInjection{Abort: &networking.HTTPFaultInjection_Abort{
				ErrorType:  &networking.HTTPFaultInjection_Abort_HttpStatus{HttpStatus: 500},
				Percentage: &networking.Percent{Value: 50},
			}}}},
		},
	}
}

func delayOn(host string) *rules.Object {
	o := faultOn(host)
	o.Spec.(*networking.VirtualService).Http[0].Fault = &networking.HTTPFaultInjection{Delay: &networking.HTTPFaultInjection_Delay{
		HttpDelayType: &networking.HTTPFaultInjection_Delay_FixedDelay{FixedDelay: durationpb.New(time.Second)},
		Percentage:    &networking.Percent{Value: 50},
	}}
	return o
}

func TestQuantitiesOfARealMeshAreWhatWasSent(t *testing.T) {
	load, breaker, ejection := recordLoad(t), recordBreaker(t, "breaker", "overflow"), recordBreaker(t, "overflow", "ejected")
	withoutPlain := recordLoad(t, "plain")
	web := []*rules.Object{faultOn("web")}
	tests := []struct {
		name   string
		got    report.Quantity
		want   int64
		source string
	}{
		{"all requests that were not aborted reached the service", load.one(web, "requests", "web"), 255, "rq_total of /clusters at client, plain"},
		{"of them version v1 got", load.one(web, "requests", "web", "v1"), 220, "rq_total of /clusters at client, plain"},
		{"of them version v2 got", load.one(web, "requests", "web", "v2"), 35, "rq_total of /clusters at client, plain"},
		{"TCP connections are counted as requests", load.one(nil, "requests", "echo"), 50, "rq_total of /clusters at gateway"},
		{"of them version v1 got", load.one(nil, "requests", "echo", "v1"), 41, "rq_total of /clusters at gateway"},
		{"nobody called the service", load.one(nil, "requests", "unused"), 0, "rq_total of /clusters"},
		{"clients' proxies keep connections for more requests", load.one(nil, "connections", "web"), 113, "cx_total of /clusters at client, plain"},
		{"of them version v2 got", load.one(nil, "connections", "web", "v2"), 3, "cx_total of /clusters at client, plain"},
		{"of a TCP service there are as many as requests", load.one(nil, "connections", "echo"), 50, "cx_total of /clusters at gateway"},
		{"nobody connected to the service", load.one(nil, "connections", "unused"), 0, "cx_total of /clusters"},
		{"each request that a breaker let through had its own", breaker.one(nil, "connections", "other"), 10, "cx_total of /clusters at client"},
		{"and these were all", breaker.one(nil, "requests", "other"), 10, "rq_total of /clusters at client"},
		{"9 delays and 8 aborts", withoutPlain.one(web, "faults", "web"), 17, "stat fault.*_injected at client"},
		{"each 503 was an overflow", breaker.one(nil, "overflows", "other"), 20, "stat upstream_rq_pending_overflow at client"},
		{"overflows eject nobody", breaker.one(nil, "ejections", "other"), 0, "stat ejections_enforced_total"},
		{"an ejected endpoint does not overflow", ejection.one(nil, "overflows", "other"), 0, "stat upstream_rq_pending_overflow"},
		{"one gateway error ejected the endpoint", ejection.one(nil, "ejections", "other"), 1, "stat ejections_enforced_total at client"},
	}
	for _, tt := range tests {
		switch {
		case tt.got.Value == nil:
			t.Errorf("%s: %s%v is absent: %s", tt.name, tt.got.Function, tt.got.Args, tt.got.Absent)
		case *tt.got.Value != tt.want || !strings.HasPrefix(tt.got.Source, tt.source):
			t.Errorf("%s: %s%v = %v by %q, not %v by %q", tt.name, tt.got.Function, tt.got.Args, *tt.got.Value, tt.got.Source, tt.want, tt.source)
		}
	}
}

func TestAProxyThatKeepsNoFaultsMakesThemAbsentOnceItIsAClient(t *testing.T) {
	q := recordLoad(t).one([]*rules.Object{faultOn("web")}, "faults", "web")
	if q.Value != nil || !strings.Contains(q.Absent, "plain calls web") || !strings.Contains(q.Absent, "inclusionPrefixes: [http.outbound]") {
		t.Errorf("%+v", q)
	}
}

func TestADestinationRuleThatChangedMeanwhileMakesRequestsAbsent(t *testing.T) {
	r := record(t, "norules", "load", []mesh.Proxy{{Name: "client"}}, []string{"client"})
	if q := r.one(nil, "requests", "web"); q.Value != nil || !strings.Contains(q.Absent, "reconfigured during the window") {
		t.Errorf("%+v", q)
	}
}

func TestClientsAndTheirProxyCountTheSameRequests(t *testing.T) {
	r := recordLoad(t)
	get := func(name string) mesh.Cohort {
		return mesh.Cohort{Name: name, From: mesh.FromClient, Plan: loadgen.Plan{HTTP: &loadgen.HTTP{URL: "http://web:8000/" + name}}}
	}
	cohorts := []mesh.Cohort{get("all"), get("jason"), get("abort"),
		{Name: "tcp", From: mesh.FromGateway, Plan: loadgen.Plan{TCP: &loadgen.TCP{}}},
		{Name: "elsewhere", Plan: loadgen.Plan{HTTP: &loadgen.HTTP{URL: "http://web"}}},
		{Name: "nowhere", Plan: loadgen.Plan{HTTP: &loadgen.HTTP{URL: "http://web:81/"}}},
	}
	got := Read(Observed{Namespace: "shop", Before: r.before, After: r.after, Cohorts: cohorts, Loads: map[string]*loadgen.Result{
		"all":   {Sent: 202, Warmup: 6, Outcomes: []loadgen.Outcome{{Status: 200, Count: 200}, {Error: "refused", Count: 2}}},
		"jason": {Sent: 9, Setup: 2}, "abort": {Sent: 24}, "tcp": {Sent: 50}, "elsewhere": {Sent: 3}, "nowhere": {Sent: 4},
	}}).Reconcile()
	const source = "stat downstream_rq_total at client"
	none, all := int64(0), int64(233)
	want := []report.Reconciliation{
		{Target: "web:80", Client: 3, Proxy: &none, Source: source},
		{Target: "web:8000", Client: 233, Proxy: &all, Source: source},
		{Target: "web:81", Client: 4}, // the proxy has no such listener
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
