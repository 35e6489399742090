//go:build e2e

package fidelity

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// writeDoc writes what was compared to the file that MESHCHAOS_FIDELITY_DOC names,
// if it names one.
func writeDoc(trials []*trial, took time.Duration) error {
	file := os.Getenv("MESHCHAOS_FIDELITY_DOC")
	if file == "" {
		return nil
	}
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
		case tr.Drawn:
			result = "alike, as shares"
		}
		fmt.Fprintf(&text, "| %s | %d | %s |\n", tr.Name, len(tr.outcomes[envoySide]), result)
	}
	head := fmt.Sprintf(`# Envoy beside the embedded sidecar

`+"`make fidelity`"+` makes this page. It sends the same calls, under the same rules, through a real Envoy that Istio configures and through the embedded sidecar, to workloads that note what comes; see test/fidelity. It compares status, headers and body of each answer, the line of the access log, what the workloads saw, and each counter of the clusters that the embedded sidecar has; where something is drawn, the shares.

Not compared: the reason phrase behind a status, dates, durations beyond a least one, headers of tracing, which depend on the mesh, and gauges.

%d cases, %d calls through each, in %.0f s; %d differ for a known reason.

| case | calls | |
|---|---|---|
`, len(trials), calls, took.Seconds(), known)
	if err := os.WriteFile(file, []byte(head+text.String()), 0o644); err != nil {
		return fmt.Errorf("writing the page of the comparison: %w", err)
	}
	return nil
}
