//go:build e2e

package fidelity

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/sidecar"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
)

// The two sides, and what stands before the request ids of each.
const (
	envoySide = iota
	embeddedSide
)

var sideIDs = [2]string{envoySide: "real-", embeddedSide: "embedded-"}

// trial is a case on its way: the same service on both sides, and what became of
// its calls.
type trial struct {
	*comparison
	service   string
	workloads [2][]*workload
	outcomes  [2][]outcome
	seen      [2][]string // what the workloads saw
	counts    [2]map[string]int64
	proxy     *sidecar.Sidecar
}

// prepare starts the workloads of both sides.
func (c *cluster) prepare(t testing.TB, cmp *comparison, service string) *trial {
	t.Helper()
	tr := &trial{comparison: cmp, service: service}
	for side := range sideIDs {
		if cmp.Shared && side == embeddedSide {
			tr.workloads[side] = tr.workloads[envoySide]
			break
		}
		for i, kind := range cmp.versions() {
			version := fmt.Sprintf("v%d", i+1)
			if kind == "twin" {
				version = fmt.Sprintf("v%d", i)
			}
			switch kind {
			case "up", "twin":
				if cmp.Opaque {
					tr.workloads[side] = append(tr.workloads[side], echoing(t, c.hostIP, version))
					continue
				}
				tr.workloads[side] = append(tr.workloads[side], serveWorkload(t, side, c.hostIP, version))
			case "refuses":
				tr.workloads[side] = append(tr.workloads[side], refusing(t, c.hostIP, version))
			case "deaf":
				tr.workloads[side] = append(tr.workloads[side], deaf(t, c.hostIP, version))
			}
		}
	}
	return tr
}

func (tr *trial) host() string { return tr.service + "." + namespace + ".svc.cluster.local" }

// manifests are the rules of the case, as they are written.
func (tr *trial) manifests(t testing.TB) []map[string]any {
	t.Helper()
	var all []map[string]any
	for kind, spec := range map[string]string{"VirtualService": tr.virtualService(), "DestinationRule": tr.destinationRule()} {
		if spec == "" {
			continue
		}
		var decoded map[string]any
		if err := json.Unmarshal([]byte(strings.ReplaceAll(spec, "$web", tr.service)), &decoded); err != nil {
			t.Fatalf("%s of %s: %v in %s", kind, tr.Name, err, spec)
		}
		all = append(all, map[string]any{
			"apiVersion": "networking.istio.io/v1", "kind": kind, "metadata": map[string]any{"name": tr.service, "namespace": namespace}, "spec": decoded,
		})
	}
	return all
}

// entry is the service as Istio gets it: its endpoints are in this process.
func (tr *trial) entry() map[string]any {
	spec := map[string]any{
		"hosts": []any{tr.host()}, "location": "MESH_INTERNAL", "resolution": "STATIC",
		"ports": []any{map[string]any{"number": int64(8000), "name": "http", "protocol": "HTTP"}},
	}
	if tr.Opaque {
		spec["addresses"] = []any{tr.virtualIP()}
		spec["ports"] = []any{map[string]any{"number": int64(8000), "name": "http", "protocol": "TCP"}}
	}
	var endpoints []any
	for _, w := range tr.workloads[envoySide] {
		a, _ := net.ResolveTCPAddr("tcp", w.address)
		endpoints = append(endpoints, map[string]any{
			"address": a.IP.String(), "ports": map[string]any{"http": int64(a.Port)}, "labels": map[string]any{"app": tr.service, "version": w.version},
		})
	}
	spec["endpoints"] = endpoints
	if endpoints == nil {
		delete(spec, "endpoints")
		spec["workloadSelector"] = map[string]any{"labels": map[string]any{"app": "nothing-has-this"}}
	}
	return map[string]any{"kind": "ServiceEntry", "metadata": map[string]any{"name": tr.service}, "spec": spec}
}

// compile makes the embedded sidecar's configuration of the case's rules.
func (tr *trial) compile(t testing.TB) (*config.Config, error) {
	t.Helper()
	return tr.compileObjects(t, tr.manifests(t))
}

// compileObjects makes the configuration of rules for the case's service.
func (tr *trial) compileObjects(t testing.TB, manifests []map[string]any) (*config.Config, error) {
	t.Helper()
	service := config.Service{Name: tr.service, Host: tr.host(), Ports: []config.Port{{Number: 8000, TCP: tr.Opaque}}}
	for _, w := range tr.workloads[embeddedSide] {
		service.Ports[0].Endpoints = append(service.Ports[0].Endpoints, config.Endpoint{
			Address: w.address, Workload: tr.service + "-" + w.version, Labels: map[string]string{"app": tr.service, "version": w.version},
		})
	}
	var objects []*rules.Object
	for _, manifest := range manifests {
		text, err := json.Marshal(manifest)
		if err != nil {
			t.Fatal(err)
		}
		o, err := rules.DecodeFile(text)
		if err != nil {
			return nil, err
		}
		objects = append(objects, o)
	}
	return sidecar.Compile(config.Mesh{Services: []config.Service{service}}, objects)
}

// startEmbedded starts the embedded sidecar with the case's rules.
func (tr *trial) startEmbedded(t testing.TB) {
	t.Helper()
	cfg, err := tr.compile(t)
	if err != nil {
		t.Fatalf("%s: %v", tr.Name, err)
	}
	tr.proxy, err = sidecar.Start(sidecar.Options{Name: "client", App: "client", Namespace: namespace, Seed: 1}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tr.proxy.Close(); err != nil {
			t.Errorf("%s: %v", tr.Name, err)
		}
	})
}

