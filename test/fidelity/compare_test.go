//go:build e2e

package fidelity

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// comparison is rules, and calls under them. In its rules $web is the service's
// name.
type comparison struct {
	Name        string
	Versions    []string // what each version of the service does: up (the default of both), twin (a second endpoint of the one before), refuses, deaf (takes no connection, and refuses none), none
	Shared      bool     // both sides have the same workloads, at the same addresses
	HTTP        string   // the http entries of the VirtualService, in JSON, without brackets; empty: there is none
	Opaque      bool     // the service's port is one of TCP connections: each call is one, and sends its body
	TCP         string   // the tcp entries of the VirtualService, as HTTP
	Policy      string   // the fields of the DestinationRule beside host and subsets, in JSON
	NoSubsets   bool     // there is no DestinationRule
	Calls       []call
	Times       int    // how often the calls are made; 0: once
	Connections int    // 0: one
	Unread      bool   // how much is received of a body that no host took is not compared
	Rounds      int    // how often the calls are made by so many callers; how many each time are turned away is compared. 0: all is compared
	Drawn       bool   // what becomes of a call is drawn, so shares are compared
	Known       string // why the sides differ, and may
}

func (c *comparison) versions() []string {
	if c.Versions == nil {
		return []string{"up", "up"}
	}
	return c.Versions
}

func (c *comparison) calls() []call {
	return slices.Repeat(c.Calls, max(1, c.Times)*max(1, c.Rounds))
}

func (c *comparison) virtualService() string {
	if c.TCP != "" {
		return fmt.Sprintf(`{"hosts": ["$web"], "tcp": [%s]}`, c.TCP)
	}
	if c.HTTP == "" {
		return ""
	}
	return fmt.Sprintf(`{"hosts": ["$web"], "http": [%s]}`, c.HTTP)
}

func (c *comparison) destinationRule() string {
	if c.NoSubsets {
		return ""
	}
	policy := ""
	if c.Policy != "" {
		policy = c.Policy + ","
	}
	return fmt.Sprintf(`{"host": "$web", %s "subsets": [{"name": "v1", "labels": {"version": "v1"}}, {"name": "v2", "labels": {"version": "v2"}}, {"name": "v9", "labels": {"version": "v9"}}]}`, policy)
}

// differences are what the two sides did not do alike, in words.
func (tr *trial) differences() []string {
	switch {
	case tr.Rounds > 0:
		return tr.crowds()
	case tr.Drawn:
		return tr.shares()
	}
	found := tr.answers()
	if a, b := tr.seen[envoySide], tr.seen[embeddedSide]; !slices.Equal(a, b) {
		found = append(found, "the workloads saw\n"+strings.Join(unlike(a, b), "\n"))
	}
	return append(found, tr.counters()...)
}

// early is by how much an Envoy's timer may end before its time as the caller takes
// it: Envoy counts from when its loop last woke, in whole milliseconds (its
// Event::Dispatcher, approximateMonotonicTime), and the request may have come later.
const early = 20 * time.Millisecond

func (tr *trial) answers() []string {
	var found []string
	for n, a := range tr.outcomes[envoySide] {
		b := tr.outcomes[embeddedSide][n]
		if a.String() != b.String() {
			found = append(found, fmt.Sprintf("call %d, %+v\n%s", n, tr.calls()[n], differing(strings.Split(a.String(), "\n"), strings.Split(b.String(), "\n"))))
		}
		if least := tr.calls()[n].AtLeast; a.took < least-early || b.took < least {
			found = append(found, fmt.Sprintf("call %d took %s in Envoy, %s in the embedded sidecar, and was to take %s", n, a.took, b.took, least))
		}
	}
	return found
}

// differing are the lines of two lists that are not in both.
func differing(a, b []string) string {
	var lines []string
	for _, l := range a {
		if !slices.Contains(b, l) {
			lines = append(lines, "  Envoy:    "+l)
		}
	}
	for _, l := range b {
		if !slices.Contains(a, l) {
			lines = append(lines, "  embedded: "+l)
		}
	}
	return strings.Join(lines, "\n")
}

// unlike are the requests that the workloads of one side alone saw; of one that
// both saw, its parts that differ.
func unlike(a, b []string) []string {
	var lines []string
	pair := map[string]string{}
	for _, l := range b {
		pair[requestKey(l)] = l
	}
	for _, l := range a {
		other, ok := pair[requestKey(l)]
		delete(pair, requestKey(l))
		switch {
		case !ok:
			lines = append(lines, "  Envoy's:    "+l)
		case other != l:
			lines = append(lines, "  "+requestKey(l)+differing(strings.Split(l, "; "), strings.Split(other, "; ")))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(pair)) {
		lines = append(lines, "  embedded's: "+pair[key])
	}
	return lines
}

func requestKey(request string) string {
	key, _, _ := strings.Cut(request, ": ")
	return key
}

// counters compares what the embedded sidecar counts. Envoy makes many counters
// when they are needed.
func (tr *trial) counters() []string {
	var found []string
	for _, name := range slices.Sorted(maps.Keys(tr.counts[embeddedSide])) {
		connections := strings.Contains(name, "upstream_cx_") || strings.HasSuffix(name, " cx_total") || strings.HasSuffix(name, "pending_total")
		if connections && (strings.Contains(tr.HTTP, "mirror") || tr.reconnects()) {
			continue // A copy is under way when the next request comes, or is not.
		}
		if a, b := tr.counts[envoySide][name], tr.counts[embeddedSide][name]; a != b {
			found = append(found, fmt.Sprintf("%s is %d in Envoy, %d in the embedded sidecar", name, a, b))
		}
	}
	return found
}

// reconnects says whether the proxy itself answered a call of generated ones that
// has a body: Envoy then ends the caller's connection, and its next may belong to the
// other worker, which has connections of its own.
func (tr *trial) reconnects() bool {
	for n, o := range tr.outcomes[envoySide] {
		if tr.Unread && tr.calls()[n].Body != "" && !strings.Contains(o.log, " via_upstream ") {
			return true
		}
	}
	return false
}

// shares compares how often each outcome came: within five standard deviations of
// the difference.
func (tr *trial) shares() []string {
	var counts [2]map[string]int
	for side, outcomes := range tr.outcomes {
		counts[side] = map[string]int{}
		for _, o := range outcomes {
			fields := strings.SplitN(o.log, ", ", 2)
			counts[side][o.status+" "+o.body+" "+fields[0]]++
		}
		for _, s := range tr.seen[side] {
			counts[side]["came to "+strings.Fields(strings.SplitN(s, "at ", 2)[1])[0]]++
		}
	}
	n := float64(len(tr.outcomes[envoySide]))
	all := maps.Clone(counts[envoySide])
	maps.Copy(all, counts[embeddedSide])
	var found []string
	for _, what := range slices.Sorted(maps.Keys(all)) {
		a, b := counts[envoySide][what], counts[embeddedSide][what]
		p := float64(a+b) / (2 * n)
		if d := math.Abs(float64(a - b)); d > 5*math.Sqrt(max(1, 2*n*p*(1-min(p, 1)))) {
			found = append(found, fmt.Sprintf("of %g calls %d in Envoy, %d in the embedded sidecar: %s", n, a, b, what))
		}
	}
	return found
}
