//go:build e2e

package fidelity

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// crowds are several callers at once, whose calls meet the limits of a connection
// pool: who comes first is nobody's choice.
var crowds = slices.Concat(
	crowd(`"tcp": {"maxConnections": 1}, "http": {"http1MaxPendingRequests": 1}`, 1, 2, 3, 5, 8),
	crowd(`"tcp": {"maxConnections": 1}, "http": {"http1MaxPendingRequests": 1, "maxRequestsPerConnection": 1}`, 2, 3),
	crowd(`"tcp": {"maxConnections": 3}, "http": {"http1MaxPendingRequests": 2}`, 4, 8),
	crowd(`"http": {"http2MaxRequests": 2}`, 3, 8),
	crowd(`"tcp": {"maxConnections": 2}`, 8),
)

// crowd is a case for each number of callers, ten calls each in a round.
func crowd(pool string, callers ...int) (all []comparison) {
	for _, n := range callers {
		all = append(all, comparison{
			Name: fmt.Sprintf("%d at once, %s", n, strings.NewReplacer(`"tcp": {`, "", `"http": {`, "", "}", "", `"`, "").Replace(pool)), Connections: n, Rounds: 8,
			HTTP: "{" + v1 + "}", Policy: `"trafficPolicy": {"connectionPool": {` + pool + `}}`,
			Calls: slices.Repeat([]call{{Do: "wait=10ms"}}, 10*n),
		})
	}
	return all
}

// turnedAway is how many calls of each round found no room.
func (tr *trial) turnedAway(side int) []int {
	counts := make([]int, tr.Rounds)
	each := len(tr.outcomes[side]) / tr.Rounds
	for n, o := range tr.outcomes[side] {
		if strings.Contains(o.log, " 503 UO ") {
			counts[n/each]++
		}
	}
	return counts
}

// crowds compares what comes of calls that meet a limit: of how many words there
// are, that the counter of overflows is right, and that the rounds turn away about
// as many.
func (tr *trial) crowds() []string {
	var found []string
	for side, name := range [2]string{envoySide: "Envoy", embeddedSide: "the embedded sidecar"} {
		away := 0
		for _, n := range tr.turnedAway(side) {
			away += n
		}
		pending, active := tr.counts[side]["outbound|8000|v1 upstream_rq_pending_overflow"], tr.counts[side]["outbound|8000|v1 upstream_rq_active_overflow"]
		limit := strings.Contains(tr.Policy, "http2MaxRequests")
		if pending+active != int64(away) || limit != (active > 0) && away > 0 {
			found = append(found, fmt.Sprintf("%s turned %d away and counted %d as pending, %d as active", name, away, pending, active))
		}
	}
	a, b := tr.turnedAway(envoySide), tr.turnedAway(embeddedSide)
	if tolerance := tr.tolerance(); slices.Min(a) > slices.Max(b)+tr.spared(embeddedSide)+tolerance || slices.Min(b) > slices.Max(a)+tr.spared(envoySide)+tolerance {
		found = append(found, fmt.Sprintf("Envoy turned away %v, the embedded sidecar %v", a, b))
	}
	if slices.Max(a) == 0 || slices.Max(b) == 0 {
		return found
	}
	if ours, theirs := tr.kinds(embeddedSide), tr.kinds(envoySide); !slices.Equal(ours, theirs) {
		found = append(found, differing(theirs, ours))
	}
	return found
}

// tolerance is by how many calls of a round the sides may differ: a tenth, and a
// quarter where each call needs a connection of its own, since whether that is made
// before the next call comes depends on the machine.
func (tr *trial) tolerance() int {
	each := len(tr.calls()) / tr.Rounds
	if strings.Contains(tr.Policy, "maxRequestsPerConnection") {
		return each / 4
	}
	return each / 10
}

// spared is how many calls of a round were not turned away since a worker whose pool
// had no connection made one beyond the limit, which each serves one caller more. On
// which worker a caller's connection is, the kernel draws.
func (tr *trial) spared(side int) int {
	var limit int
	if _, text, ok := strings.Cut(tr.Policy, `"maxConnections": `); !ok || strings.Contains(tr.Policy, "maxRequestsPerConnection") {
		return 0
	} else if _, err := fmt.Sscanf(text, "%d", &limit); err != nil {
		return 0
	}
	made := int(tr.counts[side]["outbound|8000|v1 upstream_cx_total"])
	return max(0, made-limit) * len(tr.calls()) / tr.Rounds / tr.Connections
}

// kinds are the different outcomes of the calls, in words.
func (tr *trial) kinds(side int) []string {
	all := map[string]bool{}
	for _, o := range tr.outcomes[side] {
		all[o.String()] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// spread is a range of counts.
func spread(counts []int) string {
	return fmt.Sprintf("%d to %d", slices.Min(counts), slices.Max(counts))
}
