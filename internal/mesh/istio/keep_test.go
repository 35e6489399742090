//go:build e2e

package istio

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshchaos/meshchaos/internal/journal"
	"github.com/meshchaos/meshchaos/internal/mesh"
)

// another opens the namespace of a mesh as a command of its own that keeps its pod.
func another(t *testing.T, m *Mesh, run string, keep *Keep, change func(*Options)) *Mesh {
	t.Helper()
	o := Options{Kubeconfig: os.Getenv("MESHCHAOS_E2E_KUBECONFIG"), Namespace: m.namespace, Image: m.image, Run: run, Keep: keep, Log: func(s string) { t.Log(run + ": " + s) }}
	change(&o)
	other, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return other
}

func TestALoadPodThatIsKeptIsTakenByTheNextOfItsKind(t *testing.T) {
	m := open(t)
	keep := &Keep{By: "me@here", Tool: "1"}
	as := func(*Options) {}
	// use makes or takes the pod, and returns it.
	use := func(m *Mesh) *corev1.Pod {
		t.Helper()
		if err := m.Prepare(t.Context(), []mesh.Cohort{{Name: "a"}}); err != nil {
			t.Fatal(err)
		}
		w, err := m.start(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		return w.pod
	}
	leave := func(m *Mesh) {
		t.Helper()
		if err := m.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	first := another(t, m, "a", keep, as)
	made := use(first)
	second := another(t, m, "b", keep, as)
	var taken *takenError
	if err := second.Prepare(t.Context(), []mesh.Cohort{{Name: "a"}}); !errors.As(err, &taken) || !strings.Contains(err.Error(), "run a") {
		t.Errorf("while it is in use: %v", err)
	}
	leave(second)
	restoring := another(t, m, "restore", nil, as)
	if err := first.Enter(t.Context(), &journal.Ledger{Run: "a", Started: time.Now(), Deadline: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if err := restoring.Settle(t.Context(), "a"); err != nil {
		t.Error(err)
	}
	leave(restoring)
	leave(first)
	if kept := first.Kept(); len(kept) != 1 || !strings.Contains(kept[0], "kubectl -n "+m.namespace+" delete pod "+made.Name) {
		t.Errorf("what is kept is %q", kept)
	}

	third := another(t, m, "c", keep, as)
	if again := use(third); again.UID != made.UID {
		t.Errorf("it has another pod, %s", again.Name)
	}
	leave(third)
	for what, change := range map[string]func(*Options){
		"another template":           func(o *Options) { o.Template = &Template{Labels: map[string]string{"team": "shop"}} },
		"another version":            func(o *Options) { o.Keep = &Keep{By: keep.By, Tool: "2"} },
		"more time than it has left": func(o *Options) { o.Lifetime = 48 * time.Hour },
	} {
		other := another(t, m, "d", keep, change)
		if now := use(other); now.UID == made.UID || now.Name != made.Name {
			t.Errorf("%s: it has the pod that was kept", what)
		} else {
			made = now
		}
		leave(other)
	}
	if err := m.kube.CoreV1().Pods(m.namespace).Delete(t.Context(), made.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		t.Error(err)
	}
}
