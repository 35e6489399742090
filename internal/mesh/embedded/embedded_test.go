package embedded

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	telemetry "istio.io/api/telemetry/v1alpha1"

	"github.com/meshchaos/meshchaos/internal/agent"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
	"github.com/meshchaos/meshchaos/loadgen"
)

// agentEnv makes the test binary a load agent.
const agentEnv = "EMBEDDED_TEST_AGENT"

func TestMain(m *testing.M) {
	if os.Getenv(agentEnv) != "" {
		if err := agent.ServeInherited(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

var _ mesh.Mesh = (*Mesh)(nil)

func open(t testing.TB, app string, seed uint64) *Mesh {
	t.Helper()
	m, err := Open(t.Context(), Options{App: app, Seed: seed, Agent: []string{os.Args[0]}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return m
}

// object decodes a manifest without apiVersion.
func object(t testing.TB, text string) *rules.Object {
	t.Helper()
	o, err := rules.DecodeFile([]byte(`{"apiVersion":"networking.istio.io/v1",` + text[1:]))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func create(t testing.TB, m *Mesh, texts ...string) []*rules.Object {
	t.Helper()
	var all []*rules.Object
	for _, text := range texts {
		o, err := m.Write(t.Context(), rules.Change{After: object(t, text)})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, o)
	}
	return all
}

func load(t testing.TB, m *Mesh, from string, plan loadgen.Plan) *loadgen.Result {
	t.Helper()
	results, err := m.Load(t.Context(), []mesh.Cohort{{Name: "load", From: from, Plan: plan}}, mesh.Guard{}, begun, nil)
	if err != nil {
		t.Fatal(err)
	}
	if results["load"].Failure != "" {
		t.Fatal(results["load"].Failure)
	}
	return results["load"]
}

// outcomes words what came back: status or error, version and checks.
func outcomes(r *loadgen.Result) map[string]int64 {
	all := map[string]int64{}
	for _, o := range r.Outcomes {
		all[strings.TrimSpace(fmt.Sprint(o.Status, " ", o.Error, o.Version, " ", strings.Join(o.Checks, " ")))] += o.Count
	}
	return all
}

const (
	reviewsSubsets = `{"kind":"DestinationRule","metadata":{"name":"reviews"},"spec":{"host":"reviews","subsets":[{"name":"v2","labels":{"version":"v2"}},{"name":"v3","labels":{"version":"v3"}}]}}`
	reviewsV2      = `{"kind":"VirtualService","metadata":{"name":"reviews"},"spec":{"hosts":["reviews"],"http":[{"route":[{"destination":{"host":"reviews","subset":"v2"}}]}]}}`
	ratingsAbort   = `{"kind":"VirtualService","metadata":{"name":"ratings"},"spec":{"hosts":["ratings"],"http":[
		{"match":[{"headers":{"end-user":{"exact":"jason"}}}],"fault":{"abort":{"httpStatus":500,"percentage":{"value":100}}},"route":[{"destination":{"host":"ratings"}}]},
		{"route":[{"destination":{"host":"ratings"}}]}]}}`
)

func productpage(user string) *loadgen.HTTP {
	return &loadgen.HTTP{Method: http.MethodGet, URL: "http://productpage:9080/productpage",
		Login: &loadgen.Login{URL: "http://productpage:9080/login", Form: map[string]string{"username": user}}}
}

// The abort task of Bookinfo: every hop goes through the caller's proxy, and
// the fault is injected in that of reviews.
func TestAFaultInRatingsShowsOnJasonsPageAlone(t *testing.T) {
	m := open(t, "bookinfo", 1)
	create(t, m, reviewsSubsets, reviewsV2, ratingsAbort)
	checks := []loadgen.Check{{Name: "ratings-lost", Body: "Ratings service is currently unavailable"}, {Name: "stars", Body: "glyphicon-star"}}
	for user, want := range map[string]map[string]int64{
		"jason": {"200  ratings-lost": 3},
		"anna":  {"200  stars": 3},
	} {
		r := load(t, m, mesh.FromClient, loadgen.Plan{HTTP: productpage(user), Connections: 1, Requests: 3, Checks: checks})
		if diff := cmp.Diff(want, outcomes(r)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", user, diff)
		}
	}
	aborts := map[string]uint64{}
	proxies, err := m.Proxies(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range proxies {
		stats, err := p.Admin.Stats(t.Context(), `^http\..*fault\.aborts_injected$`)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range stats {
			aborts[p.Workload] += n
		}
	}
	for workload, n := range aborts {
		if want := map[string]uint64{"reviews-v2": 3}[workload]; n != want {
			t.Errorf("the proxy of %s injected %d aborts, want %d", workload, n, want)
		}
	}
}

func TestTheGatewayShiftsConnections(t *testing.T) {
	m := open(t, "tcp-echo", 1)
	plan := loadgen.Plan{TCP: &loadgen.TCP{Address: "istio-ingressgateway:31400", Lines: []string{"hello", "again"}}, Connections: 2, Requests: 100,
		Versions: []loadgen.Check{{Name: "v1", Match: "^one "}, {Name: "v2", Match: "^two "}}}
	if got := outcomes(load(t, m, mesh.FromGateway, plan)); got["0 refused"] != 100 {
		t.Errorf("without a Gateway: %v", got)
	}
	create(t, m, `{"kind":"DestinationRule","metadata":{"name":"tcp-echo"},"spec":{"host":"tcp-echo","subsets":[{"name":"v1","labels":{"version":"v1"}},{"name":"v2","labels":{"version":"v2"}}]}}`,
		`{"kind":"Gateway","metadata":{"name":"tcp"},"spec":{"selector":{"istio":"ingressgateway"},"servers":[{"port":{"number":31400,"name":"tcp","protocol":"TCP"},"hosts":["*"]}]}}`,
		`{"kind":"VirtualService","metadata":{"name":"tcp"},"spec":{"hosts":["*"],"gateways":["tcp"],"tcp":[{"match":[{"port":31400}],"route":[
			{"destination":{"host":"tcp-echo","port":{"number":9000},"subset":"v1"},"weight":80},{"destination":{"host":"tcp-echo","port":{"number":9000},"subset":"v2"},"weight":20}]}]}}`)
	got := outcomes(load(t, m, mesh.FromGateway, plan))
	if got["0 v1"]+got["0 v2"] != 100 || got["0 v2"] < 3 || got["0 v2"] > 50 {
		t.Errorf("80/20: %v", got)
	}
}

// Istio's breaker task: how many overflow depends on timing, but both answers
// occur with three callers, and the proxy counts what the clients see. It is of a
// subset, since the limits of a whole service are its own sidecars' too, whose
// overflows eject it.
func TestHttpbinsBreakerTripsWithThreeCallers(t *testing.T) {
	m := open(t, "httpbin", 1)
	create(t, m, `{"kind":"DestinationRule","metadata":{"name":"httpbin"},"spec":{"host":"httpbin","subsets":[{"name":"v1","labels":{"version":"v1"},"trafficPolicy":{
		"connectionPool":{"tcp":{"maxConnections":1},"http":{"http1MaxPendingRequests":1,"maxRequestsPerConnection":1}},
		"outlierDetection":{"consecutiveGatewayErrors":1,"interval":"1s","baseEjectionTime":"180s","maxEjectionPercent":100}}}]}}`,
		`{"kind":"VirtualService","metadata":{"name":"httpbin"},"spec":{"hosts":["httpbin"],"http":[{"route":[{"destination":{"host":"httpbin","subset":"v1"}}]}]}}`)
	got := outcomes(load(t, m, mesh.FromClient, loadgen.Plan{HTTP: &loadgen.HTTP{Method: "GET", URL: "http://httpbin:8000/get"}, Connections: 3, Requests: 30}))
	if got["200"] == 0 || got["503"] == 0 || got["200"]+got["503"] != 30 {
		t.Errorf("got %v", got)
	}
	proxies, err := m.Proxies(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(proxies, func(p mesh.Proxy) bool { return p.Client })
	stats, err := proxies[at].Admin.Stats(t.Context(), `8000\|v1\|httpbin\.default.*(upstream_rq_pending_overflow|ejections_enforced_total)$`)
	if err != nil {
		t.Fatal(err)
	}
	const cluster = "cluster.outbound|8000|v1|httpbin.default.svc.cluster.local"
	want := map[string]uint64{cluster + ".upstream_rq_pending_overflow": uint64(got["503"]), cluster + ".outlier_detection.ejections_enforced_total": 0}
	if diff := cmp.Diff(want, stats); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAWriteIsRefusedWhenTheObjectHasMoved(t *testing.T) {
	m := open(t, "bookinfo", 1)
	created := create(t, m, reviewsSubsets, reviewsV2)
	vs := created[1]
	if vs.Namespace != Namespace || vs.ResourceVersion != "2" {
		t.Errorf("created: %+v", vs)
	}
	if again, err := rules.Decode(vs.Manifest); err != nil || !rules.Equal(again, vs) {
		t.Errorf("its manifest is %s: %v %v", vs.Manifest, rules.Diff(vs, again), err)
	}
	after := vs.Clone()
	after.Labels = map[string]string{"touched": "yes"}
	updated, err := m.Write(t.Context(), rules.Change{Before: vs, After: after})
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]rules.Change{
		"an update of an old version":   {Before: vs, After: vs},
		"a deletion of an old version":  {Before: vs},
		"a creation of what is there":   {After: vs},
		"an update of what is not":      {Before: &rules.Object{Ref: rules.Ref{Kind: rules.Gateway, Namespace: Namespace, Name: "x"}, ResourceVersion: "1"}},
		"an update without its version": {Before: &rules.Object{Ref: vs.Ref}, After: vs},
	} {
		var conflict *mesh.ConflictError
		if _, err := m.Write(t.Context(), change); !errors.As(err, &conflict) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Undone by the change's own Undo, it is as it was.
	undone, err := m.Write(t.Context(), rules.Change{Before: updated, After: vs})
	if err != nil || !rules.Equal(undone, vs) {
		t.Errorf("undone: %v %v", rules.Diff(vs, undone), err)
	}
	if _, err := m.Write(t.Context(), rules.Change{Before: undone}); err != nil {
		t.Fatal(err)
	}
	objects, err := m.Objects(t.Context())
	if err != nil || len(objects) != 1 || objects[0].Kind != rules.DestinationRule {
		t.Errorf("left: %v %v", objects, err)
	}
}

// What a proxy cannot do is refused before anything is written, by name.
func TestAnUnsupportedFieldIsRefusedAndNothingChanges(t *testing.T) {
	m := open(t, "bookinfo", 1)
	create(t, m, reviewsSubsets)
	bad := object(t, `{"kind":"VirtualService","metadata":{"name":"reviews"},"spec":{"hosts":["reviews"],"http":[{"corsPolicy":{},"route":[{"destination":{"host":"reviews","subset":"v2"}}]}]}}`)
	_, writeErr := m.Write(t.Context(), rules.Change{After: bad})
	for name, err := range map[string]error{
		"the mesh's Admit": m.Admit(t.Context(), []*rules.Object{bad}), "Admit": Admit("bookinfo", []*rules.Object{bad}), "Write": writeErr,
	} {
		var unsupported *config.UnsupportedError
		if !errors.As(err, &unsupported) || unsupported.Path != "spec.http[0].corsPolicy" {
			t.Errorf("%s: %v", name, err)
		}
	}
	elsewhere := object(t, `{"kind":"DestinationRule","metadata":{"name":"reviews","namespace":"shop"},"spec":{"host":"reviews"}}`)
	if err := m.Admit(t.Context(), []*rules.Object{elsewhere}); err == nil || !strings.Contains(err.Error(), "namespace") {
		t.Errorf("another namespace: %v", err)
	}
	if objects, _ := m.Objects(t.Context()); len(objects) != 1 {
		t.Errorf("%d objects are stored", len(objects))
	}
}

func TestLoadToAnUnknownAddressSaysWhatThereIs(t *testing.T) {
	m := open(t, "httpbin", 1)
	for url, want := range map[string]string{
		"http://htpbin:8000/get": "httpbin:8000", "http://httpbin:80/get": "httpbin:8000", "ftp://httpbin:8000/": "it must begin with http://",
	} {
		_, err := m.Load(t.Context(), []mesh.Cohort{{Name: "a", From: mesh.FromClient, Plan: loadgen.Plan{HTTP: &loadgen.HTTP{Method: "GET", URL: url}, Connections: 1, Requests: 1}}}, mesh.Guard{}, begun, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestEveryDoorOpens(t *testing.T) {
	m := open(t, "bookinfo", 1)
	defer http.DefaultClient.CloseIdleConnections()
	var opened int
	for _, line := range m.Doors() {
		name, url, ok := strings.Cut(line, " http://")
		if !ok || strings.Contains(line, "curl") {
			continue
		}
		resp, err := http.Get("http://" + strings.TrimSpace(url))
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || strings.HasPrefix(name, "page") && !strings.Contains(string(body), "Comedy of Errors") {
			t.Errorf("%s: %s %v", line, resp.Status, err)
		}
		opened++
	}
	if opened != 1+6+2 {
		t.Errorf("%d doors: %q", opened, m.Doors())
	}
}

// Meshes beside each other share nothing: each has its own rules, counts and
// draws, and the same seed draws the same in all.
func TestManyMeshesDoNotDisturbEachOther(t *testing.T) {
	split := `{"kind":"VirtualService","metadata":{"name":"reviews"},"spec":{"hosts":["reviews"],"http":[{"route":[
		{"destination":{"host":"reviews","subset":"v2"},"weight":50},{"destination":{"host":"reviews","subset":"v3"},"weight":50}]}]}}`
	var mu sync.Mutex
	var drawn []int64
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			m, err := Open(t.Context(), Options{App: "bookinfo", Seed: 42})
			if err != nil {
				t.Error(err)
				return
			}
			defer func() {
				if err := m.Close(t.Context()); err != nil {
					t.Error(err)
				}
			}()
			create(t, m, reviewsSubsets, split)
			r := load(t, m, mesh.FromClient, loadgen.Plan{HTTP: &loadgen.HTTP{Method: "GET", URL: "http://reviews:9080/reviews/0"}, Connections: 3, Requests: 30,
				// By their pods, and not by their stars: v3 shows none where ratings takes 2.5 s,
				// as it may on a machine that has much else to do.
				Versions: []loadgen.Check{{Name: "v3", Body: "reviews-v3"}, {Name: "v2", Body: "reviews-v2"}}})
			if counted := outcomes(r); counted["200 v2"]+counted["200 v3"] != 30 {
				t.Errorf("outcomes %v", counted)
			}
			mu.Lock()
			defer mu.Unlock()
			drawn = append(drawn, outcomes(r)["200 v3"])
		})
	}
	all.Wait()
	if len(slices.Compact(slices.Clone(drawn))) != 1 || drawn[0] == 0 || drawn[0] == 30 {
		t.Errorf("requests to v3: %v", drawn)
	}
}

// begun begins a load at once.
func begun(context.Context) error { return nil }

// Both proxies of a call write it down under one request id, and with it the
// rule's mark.
func TestTheAccessLogsOfAllProxiesCanBeFollowed(t *testing.T) {
	m := open(t, "bookinfo", 1)
	create(t, m, reviewsSubsets, `{"kind":"VirtualService","metadata":{"name":"reviews"},"spec":{"hosts":["reviews"],"http":[{"name":"the-mark","route":[{"destination":{"host":"reviews","subset":"v2"}}]}]}}`)
	proxies, err := m.Proxies(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	load(t, m, mesh.FromClient, loadgen.Plan{HTTP: &loadgen.HTTP{Method: "GET", URL: "http://reviews:9080/reviews/0", Header: map[string]string{"X-Request-Id": "call-1"}}, Connections: 1, Requests: 1})
	for workload, want := range map[string]string{
		clientName:   `"call-1" "reviews:9080" "` + m.workloads[slices.IndexFunc(m.workloads, func(w injected) bool { return w.options.Name == "reviews-v2" })].address() + `" outbound|9080|v2|reviews.default.svc.cluster.local`,
		"reviews-v2": `"call-1" "ratings:9080"`,
	} {
		p := proxies[slices.IndexFunc(proxies, func(p mesh.Proxy) bool { return p.Workload == workload })]
		log, err := p.Log(t.Context(), began)
		if err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(log).ReadString('\n')
		log.Close()
		if err != nil || !strings.Contains(line, want) || workload == clientName && !strings.HasSuffix(line, " the-mark\n") {
			t.Errorf("%s: %v %s", workload, err, line)
		}
	}
}

// Without an access log there is none until a Telemetry object turns it on, as
// on a cluster whose accessLogFile is empty.
func TestTelemetryTurnsTheAccessLogsOn(t *testing.T) {
	m, err := Open(t.Context(), Options{App: "httpbin", NoAccessLog: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	call := func(path string) {
		load(t, m, mesh.FromClient, loadgen.Plan{HTTP: &loadgen.HTTP{Method: "GET", URL: "http://httpbin:8000" + path}, Connections: 1, Requests: 1})
	}
	log, err := m.client().FollowLog(t.Context(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	call("/get?before")
	written, err := m.Write(t.Context(), rules.Change{After: &rules.Object{Ref: rules.Ref{Kind: rules.Telemetry, Name: "logs"},
		Spec: &telemetry.Telemetry{AccessLogging: []*telemetry.AccessLogging{{Providers: []*telemetry.ProviderRef{{Name: "envoy"}}}}}}})
	if err != nil {
		t.Fatal(err)
	}
	call("/get?after")
	line, err := bufio.NewReader(log).ReadString('\n')
	if err != nil || !strings.Contains(line, "GET /get?after ") {
		t.Errorf("%v %s", err, line)
	}
	if _, err := m.Write(t.Context(), rules.Change{Before: written}); err != nil {
		t.Error(err)
	}
}
