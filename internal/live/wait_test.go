package live

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
	networking "istio.io/api/networking/v1alpha3"
	typev1beta1 "istio.io/api/type/v1beta1"

	"github.com/meshchaos/meshchaos/internal/envoy/envoytest"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	soon  = time.Minute    // more than a wait on loopback takes
	never = time.Second    // what a wait that must fail is given
	mark  = "meshchaos-r1" // in the routes of envoytest's rules
)

// shop serves envoytest's client and gateway at a moment.
func shop(t *testing.T, moment string) []mesh.Proxy {
	return []mesh.Proxy{
		{Name: "client", App: "client", Version: "v1", Labels: map[string]string{"app": "client", "version": "v1"}, Admin: envoytest.Serve(t, "client", moment).Admin},
		{Name: "gateway", Gateway: true, Admin: envoytest.Serve(t, "gateway", moment).Admin},
	}
}

// services are those of envoytest's shop.
var services = []mesh.Service{
	{Name: "web", Host: "web.shop.svc.cluster.local", Ports: []mesh.Port{{Number: 8000}}},
	{Name: "echo", Host: "echo.shop.svc.cluster.local", Ports: []mesh.Port{{Number: 9000, TCP: true}}},
}

// waitFor waits for one change.
func waitFor(ctx context.Context, proxies []mesh.Proxy, change rules.Change, mark string, limit time.Duration) ([]string, error) {
	seen := Wait(ctx, proxies, services, []Awaited{{change, mark}}, limit)
	return seen[0].Proxies, seen[0].Err
}

func object(kind, name string, spec proto.Message) *rules.Object {
	return &rules.Object{Ref: rules.Ref{Kind: kind, Namespace: "shop", Name: name}, Spec: spec}
}

// webRoutes is a VirtualService for web with http entries of these names.
func webRoutes(names ...string) *rules.Object {
	vs := &networking.VirtualService{Hosts: []string{"web"}}
	for _, name := range names {
		vs.Http = append(vs.Http, &networking.HTTPRoute{Name: name})
	}
	return object(rules.VirtualService, "web", vs)
}

// A DestinationRule in the namespace of callers is waited for in theirs, and in no others.
func TestADestinationRuleIsAwaitedInTheNamespacesThatFollowIt(t *testing.T) {
	rule := webRule(7, "v1", "v2")
	rule.Spec.(*networking.DestinationRule).Host = rules.Hosts(rule)[0]
	for own, want := range map[string][]string{"shop": {"callee", "caller"}, "films": {"caller"}} {
		rule.Namespace = own
		callee := "rules"
		if own == "films" {
			callee = "norules"
		}
		proxies := []mesh.Proxy{
			{Name: "callee", Namespace: "shop", Admin: envoytest.Serve(t, "client", callee).Admin},
			{Name: "caller", Namespace: "films", Admin: envoytest.Serve(t, "client", "rules").Admin},
		}
		got, err := waitFor(t.Context(), proxies, rules.Change{After: rule}, "", 10*never)
		slices.Sort(got)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("that of %s is in force in %q, %v", own, got, err)
		}
	}
}

// A gateway puts the entries of several VirtualServices of a host together, each
// with a mark of its own.
func TestAGatewayMayHaveTheMarksOfOtherRules(t *testing.T) {
	admin := envoytest.Serve(t, "client", "rules").Admin
	one := webRoutes(mark)
	one.Spec.(*networking.VirtualService).Gateways = []string{"front"}
	if _, err := waitFor(t.Context(), []mesh.Proxy{{Name: "gateway", Gateway: true, Admin: admin}}, rules.Change{After: one}, mark, soon); err != nil {
		t.Error(err)
	}
	gone := webRoutes("jason." + mark)
	if _, err := waitFor(t.Context(), []mesh.Proxy{{Name: "gateway", Gateway: true, Admin: admin}}, rules.Change{Before: gone, After: one}, mark, never); err == nil || !strings.Contains(err.Error(), "it still has the route jason.") {
		t.Errorf("error %v; want that what was there before still is", err)
	}
}

