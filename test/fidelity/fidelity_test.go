//go:build e2e

// Package fidelity holds the embedded sidecar against a real Envoy, call by call:
// the same calls under the same rules go through both, to workloads in this
// process. The Envoy is the sidecar of a pod of the cluster of test/cluster, and
// gets its configuration from Istio.
package fidelity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

func TestTheEmbeddedSidecarAnswersAsEnvoyDoes(t *testing.T) {
	c := startCluster(t)
	began := time.Now()
	trials := c.compare(t, "web", slices.Concat(cases, ejections, hashes), atOnce)
	trials = append(trials, c.compare(t, "tcp", streams, atOnce)...)
	trials = append(trials, c.compare(t, "crowd", crowds, 1)...) // Who comes first depends on the machine's other work.
	for _, tr := range trials {
		t.Run(tr.Name, tr.hold)
	}
	if err := documentCalls(trials, time.Since(began)); err != nil {
		t.Error(err)
	}
}

// compare tries cases on both sides, some beside each other.
func (c *cluster) compare(t *testing.T, prefix string, all []comparison, atOnce int) (trials []*trial) {
	t.Helper()
	for i := range all {
		trials = append(trials, c.prepare(t, &all[i], fmt.Sprintf("%s%02d", prefix, i)))
	}
	began := time.Now()
	c.run(t, trials, atOnce)
	t.Logf("%d cases in %s", len(trials), time.Since(began).Round(time.Millisecond))
	c.repeat(t, trials)
	return trials
}

// repeat makes the trials whose sides differ anew, one after the other, and what
// differs then once more: on a machine that was busy a timer of 300 ms may have been
// late by as much. A difference of the proxies is there each time. It returns how
// many were tried again.
func (c *cluster) repeat(t *testing.T, trials []*trial) (again int) {
	t.Helper()
	for _, suffix := range []string{"-again", "-once-more"} {
		var anew []*trial
		for i, tr := range trials {
			if found := tr.differences(); len(found) > 0 && tr.Known == "" {
				t.Logf("%s is tried again: %s", tr.Name, strings.Join(found, "\n"))
				trials[i] = c.prepare(t, tr.comparison, tr.service+suffix)
				anew = append(anew, trials[i])
			}
		}
		if len(anew) == 0 {
			break
		}
		c.run(t, anew, 1)
		again = max(again, len(anew))
	}
	return again
}

// hold fails where the sides differ without a known reason, and where they do not
// with one.
func (tr *trial) hold(t *testing.T) {
	found := tr.differences()
	switch {
	case len(found) > 0 && tr.Known == "":
		t.Errorf("%s\n%s\n%s\n%d calls, the first: %+v", strings.Join(found, "\n"), tr.virtualService(), tr.destinationRule(), len(tr.calls()), tr.calls()[0])
	case len(found) == 0 && tr.Known != "":
		t.Errorf("the sides do not differ, though it was known that %s", tr.Known)
	}
}

// run carries out trials on both sides, some beside each other.
func (c *cluster) run(t testing.TB, trials []*trial, atOnce int) {
	t.Helper()
	sentinel := c.publish(t, trials)
	c.awaitLive(t, sentinel)
	before, err := c.listenerStats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var beside errgroup.Group
	beside.SetLimit(atOnce)
	for _, tr := range trials {
		tr.startEmbedded(t)
		beside.Go(func() error {
			tr.drive(t, embeddedSide, tr.proxy.Dial)
			tr.drive(t, envoySide, c.dialTo(tr.through()))
			return nil
		})
	}
	_ = beside.Wait() // None has an error.
	c.collect(t, trials)
	c.holdFaults(t, trials, before)
}

// atOnce is how many trials are driven beside each other.
const atOnce = 8

// collect reads what both proxies logged and counted.
func (c *cluster) collect(t testing.TB, trials []*trial) {
	t.Helper()
	awaitSettled(t, trials)
	for _, tr := range trials {
		if err := tr.read(embeddedSide, byID(string(tr.proxy.KeptLog()))); err != nil {
			t.Error(err)
		}
	}
	await(t, "Envoy has written its access log", 30*time.Second, func() error {
		lines, err := c.logged(context.Background())
		for _, tr := range trials {
			err = errors.Join(err, tr.read(envoySide, lines))
		}
		if err != nil {
			return fmt.Errorf("of %d lines: %w", len(lines), err)
		}
		return nil
	})
	stats, err := c.allStats(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	hosts, err := c.admin.Clusters(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, tr := range trials {
		if tr.Opaque {
			stats = c.awaitEnded(t, tr)
		}
		tr.counts = [2]map[string]int64{tr.ours(stats), tr.embeddedStats()}
		if !tr.Opaque { // Of TCP, what has ended meanwhile is not in them.
			tr.countHosts(hosts)
		}
	}
}

// sentinelService is a service by which the test sees that what was written
// before is in force: its rules are written last.
const sentinelService = "sentinel"

// publish writes the services and rules of trials, and then a sentinel of each
// kind. It returns the host of the last.
func (c *cluster) publish(t testing.TB, trials []*trial) string {
	t.Helper()
	var writes errgroup.Group
	writes.SetLimit(atOnce)
	for _, tr := range trials {
		for _, manifest := range append(tr.manifests(t), tr.entry()) {
			writes.Go(func() error { return c.apply(manifest) })
		}
	}
	err := writes.Wait()
	tr := c.prepare(t, &comparison{}, fmt.Sprintf("%s%x", sentinelService, time.Now().UnixNano()))
	for _, manifest := range []map[string]any{
		tr.entry(),
		asManifest(t, "DestinationRule", tr.service, fmt.Sprintf(`{"host": %q, "subsets": [{"name": "v1", "labels": {"version": "v1"}}]}`, tr.service)),
		asManifest(t, "VirtualService", tr.service, fmt.Sprintf(`{"hosts": [%q], "http": [{"headers": {"response": {"add": {"live": "yes"}}}, "route": [{"destination": {"host": %q, "subset": "v1"}}]}]}`, tr.service, tr.service)),
	} {
		if err = errors.Join(err, c.apply(manifest)); err != nil {
			t.Fatal(err)
		}
	}
	return tr.service
}

func asManifest(t testing.TB, kind, name, spec string) map[string]any {
	t.Helper()
	var decoded map[string]any
	if err := json.Unmarshal([]byte(spec), &decoded); err != nil {
		t.Fatal(err)
	}
	return map[string]any{"kind": kind, "metadata": map[string]any{"name": name}, "spec": decoded}
}

// awaitLive waits until ten connections one after the other, and so both of the
// proxy's workers, show the sentinel's rules.
func (c *cluster) awaitLive(t testing.TB, sentinel string) {
	t.Helper()
	await(t, "the rules are in force", 4*time.Minute, func() error {
		for range 10 {
			transport := &http.Transport{DialContext: c.dialTo(anyService), DisableKeepAlives: true}
			o := call{}.send(&http.Client{Transport: transport, Timeout: 5 * time.Second}, sentinel, 0, "sentinel")
			if !slices.Contains(o.headers, "Live: yes") || !strings.HasPrefix(o.status, "200") {
				return errors.New(o.String())
			}
		}
		return nil
	})
}
