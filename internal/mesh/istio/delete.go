package istio

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
)

// deletePods deletes the pods that the load of a Cluster of this id came from, or the
// one of them that is named, with this UID if one is given, and waits until they are
// gone. Where all are meant the Jobs are deleted before them. A cluster that does not answer is asked again: nobody else knows of them.
func (c *Cluster) deletePods(ctx context.Context, id, name string, uid types.UID) error {
	which := metav1.ListOptions{LabelSelector: label + "=" + id}
	if name != "" {
		which.FieldSelector = "metadata.name=" + name
	}
	var last error
	err := wait.PollUntilContextCancel(ctx, pollEvery, true, func(ctx context.Context) (gone bool, err error) {
		gone, err = c.takeAway(ctx, which, uid)
		if err == nil || ctx.Err() == nil { // else last says more than that there is no time left
			last = err
		}
		if isUnanswered(err) {
			return false, nil
		}
		return gone, err
	})
	if err = cmp.Or(last, err); err != nil {
		return fmt.Errorf("deleting the load workload in namespace %[1]s: %[3]w; delete it with kubectl -n %[1]s delete job,pod -l %[2]s", c.namespace, label+"="+id, err)
	}
	return nil
}

// takeAway deletes the pods and says whether all are gone, for which it waits as long
// as it is told of them. Where a UID is given, a pod of another one is let be.
func (c *Cluster) takeAway(ctx context.Context, ours metav1.ListOptions, uid types.UID) (gone bool, err error) {
	var unlisted error
	if ours.FieldSelector == "" {
		err := c.deleteJobs(ctx, ours)
		if unlisted = err; err != nil && !apierrors.IsForbidden(err) {
			return false, answered(err)
		}
	}
	pods := c.kube.CoreV1().Pods(c.namespace)
	list, err := pods.List(ctx, ours)
	if err != nil {
		return false, answered(err)
	}
	list.Items = slices.DeleteFunc(list.Items, func(pod corev1.Pod) bool { return uid != "" && pod.UID != uid })
	for i := range list.Items {
		if controller := metav1.GetControllerOf(&list.Items[i]); controller != nil && unlisted != nil {
			return false, unlisted
		}
		if err := c.deletePod(ctx, &list.Items[i]); err != nil {
			return false, answered(err)
		}
	}
	left := len(list.Items)
	if left == 0 {
		return true, nil
	}
	ours.ResourceVersion = list.ResourceVersion
	changes, err := pods.Watch(ctx, ours)
	if err != nil {
		return false, nil // it is asked again
	}
	defer changes.Stop()
	for e := range changes.ResultChan() {
		if e.Type == watch.Deleted {
			left--
		}
		if left == 0 {
			return true, nil
		}
	}
	return false, nil
}

// deletePod deletes a pod, unless somebody does.
func (c *Cluster) deletePod(ctx context.Context, pod *corev1.Pod) error {
	if pod.DeletionTimestamp != nil {
		return nil
	}
	grace := int64(1)
	err := c.kube.CoreV1().Pods(c.namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{GracePeriodSeconds: &grace, Preconditions: &metav1.Preconditions{UID: &pod.UID}})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
