//go:build e2e

package fidelity

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/internal/envoy"
)

// countHosts adds to the counters of both sides what each has counted of the endpoints
// of the case's clusters, by version: what evidence is read of in a mesh that keeps
// nothing else.
func (tr *trial) countHosts(real []envoy.Cluster) {
	for _, c := range real {
		for _, h := range c.Hosts {
			tr.countHost(envoySide, c.Name.String(), h)
		}
	}
	for _, c := range tr.proxy.Snapshot().Clusters {
		for _, h := range c.Hosts {
			tr.countHost(embeddedSide, c.Config.Name, envoy.Host{Address: h.Address, Requests: uint64(h.RqTotal), Errors: uint64(h.RqError), Conns: uint64(h.CxTotal)})
		}
	}
}

func (tr *trial) countHost(side int, cluster string, h envoy.Host) {
	name, ok := envoy.ParseClusterName(cluster)
	if !ok || name.Host != tr.host() {
		return
	}
	name.Host = ""
	for _, w := range tr.workloads[side] {
		if w.address == h.Address {
			of := name.String() + w.version + " "
			tr.counts[side][of+"rq_total"] += int64(h.Requests)
			tr.counts[side][of+"rq_error"] += int64(h.Errors)
			tr.counts[side][of+"cx_total"] += int64(h.Conns)
		}
	}
}

// faultsLogged are the calls of trials of whose lines in the log one side has a flag.
func faultsLogged(trials []*trial, side int, flag string) (n int64) {
	for _, tr := range trials {
		for _, o := range tr.outcomes[side] {
			if m := flagsOf.FindStringSubmatch(o.log); m != nil && slices.Contains(strings.Split(m[1], ","), flag) {
				n++
			}
		}
	}
	return n
}

// flagsOf are the flags of a line of the log, as outcomes have it.
var flagsOf = regexp.MustCompile(`^"[^"]*" \S+ (\S+) `)

// faultCounters are what the listeners count of faults, by the flag that says so in the log.
var faultCounters = map[string]string{"DI": "fault.delays_injected", "FI": "fault.aborts_injected"}

// faultsCounted is what a proxy has counted of one of them.
func faultsCounted(stats map[string]int64, counter string) (n int64) {
	for name, value := range stats {
		if strings.HasPrefix(name, "http.outbound_") && strings.HasSuffix(name, "."+counter) {
			n += value
		}
	}
	return n
}

// holdFaults holds what the proxies counted of faults against their logs, which are
// compared call by call: all trials share the real one's listener, so that its counters
// are not.
func (c *cluster) holdFaults(t testing.TB, trials []*trial, before map[string]int64) {
	t.Helper()
	after, err := c.listenerStats(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for flag, counter := range faultCounters {
		if counted, logged := faultsCounted(after, counter)-faultsCounted(before, counter), faultsLogged(trials, envoySide, flag); counted != logged {
			t.Errorf("Envoy's %s grew by %d, and its log has %d lines with %s", counter, counted, logged, flag)
		}
		for _, tr := range trials {
			if counted, logged := faultsCounted(tr.allEmbedded(), counter), faultsLogged([]*trial{tr}, embeddedSide, flag); counted != logged {
				t.Errorf("%s: the embedded sidecar's %s is %d, and its log has %d lines with %s", tr.Name, counter, counted, logged, flag)
			}
		}
	}
}

// listenerStats are the counters of the real proxy's listeners for what leaves its pod.
func (c *cluster) listenerStats(ctx context.Context) (map[string]int64, error) {
	return c.statsOf(ctx, `^http\.outbound_`)
}
