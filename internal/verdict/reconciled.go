package verdict

import (
	"fmt"

	"github.com/meshchaos/meshchaos/internal/plural"
	"github.com/meshchaos/meshchaos/report"
)

// unreconciled names the ports where the proxy of the load workload, which
// carries this run's traffic alone, counted something else than the clients
// sent: then somebody's count is wrong, or the traffic went another way.
func unreconciled(_ run, w *report.Window) []string {
	var problems []string
	for _, row := range w.Reconciled {
		if row.Proxy != nil && *row.Proxy != row.Client {
			problems = append(problems, fmt.Sprintf("%s: the clients sent %s to %s, and their proxy counted %d (%s); run again, and report it if it stays",
				w.Words(), plural.Of(row.Client, "request"), row.Target, *row.Proxy, row.Source))
		}
	}
	return problems
}
