//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshchaos/meshchaos/internal/mesh/istio"
	"github.com/meshchaos/meshchaos/report"
)

// TestARunGoesOnThatIsDisturbed has a second run started in the middle of one, which
// is refused, and its ledger deleted, which is there again before the next write.
func TestARunGoesOnThatIsDisturbed(t *testing.T) {
	program := build(t)
	namespace := namespaceOf(t, program, "disturbed")
	owner := ownerOf(t, namespace, ofRatings)
	owner.apply(ofRatings)
	before := standing(t, namespace)
	o := optionsOf(fmt.Sprintf("dist%x", time.Now().Unix()&0xffff))
	o.Namespace = namespace
	m, err := istio.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	record, err := runScenario(t, readScenario(t, steadyRatings), o.Run, &passedBy{Mesh: m, pass: func(context.Context) error {
		second(t, program, namespace, o.Run)
		deleteLedgers(t, namespace)
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if record.Verdict != report.Pass || !record.Restored {
		t.Errorf("verdict %s, restored %v", record.Verdict, record.Restored)
		show(t, record)
	}
	if diff := cmp.Diff(before, standing(t, namespace)); diff != "" {
		t.Errorf("what is left (-before +after):\n%s", diff)
	}
	owner.apply(strings.Replace(ofRatings, "10.5s", "11s", 1))
}

// second starts a run in a namespace in which another one is under way.
func second(t *testing.T, program, namespace, first string) {
	path := filepath.Join(t.TempDir(), "second.yaml")
	if err := os.WriteFile(path, []byte(slowRatings), 0o600); err != nil {
		t.Error(err)
	}
	cmd := exec.Command(program, "run", path, "--mesh", "istio", "--kubeconfig", optionsOf("").Kubeconfig, "--namespace", namespace, "--image", image())
	out, _ := cmd.CombinedOutput()
	if status := cmd.ProcessState.ExitCode(); status != 3 || !strings.Contains(string(out), "the run "+first+" of steady-ratings") {
		t.Errorf("the second run ended with status %d: %s", status, out)
	}
}

// TestARunIsUndoneWhoseLedgerSomebodyDeletedBefore deletes the ledger once the first
// rule is written, and kills the run once the second is.
func TestARunIsUndoneWhoseLedgerSomebodyDeletedBefore(t *testing.T) {
	program := build(t)
	namespace := optionsOf("").Namespace
	before := standing(t, namespace)
	b := standBetween(t)
	var p atomic.Pointer[process]
	var written atomic.Int32
	b.at(func(w http.ResponseWriter, r *http.Request, api http.Handler) {
		api.ServeHTTP(w, r)
		if !strings.Contains(r.URL.Path, "/networking.istio.io/") {
			return
		}
		switch written.Add(1) {
		case 1:
			deleteLedgers(t, namespace)
		case 2:
			_ = p.Load().Process.Kill()
		}
	})
	id := fmt.Sprintf("lost%x", time.Now().Unix()&0xffff)
	p.Store(b.begin(t, "tcp-shift", id))
	<-p.Load().ended
	if !p.Load().wasKilled() || cmp.Equal(before, standing(t, namespace)) {
		t.Fatalf("the run was not killed in the middle: %v: %s", p.Load().err, &p.Load().said)
	}
	expire(t, namespace, id)
	restore(t, program, namespace)
	if diff := cmp.Diff(before, standing(t, namespace)); diff != "" {
		t.Errorf("restored (-before +after):\n%s", diff)
	}
}

func deleteLedgers(t *testing.T, namespace string) {
	ledgers := dynamicClient(t).Resource(schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}).Namespace(namespace)
	err := ledgers.DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "app.kubernetes.io/managed-by=meshchaos"})
	if err != nil {
		t.Error(err)
	}
}