// drive sends the calls of the case on one side, one round after the other.
func (tr *trial) drive(t testing.TB, side int, dial dialer) {
	calls := tr.calls()
	tr.outcomes[side] = make([]outcome, len(calls))
	if tr.Opaque {
		tr.driveStreams(t, side, dial)
		return
	}
	each := len(calls) / max(1, tr.Rounds)
	for from := 0; from < len(calls); from += each {
		tr.round(t, side, dial, calls[from:from+each], from)
	}
}

// round sends calls on connections of their own, of which the first is from.
func (tr *trial) round(t testing.TB, side int, dial dialer, calls []call, from int) {
	connections := max(1, tr.Connections)
	var group sync.WaitGroup
	for i := range connections {
		conn := client(t, dial)
		group.Go(func() {
			for n := i; n < len(calls); n += connections {
				tr.outcomes[side][from+n] = calls[n].send(conn, tr.service, from+n, tr.id(side, from+n))
			}
		})
	}
	group.Wait()
}

// id is by which the access log tells of a call.
func (tr *trial) id(side, n int) string { return fmt.Sprintf("%s%s-%d", sideIDs[side], tr.service, n) }

// logLine is a line of the access log in Istio's default text format.
var logLine = regexp.MustCompile(`^\[[^]]*\] "(?P<request>[^"]*)" (?P<status>\S+) (?P<flags>\S+) (?P<details>\S+) (?P<end>\S+) "(?P<failure>[^"]*)" ` +
	`(?P<received>\S+) (?P<sent>\S+) \S+ (?P<took>\S+) "(?P<from>[^"]*)" "(?P<agent>[^"]*)" "(?P<id>[^"]*)" "(?P<authority>[^"]*)" "(?P<upstream>[^"]*)" ` +
	`(?P<cluster>\S+) (?P<local>\S+) \S+ \S+ (?P<name>\S+) (?P<route>\S+)`)

// read takes the outcomes' lines from a log.
func (tr *trial) read(side int, lines map[string]string) error {
	if tr.Opaque {
		return tr.readStreams(side, lines)
	}
	for n := range tr.outcomes[side] {
		line, ok := lines[tr.id(side, n)]
		if !ok {
			return fmt.Errorf("the log has no line of call %d of %q", n, tr.Name)
		}
		tr.outcomes[side][n].log = tr.inWords(side, line)
	}
	return nil
}

func (tr *trial) inWords(side int, line string) string {
	m := logLine.FindStringSubmatch(line)
	get := func(name string) string { return m[logLine.SubexpIndex(name)] }
	given := func(name string) string {
		if get(name) == "-" {
			return "-"
		}
		return "(given)"
	}
	upstream, received := get("upstream"), get("received")
	if tr.Unread && get("details") != "via_upstream" {
		received = "(given)"
	}
	for _, w := range tr.workloads[side] {
		if w.address == upstream {
			upstream = w.version
		}
	}
	return fmt.Sprintf("%q %s %s %s %s %q, received %s sent %s took %s, from %q to %q host %s local %s, %s %s", get("request"), get("status"), get("flags"), get("details"),
		get("end"), strings.ReplaceAll(get("failure"), tr.address(side), "(address)"), received, get("sent"), given("took"), get("from"), get("authority"), upstream, given("local"), get("cluster"), get("route"))
}

func (tr *trial) address(side int) string {
	if len(tr.workloads[side]) == 0 {
		return "(none)"
	}
	return tr.workloads[side][0].address
}

// ours are the stats of the case's clusters, without the service's name.
func (tr *trial) ours(all map[string]int64) map[string]int64 {
	out := map[string]int64{}
	for name, value := range all {
		name = strings.ReplaceAll(name, ";.", ".")
		cluster, stat, ok := strings.Cut(name, "|"+tr.host()+".")
		if ok && strings.HasPrefix(cluster, "cluster.outbound|") {
			out[strings.TrimPrefix(cluster, "cluster.")+" "+stat] = value
		}
	}
	return out
}

// allEmbedded are the counters of the embedded sidecar.
func (tr *trial) allEmbedded() map[string]int64 {
	all := map[string]int64{}
	for _, s := range tr.proxy.Stats() {
		if !s.Gauge {
			all[s.Name] = s.Value
		}
	}
	return all
}

// embeddedStats are those of the case's clusters.
func (tr *trial) embeddedStats() map[string]int64 { return tr.ours(tr.allEmbedded()) }

// awaitSettled waits until what the workloads saw does not grow any more: copies
// come after the answers.
func awaitSettled(t testing.TB, trials []*trial) {
	t.Helper()
	last, since := -1, time.Now()
	await(t, "the copies have come", time.Minute, func() error {
		now := 0
		for _, tr := range trials {
			for side, workloads := range tr.workloads {
				tr.seen[side] = nil
				for _, w := range workloads {
					tr.seen[side] = append(tr.seen[side], w.all(side)...)
				}
				slices.Sort(tr.seen[side])
				now += len(tr.seen[side])
			}
		}
		if now != last {
			last, since = now, time.Now()
		}
		if time.Since(since) < time.Second {
			return fmt.Errorf("%d have", now)
		}
		return nil
	})
}

// allStats are the counters of the real proxy's clusters.
func (c *cluster) allStats(ctx context.Context) (map[string]int64, error) {
	return c.statsOf(ctx, "^cluster.outbound.*"+namespace)
}

func (c *cluster) statsOf(ctx context.Context, filter string) (map[string]int64, error) {
	got, err := c.admin.Stats(ctx, filter)
	all := map[string]int64{}
	for name, value := range got {
		all[name] = int64(value)
	}
	return all, err
}
