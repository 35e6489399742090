package istio

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
)

const (
	// maxJobName leaves room in a name of 63 for what Kubernetes adds for a pod: its index,
	// and five letters.
	maxJobName = 50
	// jobLeft is how long a Job stays that has ended, if nobody deletes it.
	jobLeft = 5 * time.Minute
	// refusedAfter is how long a cluster may refuse a pod of a Job: a quota has room again
	// once the pods of a run before are gone.
	refusedAfter = 15 * time.Second
)

// jobOf is the Indexed Job of a load workload, of pods such as one: as many at once as there
// are senders. A pod that fails ends with its index alone, and is not made again where the
// cluster knows backoffLimitPerIndex (1.29 and later): the other senders are to tell what
// they have seen.
func jobOf(w *workload, pod *corev1.Pod) *batchv1.Job {
	senders, none, left, mode := int32(w.senders), int32(0), int32(jobLeft/time.Second), batchv1.IndexedCompletion
	template := corev1.PodTemplateSpec{ObjectMeta: *pod.ObjectMeta.DeepCopy(), Spec: *pod.Spec.DeepCopy()}
	template.Name, template.Namespace = "", ""
	return &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: w.name, Namespace: pod.Namespace, Labels: template.Labels},
		Spec: batchv1.JobSpec{
			CompletionMode: &mode, Completions: &senders, Parallelism: &senders,
			BackoffLimitPerIndex: &none, TTLSecondsAfterFinished: &left, ActiveDeadlineSeconds: pod.Spec.ActiveDeadlineSeconds,
			Template: template,
		},
	}
}

// makeJob makes the Job of a load workload, and waits until load can come from each of its
// pods.
func (c *Cluster) makeJob(ctx context.Context, w *workload, pod *corev1.Pod) error {
	job, err := c.kube.BatchV1().Jobs(c.namespace).Create(ctx, jobOf(w, pod), metav1.CreateOptions{FieldManager: fieldManager})
	if err != nil {
		return err
	}
	pods, err := c.awaitPods(ctx, job)
	if err != nil {
		return err
	}
	all := []*workload{w}
	for range pods[1:] {
		all = append(all, &workload{name: w.name, as: w.as, gateway: w.gateway})
	}
	var serving errgroup.Group
	for i := range pods {
		serving.Go(func() error { return c.serve(ctx, all[i], &pods[i]) })
	}
	err = serving.Wait()
	w.rest = all[1:] // of which some may be watched over, so that they are left
	return err
}

