package sidecar

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

// recordTunnels has the Envoy of test/cluster carry the tunnels.
func recordTunnels(t *testing.T) {
	program := envoyOf()
	if program == "" {
		t.Fatal("there is no Envoy; test/cluster fetches one")
	}
	var lines strings.Builder
	for _, c := range tunnelCases() {
		t.Run("in Envoy: "+c.name, func(t *testing.T) {
			fmt.Fprintf(&lines, "%s: %s\n", c.name, c.throughEnvoy(t, program))
		})
	}
	if err := os.WriteFile(recordedTunnels, []byte(lines.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (c tunnelCase) throughEnvoy(t *testing.T, program string) told {
	route := c.route
	if !strings.Contains(route, "timeout:") || strings.Contains(route, "per_try_timeout:") {
		route = strings.TrimSuffix("timeout: 0s, "+route, ", ")
	}
	w := c.serve(t)
	e := startRecorded(t, program, `upgrade_configs: [{upgrade_type: websocket}]
          stream_idle_timeout: 0s`, c.filter, route, c.limits, w.address)
	logged := func(n int) func() bool { return func() bool { return len(e.lines(t)) == n } }
	end := c.call(t, func() (net.Conn, error) { return net.Dial("tcp", e.address) }, func() {
		sidecartest.Until(t, "the first is in the log", logged(1))
	})
	out := told{end: end + w.saw(), stats: map[string]int64{}, host: map[string]int64{}}
	sidecartest.Until(t, "they are in the log", logged(c.tried()))
	for _, line := range e.lines(t) {
		f := strings.Fields(line)
		out.details += fmt.Sprintf(" [%s]", strings.Join(slices.Concat(f[:3], f[5:]), " "))
	}
	for name, n := range e.stats(t, "cluster.web.", "http.x.") {
		if comparedOfTunnels(name) {
			out.stats[name] = n
		}
	}
	out.host = e.host(t)
	return out
}
