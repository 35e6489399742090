package meshtest

import (
	"bufio"
	"cmp"
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/report"
)

// Answered prepares a mesh for cohorts, and follows what the proxy of the load workload
// answers until stop is called, which returns it in the order in which it was answered.
func Answered(t testing.TB, m mesh.Mesh, cohorts []mesh.Cohort) (stop func() []envoy.LogEntry) {
	t.Helper()
	if err := m.Prepare(t.Context(), cohorts); err != nil {
		t.Fatal(err)
	}
	proxies, err := m.Proxies(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	client := proxies[slices.IndexFunc(proxies, func(p mesh.Proxy) bool { return p.Client })]
	logs, err := client.Admin.AccessLogs(t.Context(), "")
	if err != nil || len(logs) == 0 {
		t.Fatalf("looking for the access log of %s: there are %v, error %v", client.Name, logs, err)
	}
	reader, err := envoy.NewLogReader(logs[0].Format)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	stream, err := client.Log(ctx, time.Now())
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	var all []envoy.LogEntry
	read := make(chan bool)
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(stream); lines.Scan(); {
			if entry, ours, err := reader.Read(lines.Bytes()); ours && err == nil {
				all = append(all, entry)
			}
		}
	}()
	late := m.Info().LogDelay
	return func() []envoy.LogEntry {
		select { // the last lines come when the proxy writes them, or ends
		case <-read:
		case <-time.After(2 * late):
		}
		_ = stream.Close()
		cancel()
		<-read
		slices.SortFunc(all, func(a, b envoy.LogEntry) int { return cmp.Compare(ended(a), ended(b)) })
		return all
	}
}

// ended is when a request was answered.
func ended(e envoy.LogEntry) int64 { return e.Started.Add(e.Duration).UnixNano() }

// Breach returns when, by what a proxy answered in a window, more than one of twenty
// requests had ended in 503, of twenty at least; how many requests it was sent after
// that, and when the last of all.
func Breach(all []envoy.LogEntry, w *report.Window) (at time.Time, after int, last time.Time) {
	var sent, failed int
	for _, e := range all {
		if e.Started.Before(w.Started.Truncate(time.Millisecond)) { // as exact as a line is
			continue
		}
		if e.Started.After(last) {
			last = e.Started
		}
		sent++
		if e.Status == http.StatusServiceUnavailable {
			failed++
		}
		switch {
		case !at.IsZero():
			after++
		case sent >= 20 && failed*20 > sent:
			at = e.Started.Add(e.Duration)
		}
	}
	return at, after, last
}
