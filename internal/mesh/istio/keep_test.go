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
	"k8s.io/apimachinery/pkg/util/wait"

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
	for _, test := range []struct {
		change func(*Options)
		why    string // it is made anew
	}{
		{func(o *Options) { o.Lifetime = 48 * time.Hour }, "what is run may take 48h"},
		{func(o *Options) { o.Template = &Template{Labels: map[string]string{"team": "shop"}} }, "another template"},
		{func(o *Options) { o.Keep = &Keep{By: keep.By, Tool: "2"} }, "another version"},
	} {
		var said []string
		other := another(t, m, "d", keep, func(o *Options) {
			test.change(o)
			o.Log = func(s string) { said = append(said, s) }
		})
		if now := use(other); now.UID == made.UID || now.Name != made.Name || !strings.Contains(strings.Join(said, "\n"), test.why) {
			t.Errorf("it is not made anew since %s: %q", test.why, said)
		} else {
			made = now
		}
		leave(other)
	}
	if err := m.kube.CoreV1().Pods(m.namespace).Delete(t.Context(), made.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		t.Error(err)
	}
}

// A command may be unheard of for a while, as on a machine that sleeps.
func TestALoadPodThatAnotherCommandHasTakenIsLeftToIt(t *testing.T) {
	m := open(t)
	first := another(t, m, "a", &Keep{By: "me@here", Tool: "1"}, func(*Options) {})
	w, err := first.start(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.agent.Leave(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if by, err := w.agent.Take(t.Context(), "b"); err != nil || by != "b" {
		t.Fatalf("it is taken by %q, %v", by, err)
	}
	select {
	case <-w.vigil.over:
	case <-time.After(2 * holdEvery):
		t.Fatal("it is not known that another command has taken it")
	}
	next := first.Mesh("a2", nil)
	var taken *takenError
	if err := next.Prepare(t.Context(), []mesh.Cohort{{Name: "a"}}); !errors.As(err, &taken) || taken.by != "b" {
		t.Errorf("the next run of the first command: %v", err)
	}
	if err := next.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := first.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if now, err := m.kube.CoreV1().Pods(m.namespace).Get(t.Context(), w.name, metav1.GetOptions{}); err != nil || now.UID != w.pod.UID || now.DeletionTimestamp != nil {
		t.Errorf("the first command has taken it away: %v, %v", now, err)
	}
	if kept := first.Kept(); len(kept) != 0 {
		t.Errorf("it says that it has kept %q", kept)
	}
}

// A pod that was not ready for a moment is so again, and no load can come from it that
// nobody watches over.
func TestALoadPodThatIsWatchedOverNoMoreIsReplaced(t *testing.T) {
	m := open(t)
	w, err := m.start(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	w.vigil.end(errors.New("it is ready no more"))
	again, err := m.lend(t.Context(), "", 0, m.log)
	if err != nil {
		t.Fatal(err)
	}
	if again.vigil.isOver() || again.pod.UID == w.pod.UID {
		t.Errorf("the next run is to have its load from the pod %s, which is taken for dead", again.name)
	}
}

func TestOfTwoCommandsThatBeginAtOnceOneHasTheLoadPodToKeep(t *testing.T) {
	for name, later := range map[string]bool{"both make it": false, "one finds what the other is starting": true} {
		t.Run(name, func(t *testing.T) {
			m := open(t)
			keep := &Keep{By: "me@here", Tool: "1"}
			both := make(chan started, 2)
			for _, run := range []string{"a", "b"} {
				by := another(t, m, run, keep, func(*Options) {})
				go func() {
					w, err := by.start(t.Context(), "")
					both <- started{by, w, err}
				}()
				if later && run == "a" {
					awaitPod(t, m, by.nameOf("", 0, 1))
				}
			}
			oneHasIt(t, m, <-both, <-both)
		})
	}
}

// started is what a command has of its load workload.
type started struct {
	by  *Mesh
	w   *workload
	err error
}

// awaitPod waits until a pod is there.
func awaitPod(t *testing.T, m *Mesh, name string) {
	t.Helper()
	err := wait.PollUntilContextTimeout(t.Context(), 10*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		_, err := m.kube.CoreV1().Pods(m.namespace).Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return false, nil
		}
		return err == nil, err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// oneHasIt wants one of two commands to have the pod, and to keep it when the other ends.
func oneHasIt(t *testing.T, m *Mesh, winner, loser started) {
	t.Helper()
	if winner.err != nil {
		winner, loser = loser, winner
	}
	if winner.err != nil || loser.err == nil {
		t.Fatalf("one has it, error %v, and the other too, error %v", winner.err, loser.err)
	}
	if said := loser.err.Error(); !strings.Contains(said, "another command is starting it") && !strings.Contains(said, "is in use by the command of run "+winner.by.run) {
		t.Errorf("the other is told: %s", said)
	}
	if err := loser.by.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if now, err := m.kube.CoreV1().Pods(m.namespace).Get(t.Context(), winner.w.name, metav1.GetOptions{}); err != nil || now.UID != winner.w.pod.UID || now.DeletionTimestamp != nil {
		t.Errorf("the other has taken it away: %v, %v", now, err)
	}
	if err := winner.by.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
