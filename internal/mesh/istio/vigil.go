package istio

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

const (
	// lastWords is how many lines of a pod's log are told of when it has died.
	lastWords = 10
	// fateLimit is how long after a load failed it may take to be known that its pod
	// died: the kubelet ends a container before it says so.
	fateLimit = 3 * time.Second
)

// vigil watches over a load workload that serves, from then on.
type vigil struct {
	over  chan struct{} // closed when it serves no more
	once  sync.Once
	why   error  // known then
	leave func() // ends watching, and waits for that

	logged chan struct{} // closed when its log has ended
	mu     sync.Mutex
	lines  []string // the last of its log
}

// watchOver watches over the pod of a load workload until leave is called.
func (c *Cluster) watchOver(w *workload, pod *corev1.Pod) *vigil {
	ctx, cancel := context.WithCancel(context.Background())
	v := &vigil{over: make(chan struct{}), logged: make(chan struct{})}
	var watching sync.WaitGroup
	watching.Go(func() { v.watch(ctx, c, pod) })
	watching.Go(func() { v.listen(ctx, c, pod) })
	if c.keep != nil {
		watching.Go(func() { v.hold(ctx, c, w) })
	}
	v.leave = func() { cancel(); watching.Wait() }
	return v
}

// watch closes over when the pod serves no more. A watch that ends is begun again.
func (v *vigil) watch(ctx context.Context, c *Cluster, pod *corev1.Pod) {
	pods := c.kube.CoreV1().Pods(pod.Namespace)
	for {
		now, err := pods.Get(ctx, pod.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			now, err = &corev1.Pod{}, nil
		}
		if err == nil && v.ends(now, pod) {
			return
		}
		only := metav1.ListOptions{FieldSelector: "metadata.name=" + pod.Name}
		if err == nil {
			only.ResourceVersion = now.ResourceVersion
		}
		if changes, err := pods.Watch(ctx, only); err == nil {
			for e := range changes.ResultChan() {
				now, ok := e.Object.(*corev1.Pod)
				if !ok {
					break // an error of the watch itself
				}
				if e.Type == watch.Deleted {
					now = &corev1.Pod{}
				}
				if v.ends(now, pod) {
					changes.Stop()
					return
				}
			}
			changes.Stop()
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pollEvery):
		}
	}
}

// isOver says whether the pod serves no more.
func (v *vigil) isOver() bool {
	select {
	case <-v.over:
		return true
	default:
		return false
	}
}

// ends closes over if the pod, as it is now, serves no more.
func (v *vigil) ends(now, pod *corev1.Pod) bool {
	why := demise(now, pod)
	if why != nil {
		v.end(why)
	}
	return why != nil
}

// end closes over.
func (v *vigil) end(why error) {
	v.once.Do(func() {
		v.why = why
		close(v.over)
	})
}

// demise says why a pod that has served does so no more; nil: it does.
func demise(now, pod *corev1.Pod) error {
	if now.UID != pod.UID {
		return errors.New("somebody deleted it")
	}
	switch {
	case now.Status.Reason != "": // as of a pod that was evicted, or has outlived its deadline
		return fmt.Errorf("%s: %s", now.Status.Reason, now.Status.Message)
	case now.DeletionTimestamp != nil:
		return errors.New("somebody is deleting it")
	}
	for _, s := range append(now.Status.InitContainerStatuses, now.Status.ContainerStatuses...) {
		if t := s.State.Terminated; t != nil && (s.Name == agentContainer || s.Name == proxyContainer) {
			why := fmt.Sprintf("container %s ended with exit status %d (%s)", s.Name, t.ExitCode, t.Reason)
			if t.Reason == "OOMKilled" {
				why += "; give it more memory"
			}
			return errors.New(why)
		}
	}
	switch {
	case now.Status.Phase != corev1.PodRunning:
		return fmt.Errorf("it is %s", now.Status.Phase)
	case !loads(now), ready(pod) && !ready(now): // a lost node's pods lose the second alone
		return errors.New("it is ready no more: its sidecar or its node does not answer")
	}
	return nil
}

// listen keeps the last lines of the pod's log. Who may not read it does without.
func (v *vigil) listen(ctx context.Context, c *Cluster, pod *corev1.Pod) {
	defer close(v.logged)
	last := int64(lastWords)
	log, err := c.kube.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{Container: agentContainer, Follow: true, TailLines: &last}).Stream(ctx)
	if err != nil {
		return
	}
	defer log.Close()
	for lines := bufio.NewScanner(log); lines.Scan(); {
		v.mu.Lock()
		v.lines = append(v.lines, lines.Text())
		v.lines = v.lines[max(len(v.lines)-lastWords, 0):]
		v.mu.Unlock()
	}
}

// fate says what became of the pod that a failed load came from, nil if it still
// serves.
func (c *Cluster) fate(ctx context.Context, w *workload) error {
	ctx, cancel := context.WithTimeout(ctx, fateLimit)
	defer cancel()
	select {
	case <-w.vigil.over:
	case <-ctx.Done():
		return nil
	}
	select {
	case <-w.vigil.logged:
	case <-ctx.Done():
	}
	w.vigil.mu.Lock()
	defer w.vigil.mu.Unlock()
	log := "its log is empty, or this user may not read it"
	if len(w.vigil.lines) > 0 {
		log = "its log ends with: " + strings.Join(w.vigil.lines, " | ")
	}
	return fmt.Errorf("the load workload, pod %s/%s, died: %w; %s; run again", c.namespace, w.podName(), w.vigil.why, log)
}
