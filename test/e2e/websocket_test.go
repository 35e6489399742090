//go:build e2e

package e2e_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// TestWebSocketsPass: the scenario of test/scenarios says the same of Istio's proxies.
func TestWebSocketsPass(t *testing.T) {
	s, err := scenarios.Read("../scenarios/testdata/websocket.yaml")
	if err != nil {
		t.Fatal(err)
	}
	id := fmt.Sprintf("ws%x", time.Now().Unix()&0xffff)
	record, err := runScenario(t, s, id, openIstio(t.Context(), t, id))
	if err != nil {
		t.Fatal(err)
	}
	if record.Verdict != report.Pass || !record.Restored {
		show(t, record)
		t.Errorf("verdict %s, restored %v", record.Verdict, record.Restored)
	}
}
