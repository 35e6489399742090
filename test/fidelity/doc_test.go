//go:build e2e

package fidelity

import (
	"fmt"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/test/fidelity/page"
)

// documentCalls writes what was compared call by call to the page.
func documentCalls(trials []*trial, took time.Duration) error {
	var calls, known int
	var text strings.Builder
	for _, tr := range trials {
		calls += len(tr.outcomes[envoySide])
		result := "alike"
		switch found := tr.differences(); {
		case tr.Known != "":
			known++
			result = "differs: " + tr.Known
		case len(found) > 0:
			result = "**differs**"
		case tr.Rounds > 0:
			result = fmt.Sprintf("alike: turned away %s in Envoy, %s in the embedded sidecar, of %d in a round", spread(tr.turnedAway(envoySide)), spread(tr.turnedAway(embeddedSide)), len(tr.calls())/tr.Rounds)
		case tr.Drawn:
			result = "alike, as shares"
		}
		fmt.Fprintf(&text, "| %s | %d | %s |\n", tr.Name, len(tr.outcomes[envoySide]), result)
	}
	return page.Write("Calls under the same rules", fmt.Sprintf(`It compares status, headers and body of each answer, the line of the access log, what the workloads saw, and each counter of the clusters that the embedded sidecar has; where something is drawn, the shares; where it depends on who comes first, how many of each round are turned away.

Not compared: the reason phrase behind a status, dates, durations beyond a least one, headers of tracing, which depend on the mesh, and gauges.

%d cases, %d calls through each, in %.0f s; %d differ for a known reason.

| case | calls | |
|---|---|---|
%s`, len(trials), calls, took.Seconds(), known, text.String()))
}

// documentGenerated writes how many generated rule sets were compared.
func documentGenerated(trials []*trial, again int, took time.Duration) error {
	var calls, differ int
	var text strings.Builder
	for _, tr := range trials {
		calls += len(tr.outcomes[envoySide])
		if found := tr.differences(); len(found) > 0 {
			differ++
			fmt.Fprintf(&text, "\n%s:\n\n```\n%s\n%s\n\n%s\n```\n", tr.Name, tr.virtualService(), tr.destinationRule(), strings.Join(found, "\n"))
		}
	}
	return page.Write("Generated rules", fmt.Sprintf(`VirtualServices of up to three entries and a DestinationRule, drawn from the parts of test/fidelity/parts_test.go, and twenty calls under each. What differs is tried again, alone, since a busy machine may be late by more than a timeout is long; what differs then is shrunk.

%d rule sets, %d calls through each, in %.0f s: %d were tried again, and %d differ.
%s`, len(trials), calls, took.Seconds(), again, differ, text.String()))
}