// A rule for some workloads is waited for in their proxies, and in no others.
func TestARuleForSomeWorkloadsIsAwaitedInTheirProxiesAlone(t *testing.T) {
	team := map[string]string{"team": "films"}
	selecting := webRule(7, "v1", "v2")
	selecting.Spec.(*networking.DestinationRule).WorkloadSelector = &typev1beta1.WorkloadSelector{MatchLabels: team}
	sourced := ours()
	for _, entry := range sourced.Spec.(*networking.VirtualService).Http {
		entry.Match = []*networking.HTTPMatchRequest{{SourceLabels: team}}
	}
	for name, row := range map[string]struct {
		rule *rules.Object
		mark string
	}{"a DestinationRule": {selecting, ""}, "a VirtualService": {sourced, mark}} {
		proxies := []mesh.Proxy{
			{Name: "films", Namespace: "shop", App: "films", Labels: map[string]string{"app": "films", "team": "films"}, Admin: envoytest.Serve(t, "client", "rules").Admin},
			{Name: "books", Namespace: "shop", App: "books", Labels: map[string]string{"app": "books", "team": "books"}, Admin: envoytest.Serve(t, "client", "norules").Admin},
		}
		got, err := waitFor(t.Context(), proxies, rules.Change{After: row.rule}, row.mark, 10*never)
		if err != nil || len(got) != 1 || got[0] != "films" {
			t.Errorf("%s: it is in force in %q, %v", name, got, err)
		}
	}
}

// Whom a rule is not for any more has to let it go, too: it is not taken back as long as
// one of them runs it.
func TestWhomARuleIsNotForAnyMoreIsWaitedFor(t *testing.T) {
	front := webRoutes("plain")
	front.Spec.(*networking.VirtualService).Gateways = []string{"front"}
	theirs := webRoutes("plain")
	theirs.Spec.(*networking.VirtualService).Http[0].Match = []*networking.HTTPMatchRequest{{SourceLabels: map[string]string{"team": "films"}}}
	forBoth := ours()
	forBoth.Spec.(*networking.VirtualService).Gateways = []string{"front", "mesh"}
	for name, row := range map[string]struct{ before, after *rules.Object }{
		"it was for gateways alone": {forBoth, front}, "it was for another workload": {ours(), theirs},
	} {
		films := mesh.Proxy{Name: "films", Labels: map[string]string{"team": "films"}, Admin: envoytest.Serve(t, "client", "norules").Admin}
		gateway := mesh.Proxy{Name: "gateway", Gateway: true, Admin: envoytest.Serve(t, "gateway", "norules").Admin}
		client := shop(t, "rules")[0]
		change := rules.Change{Before: row.before, After: row.after}
		if _, err := waitFor(t.Context(), []mesh.Proxy{client, films, gateway}, change, "", never); err == nil || !strings.Contains(err.Error(), "client: it still has the route jason."+mark) {
			t.Errorf("%s: error %v; want that the client still runs it", name, err)
		}
		client = shop(t, "norules")[0]
		if _, err := waitFor(t.Context(), []mesh.Proxy{client, films, gateway}, change, "", soon); err != nil {
			t.Errorf("%s, and it has let it go: %v", name, err)
		}
	}
}

func fromVersion(o *rules.Object, version string) *rules.Object {
	for _, entry := range o.Spec.(*networking.VirtualService).Http {
		entry.Match = []*networking.HTTPMatchRequest{{SourceLabels: map[string]string{"version": version}}}
	}
	return o
}

// byFront has every entry but the last ask for a gateway that it is not bound to.
func byFront(o *rules.Object) *rules.Object {
	entries := o.Spec.(*networking.VirtualService).Http
	for _, entry := range entries[:len(entries)-1] {
		entry.Match = []*networking.HTTPMatchRequest{{Gateways: []string{"front"}}}
	}
	return o
}

// ours is the VirtualService that envoytest's client runs.
func ours() *rules.Object { return webRoutes("jason."+mark, "abort."+mark, mark) }

// echoSplit is a VirtualService that splits the gateway's port 31400.
func echoSplit(v1, v2 int32) *rules.Object {
	to := func(subset string, weight int32) *networking.RouteDestination {
		return &networking.RouteDestination{Weight: weight, Destination: &networking.Destination{
			Host: "echo", Subset: subset, Port: &networking.PortSelector{Number: 9000},
		}}
	}
	return object(rules.VirtualService, "tcp", &networking.VirtualService{
		Hosts: []string{"*"}, Gateways: []string{"tcp"},
		Tcp: []*networking.TCPRoute{{
			Match: []*networking.L4MatchAttributes{{Port: 31400}},
			Route: []*networking.RouteDestination{to("v1", v1), to("v2", v2)},
		}},
	})
}

// portless is the same without its port, which stands in the Gateway then.
func portless(o *rules.Object, match ...*networking.L4MatchAttributes) *rules.Object {
	o.Spec.(*networking.VirtualService).Tcp[0].Match = match
	return o
}

