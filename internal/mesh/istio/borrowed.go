package istio

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/meshchaos/meshchaos/internal/nearest"
)

// neverServes is the condition of a readiness gate that nothing sets: a pod with it
// is never ready, whatever selects it.
const neverServes corev1.PodConditionType = "meshchaos.io/never-serves"

// staticLabels is the variable by which a sidecar tells istiod labels beside those
// of its pod; where both have one, the pod's holds (pilot's SetWorkloadLabels).
const staticLabels = "ISTIO_METAJSON_LABELS"

// ofOnePod are the labels by which a workload's pods are told from each other, or its
// generations.
var ofOnePod = []string{
	"pod-template-hash", "controller-revision-hash", "pod-template-generation",
	"statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index",
}

// borrowed is what the mesh knows a workload by, and takes a load workload for that
// has it; the zero value: nothing.
type borrowed struct {
	workload string
	account  string            // its service account
	labels   map[string]string // that all of its pods have
}

// borrow finds what a workload is known by.
func (c *Cluster) borrow(ctx context.Context, workload string) (borrowed, error) {
	if workload == "" {
		return borrowed{}, nil
	}
	list, err := c.kube.CoreV1().Pods(c.namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return borrowed{}, answered(fmt.Errorf("looking for the workload %s: listing the pods of namespace %s: %w", workload, c.namespace, err))
	}
	return borrowOf(workload, list.Items)
}

// borrowOf finds it among pods.
func borrowOf(workload string, pods []corev1.Pod) (borrowed, error) {
	b := borrowed{workload: workload}
	var others []string
	for i := range pods {
		pod := &pods[i]
		name := owner(pod)
		switch {
		case !carries(pod) || pod.Labels[label] != "":
		case name != workload:
			others = append(others, name)
		case b.labels == nil:
			b.account, b.labels = pod.Spec.ServiceAccountName, maps.Clone(pod.Labels)
		case b.account != pod.Spec.ServiceAccountName:
			return b, fmt.Errorf("the pods of the workload %s have two service accounts, %s and %s; run again when it is rolled out", workload, b.account, pod.Spec.ServiceAccountName)
		default:
			maps.DeleteFunc(b.labels, func(key, value string) bool { return pod.Labels[key] != value })
		}
	}
	if b.labels == nil {
		slices.Sort(others)
		return b, fmt.Errorf("there is no workload %q with a ready pod and a sidecar; %s", workload, nearest.Hint(workload, slices.Compact(others)))
	}
	for _, key := range ofOnePod {
		delete(b.labels, key)
	}
	return b, nil
}

// lendTo lets the mesh take a load workload's pod for the workload: its sidecar has
// the service account, and tells istiod the labels. The pod itself does not have
// them, so that nothing in Kubernetes takes it for one of the workload's: no Service
// lists it, which istiod would pass on to all proxies though it is not ready
// (PILOT_AUTO_SEND_UNHEALTHY_ENDPOINTS), and no controller adopts it.
func (b borrowed) lendTo(pod *corev1.Pod) error {
	if b.workload == "" {
		return nil
	}
	text, err := json.Marshal(b.labels)
	if err != nil {
		return err
	}
	for _, own := range []string{"app", "app.kubernetes.io/name"} { // else they would hold
		delete(pod.Labels, own)
	}
	pod.Spec.ServiceAccountName = b.account
	pod.Spec.ReadinessGates = append(pod.Spec.ReadinessGates, corev1.PodReadinessGate{ConditionType: neverServes})
	pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{
		Name:            proxyContainer,
		Image:           injected,
		ImagePullPolicy: corev1.PullIfNotPresent, // the API server would make Always of this image's name, and the injector keep that
		Env:             []corev1.EnvVar{{Name: staticLabels, Value: string(text)}},
	})
	return nil
}

// injected is the image of a container that Istio's injector is to fill in
// (inject.AutoImage).
const injected = "auto"

// labelsOf are those that the mesh knows a load workload's pod by.
func (b borrowed) labelsOf(pod *corev1.Pod) map[string]string {
	all := maps.Clone(b.labels)
	if all == nil {
		return pod.Labels
	}
	maps.Copy(all, pod.Labels)
	return all
}

// unlisted says which Service of the namespace would list a load workload's pod that is
// about to be made, with whatever labels it was given: ready or not, all proxies would
// learn its address.
func (c *Cluster) unlisted(ctx context.Context, pod *corev1.Pod) error {
	list, err := c.kube.CoreV1().Services(c.namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return answered(fmt.Errorf("listing the services of namespace %s: %w", c.namespace, err))
	}
	for _, s := range list.Items {
		if selects(s, pod) {
			return fmt.Errorf("the Service %s/%s selects it (%s), and would have others call it; give it other labels",
				s.Namespace, s.Name, labels.SelectorFromSet(s.Spec.Selector))
		}
	}
	return nil
}

// loads says whether load can come from a load workload's pod: of one that never serves
// its containers are ready, and it is not.
func loads(pod *corev1.Pod) bool {
	return pod.DeletionTimestamp == nil && pod.Status.Phase == corev1.PodRunning && is(pod, corev1.ContainersReady)
}
