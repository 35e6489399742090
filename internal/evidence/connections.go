package evidence

import (
	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/report"
)

// connectionSources has one: no line of a log tells whether its connection was new,
// and no metric of Istio's counts those of requests.
var connectionSources = []source[asked]{clustersConnections}

var connections = quantity{check.Function{Name: report.Connections, Versioned: true}, (*Window).countConnections}

// countConnections counts the connections that any proxy of the namespace opened to
// the endpoints of a service, or of one version of it.
func (w *Window) countConnections(t *tally, a asked) { w.countEndpoints(t, a, connectionSources) }
