package istio

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshchaos/meshchaos/internal/agent"
)

// Keep says that the load workloads outlive the Cluster, which leaves them to the next
// one that has an equal Keep and would make the same of them.
type Keep struct {
	By   string // who keeps them: user@machine
	Tool string // the version of this program
}

const (
	// keptFor is how long they are there, unless what is run needs longer.
	keptFor = 24 * time.Hour
	// madeOf is the annotation that tells a pod that would be made otherwise today.
	madeOf = "meshchaos.io/made-of"
	// holdEvery is how often an agent hears who has taken it.
	holdEvery = agent.TakenFor / 4
)

// id is what the label of those has that are kept by one user.
func (k *Keep) id() string { return "kept-" + digest(k.By) }

func digest(of any) string {
	text, err := json.Marshal(of)
	if err != nil {
		panic(err) // of texts and Kubernetes' own types
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:4])
}

// sign notes on a pod that is to be kept what it is made of.
func (c *Cluster) sign(pod *corev1.Pod) {
	if c.keep == nil {
		return
	}
	spec := pod.Spec.DeepCopy()
	spec.ActiveDeadlineSeconds = nil
	pod.Annotations[madeOf] = digest([]any{c.keep.Tool, pod.Labels, pod.Annotations, spec})
}

// adopt makes a load workload of the pod that was kept, and says whether there was one
// that would be made so today. One that would not is deleted. It is an error if another
// command has taken it.
func (c *Cluster) adopt(ctx context.Context, w *workload, log func(string)) (bool, error) {
	pod, err := c.kube.CoreV1().Pods(c.namespace).Get(ctx, w.name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, answered(fmt.Errorf("looking for the load workload that was kept, pod %s/%s: %w", c.namespace, w.name, err))
	}
	if pod.DeletionTimestamp == nil && pod.Status.Phase == corev1.PodPending { // as another command has just made it
		if ready, err := c.awaitReady(ctx, pod); err == nil {
			pod = ready
		}
	}
	why := errors.New("it serves no more")
	if loads(pod) {
		why = c.serve(ctx, w, pod)
	}
	var taken *takenError
	if errors.As(why, &taken) {
		return false, why
	}
	if why == nil {
		why = c.outdated(w)
	}
	if why == nil {
		why = w.agent.Idle(ctx)
	}
	if why == nil {
		log(fmt.Sprintf("taking the load workload %s, which was kept", w.name))
		return true, nil
	}
	w.leave()
	w.pod, w.vigil = nil, nil
	if ctx.Err() != nil { // which says nothing of the pod
		return false, ctx.Err()
	}
	log(fmt.Sprintf("replacing the load workload %s, which was kept: %v", w.name, why))
	return false, c.deletePods(ctx, c.id, w.name, pod.UID)
}

// outdated says why another pod would be made today than the one that was kept.
func (c *Cluster) outdated(w *workload) error {
	today, err := c.sent(w)
	if err != nil {
		return err
	}
	if today.Annotations[madeOf] != w.pod.Annotations[madeOf] {
		return errors.New("it is of another version of this program, or of another template")
	}
	if left := time.Until(c.endOf(w.pod)).Round(time.Second); left < c.needed {
		return fmt.Errorf("it ends in %s, and what is run may take %s", left, c.needed)
	}
	return nil
}

// endOf is when a pod ends by itself: by its own deadline, which may be that of the
// command that made it.
func (c *Cluster) endOf(pod *corev1.Pod) time.Time {
	lasts, from := c.lifetime, pod.CreationTimestamp
	if deadline := pod.Spec.ActiveDeadlineSeconds; deadline != nil {
		lasts = time.Duration(*deadline) * time.Second
	}
	if pod.Status.StartTime != nil {
		from = *pod.Status.StartTime
	}
	return from.Add(lasts)
}

// takenError says that another command uses a load workload that was kept.
type takenError struct{ pod, by, namespace string }

// Error implements error.
func (e *takenError) Error() string {
	return fmt.Sprintf("the load workload that was kept, pod %s/%s, is in use by the command of run %s; wait until that has ended, or leave --keep-pod out", e.namespace, e.pod, e.by)
}

// take takes a load workload that is kept for this Cluster.
func (c *Cluster) take(ctx context.Context, w *workload) error {
	by, err := w.agent.Take(ctx, c.holder)
	if err == nil && by != c.holder {
		err = &takenError{w.name, by, c.namespace}
	}
	return err
}

// errTaken ends a vigil over a load workload that is another command's by now.
var errTaken = errors.New("another command has taken it, as this one was not heard from")

// hold takes it again and again, until ctx ends or it serves this command no more: what
// another one has taken is not to be had back behind its back.
func (v *vigil) hold(ctx context.Context, c *Cluster, w *workload) {
	tick := time.NewTicker(holdEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-v.over:
			return
		case <-tick.C:
		}
		var taken *takenError
		if err := c.take(ctx, w); errors.As(err, &taken) {
			v.end(errTaken)
		}
	}
}

// isTaken says whether a load workload is another command's by now.
func (w *workload) isTaken() bool {
	return w != nil && w.vigil != nil && w.vigil.isOver() && errors.Is(w.vigil.why, errTaken)
}

// keeps leaves a load workload to the next Cluster, and says whether it does so.
func (c *Cluster) keeps(ctx context.Context, w *workload) bool {
	if c.keep == nil || w == nil || w.pod == nil || w.vigil.isOver() {
		return false
	}
	return w.agent.Leave(ctx, c.holder) == nil
}

// transient is the label of the load workloads that are to go with the Cluster.
func (c *Cluster) transient() string {
	if c.keep != nil {
		return ""
	}
	return c.id
}

// Kept says which load workloads were left, and until when; empty: none was. It is known
// when the Cluster is closed.
func (c *Cluster) Kept() []string {
	c.lending.Lock()
	defer c.lending.Unlock()
	var all []string
	for _, w := range c.kept {
		ends := c.endOf(w.pod).Local().Format(time.DateTime)
		all = append(all, fmt.Sprintf("the load workload %s is kept for --keep-pod until %s; delete it: kubectl -n %s delete pod %s", w.name, ends, c.namespace, w.name))
	}
	return all
}