// webRule is envoytest's DestinationRule for web, with maxConnections.
func webRule(maxConnections int32, subsets ...string) *rules.Object {
	rule := &networking.DestinationRule{Host: "web", TrafficPolicy: &networking.TrafficPolicy{
		ConnectionPool: &networking.ConnectionPoolSettings{
			Tcp:  &networking.ConnectionPoolSettings_TCPSettings{MaxConnections: maxConnections},
			Http: &networking.ConnectionPoolSettings_HTTPSettings{Http1MaxPendingRequests: 8, Http2MaxRequests: 9, MaxRetries: 4, MaxRequestsPerConnection: 2},
		},
		OutlierDetection: &networking.OutlierDetection{
			Consecutive_5XxErrors: wrapperspb.UInt32(6), Interval: durationpb.New(2 * time.Second),
			BaseEjectionTime: durationpb.New(11 * time.Second), MaxEjectionPercent: 60,
		},
	}}
	for _, name := range subsets {
		rule.Subsets = append(rule.Subsets, &networking.Subset{Name: name})
		if name == "v2" {
			rule.Subsets[len(rule.Subsets)-1].TrafficPolicy = &networking.TrafficPolicy{
				ConnectionPool:   &networking.ConnectionPoolSettings{Http: &networking.ConnectionPoolSettings_HTTPSettings{Http1MaxPendingRequests: 3}},
				OutlierDetection: &networking.OutlierDetection{ConsecutiveGatewayErrors: wrapperspb.UInt32(2)},
			}
		}
	}
	return object(rules.DestinationRule, "web", rule)
}

func server(protocol string, port uint32) *rules.Object {
	return object(rules.Gateway, "tcp", &networking.Gateway{Servers: []*networking.Server{{
		Port: &networking.Port{Number: port, Protocol: protocol},
	}}})
}