// awaitPods returns the pods of a Job by their index, once load can come from each. A
// cluster that does not answer is asked again.
func (c *Cluster) awaitPods(ctx context.Context, job *batchv1.Job) (pods []corev1.Pod, err error) {
	var unanswered error
	began := time.Now()
	err = wait.PollUntilContextTimeout(ctx, pollEvery, startTimeout, true, func(ctx context.Context) (bool, error) {
		list, err := c.kube.CoreV1().Pods(c.namespace).List(ctx, metav1.ListOptions{LabelSelector: batchv1.JobNameLabel + "=" + job.Name})
		if unanswered = answered(err); isUnanswered(unanswered) || ctx.Err() != nil {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		pods = ofJob(list.Items, job)
		if made := len(pods); made < int(*job.Spec.Completions) && time.Since(began) > refusedAfter {
			if why := c.refused(ctx, job); why != "" {
				return false, fmt.Errorf("of its %d pods the cluster has made %d, and refuses more: %s", *job.Spec.Completions, made, why)
			}
		}
		return c.load(pods, job)
	})
	switch {
	case !wait.Interrupted(err):
		return pods, err
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case unanswered != nil:
		return nil, fmt.Errorf("whether its pods are ready is not known after %s: %w", startTimeout, unanswered)
	}
	return nil, fmt.Errorf("its %d pods are not all ready after %s: %s", *job.Spec.Completions, startTimeout, c.complaintsOf(ctx, job, pods))
}

// load says whether load can come from all pods of a Job. The error is why it never will.
func (c *Cluster) load(pods []corev1.Pod, job *batchv1.Job) (bool, error) {
	ready := 0
	for i := range pods {
		pod := &pods[i]
		err := intercepted(pod)
		if err == nil {
			err = failure(pod, c.image)
		}
		if err != nil {
			return false, fmt.Errorf("pod %s: %w", pod.Name, err)
		}
		if loads(pod) {
			ready++
		}
	}
	return ready == int(*job.Spec.Completions), nil
}

// ofJob are those of pods that a Job controls, by their index.
func ofJob(all []corev1.Pod, job *batchv1.Job) []corev1.Pod {
	pods := slices.DeleteFunc(slices.Clone(all), func(pod corev1.Pod) bool {
		return !metav1.IsControlledBy(&pod, job) || pod.DeletionTimestamp != nil
	})
	slices.SortFunc(pods, func(a, b corev1.Pod) int { return cmp.Compare(indexOf(&a), indexOf(&b)) })
	return pods
}

// indexOf is a pod's of an Indexed Job.
func indexOf(pod *corev1.Pod) int {
	i, err := strconv.Atoi(pod.Annotations[batchv1.JobCompletionIndexAnnotation])
	if err != nil {
		return -1
	}
	return i
}

// complaintsOf collects what Kubernetes says of a Job of which not all pods are ready.
func (c *Cluster) complaintsOf(ctx context.Context, job *batchv1.Job, pods []corev1.Pod) string {
	for i := range pods {
		if !loads(&pods[i]) {
			return pods[i].Name + ": " + c.complaints(ctx, &pods[i])
		}
	}
	return cmp.Or(c.refused(ctx, job), "Kubernetes gives no reason")
}

// refused is why a pod of a Job was not made, when it was last tried; empty: nobody says so,
// or this user may not read events.
func (c *Cluster) refused(ctx context.Context, job *batchv1.Job) string {
	events, err := c.kube.CoreV1().Events(c.namespace).List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.uid=" + string(job.UID) + ",type=" + corev1.EventTypeWarning})
	if err != nil || len(events.Items) == 0 {
		return ""
	}
	last := slices.MaxFunc(events.Items, func(a, b corev1.Event) int { return a.LastTimestamp.Compare(b.LastTimestamp.Time) })
	return last.Reason + ": " + last.Message
}

// deleteLoad deletes what a load workload is, and waits until its pods are gone.
func (c *Cluster) deleteLoad(ctx context.Context, w *workload) error {
	if w.senders == 0 {
		return c.deletePods(ctx, c.id, w.name, "")
	}
	if err := c.deleteJob(ctx, w.name); err != nil {
		return fmt.Errorf("deleting the load workload, job %[1]s/%[2]s: %[3]w; delete it with kubectl -n %[1]s delete job %[2]s", c.namespace, w.name, answered(err))
	}
	for _, of := range w.pods() {
		if of.pod == nil {
			continue
		}
		if err := c.deletePods(ctx, c.id, of.pod.Name, of.pod.UID); err != nil {
			return err
		}
	}
	return nil
}

// deleteJobs deletes the Jobs that the load of a Cluster of this id came from, so that no
// pod of them is made any more.
func (c *Cluster) deleteJobs(ctx context.Context, ours metav1.ListOptions) error {
	list, err := c.kube.BatchV1().Jobs(c.namespace).List(ctx, ours)
	if err != nil {
		return err
	}
	var wrong []error
	for i := range list.Items {
		wrong = append(wrong, c.deleteJob(ctx, list.Items[i].Name))
	}
	return errors.Join(wrong...)
}

// deleteJob deletes a Job, and has its pods deleted, unless somebody does.
func (c *Cluster) deleteJob(ctx context.Context, name string) error {
	background := metav1.DeletePropagationBackground
	err := c.kube.BatchV1().Jobs(c.namespace).Delete(ctx, name, metav1.DeleteOptions{PropagationPolicy: &background})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
