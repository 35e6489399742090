//go:build e2e

package e2e_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/mesh/istio"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// refusedHalf is a scenario that fortio can drive: a closed loop, and beside it one at a
// rate.
const refusedHalf = `
apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: refused-half}
spec:
  summary: Half of the requests to httpbin are refused, and who sends them counts as many as the proxies.
  app: httpbin
  apply:
    - fault: {service: httpbin, abort: 503, percent: 50%}
  load:
    client: {get: "http://httpbin:8000/delay/0.02", connections: 4, requests: 120}
    others: {get: "http://httpbin:8000/status/201", connections: 2, qps: 20, while: client}
  expect:
    - 30% < client.share(503) < 70%
    - faults(httpbin) == client.status[503] + others.status[503]
    - client.max < 5s
    - client.errors == 0
    - others.status[201] + others.status[503] == others.sent
    - recovery.client.status[200] == recovery.client.sent
`

// fortioImage is one whose command server is fortio's: that of test/fortio, or fortio's own.
func fortioImage() string {
	return cmp.Or(os.Getenv("MESHCHAOS_E2E_FORTIO_IMAGE"), "meshchaos/fortio:dev")
}

// readForFortio reads a scenario as one whose load fortio drives.
func readForFortio(t *testing.T, text string) *scenarios.Scenario {
	t.Helper()
	s := readScenario(t, text)
	if err := s.DriveByFortio(); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFortioDrivesTheLoadWhereThereIsNoImageOfOurs(t *testing.T) {
	before := objectsOf(t)
	id := fmt.Sprintf("fort%x", time.Now().Unix()&0xffff)
	options := optionsOf(id)
	options.Fortio = fortioImage()
	c, err := istio.Connect(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	run := func(text, id string) *report.Record {
		record, err := carryOut(t, readForFortio(t, text), c.Mesh(id, nil), runner.Options{ID: id, Caps: runner.Caps{QPS: 2000, Duration: time.Minute}})
		if err != nil {
			t.Fatal(err)
		}
		return record
	}
	record := run(refusedHalf, id)
	if record.Verdict != report.Pass || !record.Restored {
		t.Errorf("verdict %s, restored %v", record.Verdict, record.Restored)
		show(t, record)
	}
	during := record.Window(report.During, "")
	if client, others := during.Loads["client"], during.Loads["others"]; client.Sent != 120 || others.Sent < 2 || others.Elapsed.Duration+10*time.Millisecond < client.Elapsed.Duration {
		t.Errorf("%+v beside %+v", client, others)
	}
	if !slices.ContainsFunc(record.Warnings, func(w string) bool { return strings.HasPrefix(w, "fortio drives the load") }) {
		t.Errorf("warnings %q; want what fortio does not tell", record.Warnings)
	}
	for _, asked := range record.Asked {
		if asked.Plan.Engine != loadgen.EngineFortio {
			t.Errorf("the record has %s driven by engine %q", asked.Cohort, asked.Plan.Engine)
		}
	}
	for i, spoil := range []string{"abort: 500, percent: 50%", "abort: 503, percent: 1%"} {
		spoilt := strings.Replace(refusedHalf, "abort: 503, percent: 50%", spoil, 1)
		if record := run(spoilt, fmt.Sprintf("%s%d", id, i)); record.Verdict == report.Pass {
			t.Errorf("with %s it passes", spoil)
			show(t, record)
		}
	}
	if err := c.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
	if left := loadPods(t, id); len(left) > 0 {
		t.Errorf("after Close there are %q", left)
	}
	if after := objectsOf(t); !slices.Equal(before, after) {
		t.Errorf("the namespace held\n%s\nand holds\n%s", before, after)
	}
}