func TestWait(t *testing.T) {
	both, client, gateway := []string{"client", "gateway"}, []string{"client"}, []string{"gateway"}
	sni := object(rules.VirtualService, "tls", &networking.VirtualService{Tls: []*networking.TLSRoute{{}}})
	tests := []struct {
		name   string
		moment string
		change rules.Change
		mark   string
		in     []string
		err    string // a part of it; empty: it is in force
	}{
		{"marked routes are in force", "rules", rules.Change{After: ours()}, mark, client, ""},
		{"routes with another mark are not", "rules", rules.Change{After: webRoutes("meshchaos-r2")}, "meshchaos-r2", nil, "client: it still has the route jason.meshchaos-r1"},
		{"nor is a rule before it was delivered", "norules", rules.Change{After: ours()}, mark, nil, "client: for web.shop.svc.cluster.local it has the routes [default]"},
		{"a mark that no entry has", "rules", rules.Change{After: webRoutes("a")}, mark, nil, "none of its http entries has meshchaos-r1"},
		{"a host that nobody has", "rules", rules.Change{After: object(rules.VirtualService, "x", &networking.VirtualService{
			Hosts: []string{"x"}, Http: []*networking.HTTPRoute{{Name: mark}},
		})}, mark, nil, "no proxy has anything for it"},
		{"routes for clients of another version concern nobody", "rules", rules.Change{After: fromVersion(ours(), "v2")}, mark, nil, "no proxy has anything"},
		{"routes for clients of its version concern the client", "rules", rules.Change{After: fromVersion(ours(), "v1")}, mark, client, ""},
		{"a gateway that the rule is not bound to is not waited for", "rules", rules.Change{After: byFront(ours())}, mark, client, ""},
		{"deleted routes are still there", "rules", rules.Change{Before: ours()}, "", nil, "client: it still has the route"},
		{"deleted routes are gone", "undone", rules.Change{Before: ours()}, "", client, ""},
		{"the run's routes are gone even if it is not known which they were", "rules", rules.Change{Before: webRoutes("a"), After: webRoutes("a")}, "", nil, "it still has the route"},
		{"tls routes", "rules", rules.Change{After: sni}, mark, nil, "tls routes cannot be told apart"},

		{"a TCP split is in force", "rules", rules.Change{After: echoSplit(80, 20)}, mark, gateway, ""},
		{"another one is not", "rules", rules.Change{Before: echoSplit(80, 20), After: echoSplit(100, 0)}, "", nil, "gateway: port 31400 leads to [outbound|9000|v1|echo.shop.svc.cluster.local:80"},
		{"weights that are swapped", "rules", rules.Change{After: echoSplit(20, 80)}, "", nil, "gateway: port 31400 leads to"},
		{"a split before it was delivered", "norules", rules.Change{After: echoSplit(80, 20)}, "", nil, "gateway: it has no listener on port 31400"},
		{"a deleted split is still there", "rules", rules.Change{Before: echoSplit(80, 20)}, "", nil, "gateway: port 31400 still leads to"},
		{"a deleted split is gone while its listener drains", "undone", rules.Change{Before: echoSplit(80, 20)}, "", nil, ""},

		{"a TCP split for any port is in force", "rules", rules.Change{After: portless(echoSplit(80, 20))}, mark, gateway, ""},
		{"by a match without a port", "rules", rules.Change{After: portless(echoSplit(80, 20), &networking.L4MatchAttributes{Gateways: []string{"tcp"}})}, mark, gateway, ""},
		{"another one for any port is not", "rules", rules.Change{After: portless(echoSplit(20, 80))}, "", nil, "gateway: one of its ports leads to [outbound|9000|v1|echo.shop.svc.cluster.local:80"},
		{"one for any port before it was delivered", "norules", rules.Change{After: portless(echoSplit(80, 20))}, "", nil, "gateway: it has no listener that leads to echo"},
		{"a deleted one for any port is still there", "rules", rules.Change{Before: portless(echoSplit(80, 20))}, "", nil, "gateway: one of its ports still leads to"},

		{"limits, outlier detection and subsets are in force", "rules", rules.Change{After: webRule(7, "v1", "v2")}, "", both, ""},
		{"another limit is not", "rules", rules.Change{After: webRule(1, "v1", "v2")}, "", nil, "has max_connections 7, not 1"},
		{"a subset that is missing", "rules", rules.Change{After: webRule(7, "v1", "v2", "v3")}, "", nil, "it has no cluster outbound|8000|v3|web.shop.svc.cluster.local"},
		{"a subset that was taken away is still there", "rules", rules.Change{Before: webRule(7, "v1", "v2"), After: webRule(7, "v2")}, "", nil, "it still has the cluster outbound|8000|v1|web"},
		{"a deleted rule is still in force", "rules", rules.Change{Before: webRule(7)}, "", nil, "has max_connections 7, not 4294967295"},
		{"a deleted rule is gone", "undone", rules.Change{Before: webRule(7, "v1", "v2")}, "", both, ""},

		{"a TCP server cannot be seen before a VirtualService is bound to it", "norules", rules.Change{After: server("TCP", 31400)}, "", nil, ""},
		{"a deleted TCP server still listens", "rules", rules.Change{Before: server("TCP", 31400)}, "", nil, "gateway: it still listens on port 31400"},
		{"a deleted TCP server is gone", "undone", rules.Change{Before: server("TCP", 31400)}, "", gateway, ""},
		{"an HTTP server that was not delivered", "norules", rules.Change{After: server("HTTP", 80)}, "", nil, "gateway: it has no virtual host on port 80"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			limit := soon
			if tt.err != "" {
				limit = never
			}
			in, err := waitFor(t.Context(), shop(t, tt.moment), tt.change, tt.mark, limit)
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("got the error %v", err)
			}
			if tt.in != nil || tt.err != "" {
				if diff := cmp.Diff(tt.in, in); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestWaitSeesARuleArrive(t *testing.T) {
	client := envoytest.Serve(t, "client", "norules")
	timer := time.AfterFunc(300*time.Millisecond, func() { client.Show("rules") })
	defer timer.Stop()
	start := time.Now()
	in, err := waitFor(t.Context(), []mesh.Proxy{{Name: "client", Admin: client.Admin}}, rules.Change{After: ours()}, mark, soon)
	if err != nil || len(in) != 1 {
		t.Fatal(in, err)
	}
	if took := time.Since(start); took < 300*time.Millisecond {
		t.Errorf("it was in force after %s", took)
	}
}

func TestAProxyThatCannotBeReadIsNamed(t *testing.T) {
	proxies := shop(t, "rules")
	proxies[0].Admin.Base = "http://127.0.0.1:1"
	_, err := waitFor(t.Context(), proxies, rules.Change{After: webRule(7, "v1", "v2")}, "", never)
	if err == nil || !strings.Contains(err.Error(), "client: reading /config_dump") {
		t.Error(err)
	}
}

func TestAnEndedContextEndsTheWait(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := waitFor(ctx, shop(t, "norules"), rules.Change{After: ours()}, mark, soon); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestARoundIsRepeatedAfterLongerAndLongerPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var at []time.Duration
		states := []state{pending, confirming, pending, pending, pending, pending, pending, pending, confirming, done}
		repeat(t.Context(), func(context.Context) state {
			at = append(at, time.Since(start))
			return states[len(at)-1]
		})
		var pauses []time.Duration
		for i := range at[1:] {
			pauses = append(pauses, (at[i+1] - at[i]).Round(time.Millisecond))
		}
		ms := time.Millisecond
		if diff := cmp.Diff([]time.Duration{50 * ms, 50 * ms, 113 * ms, 169 * ms, 253 * ms, 380 * ms, 500 * ms, 500 * ms, 50 * ms}, pauses); diff != "" {
			t.Error(diff)
		}
	})
}

func TestRepeatingEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		repeat(ctx, func(context.Context) state { return pending })
		if time.Since(start) != 3*time.Second {
			t.Errorf("it ended after %s", time.Since(start))
		}
	})
}
