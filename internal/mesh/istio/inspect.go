package istio

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// What Istio writes on namespaces and pods (istio.io, "Resource Labels" and "Resource
// Annotations").
const (
	dataplaneMode = "istio.io/dataplane-mode"
	useWaypoint   = "istio.io/use-waypoint"
	redirection   = "ambient.istio.io/redirection"
	injection     = "istio-injection"
	inject        = "sidecar.istio.io/inject"
)

// Inspect implements mesh.Mesh: whether the services' pods have the sidecars in which
// rules act, and by which they are seen to, and whether the load workload's pod would be
// taken and get one.
func (m *Mesh) Inspect(ctx context.Context, hosts []string) (wrong []error, warnings []string, err error) {
	for _, namespace := range m.namespaces() {
		refused, doubtful, err := m.inspect(ctx, namespace, hosts)
		if err != nil {
			return nil, nil, err
		}
		wrong, warnings = append(wrong, refused...), append(warnings, doubtful...)
	}
	if m.fortio {
		warnings = append(warnings, byFortio)
	}
	refused, err := m.tryPod(ctx)
	return append(wrong, refused...), warnings, err
}

// inspect looks at one of the namespaces.
func (m *Mesh) inspect(ctx context.Context, name string, hosts []string) (wrong []error, warnings []string, err error) {
	namespace, err := m.kube.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
	switch {
	case apierrors.IsForbidden(err): // then the pods must tell
		namespace = &corev1.Namespace{}
	case apierrors.IsNotFound(err):
		return []error{fmt.Errorf("there is no namespace %q; correct the name (kubectl get namespaces)", name)}, nil, nil
	case err != nil:
		return nil, nil, answered(fmt.Errorf("reading the namespace %s: %w", name, err))
	}
	services, err := m.servicesIn(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	pods, err := m.podsIn(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	if namespace.Labels[injection] == "disabled" {
		wrong = append(wrong, fmt.Errorf("the namespace %s has the label %s=disabled, so no pod that is made there gets a sidecar, a load workload's neither; take the label off, or run where sidecars are injected", name, injection))
	}
	for _, s := range services {
		if !slices.Contains(hosts, rules.FQDN(s.Name, s.Namespace)) || len(s.Spec.Selector) == 0 {
			continue
		}
		bare := bareOf(s, pods, namespace)
		wrong = append(wrong, bare.refusals(s)...)
		warnings = append(warnings, bare.warnings(s)...)
	}
	return wrong, append(warnings, m.othersLoad(pods)...), nil
}

// tryPod asks by a dry run what keeps the load workload's pod from being made: quotas,
// Pod Security, a webhook; or its sidecar from being injected.
func (m *Mesh) tryPod(ctx context.Context) ([]error, error) {
	p := m.slot(lending{})
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lent != nil || m.image == "" { // it is there, or none is to be made
		return nil, nil
	}
	doing := "trying the load workload's pod on the cluster"
	pod, err := m.kube.CoreV1().Pods(m.namespace).Create(ctx, m.workloadPod(&workload{name: m.nameOf("", 0, 1)}), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldManager: fieldManager})
	if err == nil {
		err = intercepted(pod)
	}
	if err == nil || unprivileged(err) || apierrors.IsAlreadyExists(err) { // as of one that was kept
		return nil, nil
	}
	err = fmt.Errorf("%s: %w", doing, answered(err))
	if isUnanswered(err) {
		return nil, err
	}
	return []error{err}, nil
}

// unprivileged says that a user lacks the right to make a pod, which Permits says too,
// rather than that the pod is not admitted: both are forbidden.
func unprivileged(err error) bool {
	return apierrors.IsForbidden(err) && strings.Contains(err.Error(), "cannot create resource")
}

// othersLoad names the pods that load of another command may come from.
func (m *Mesh) othersLoad(pods []corev1.Pod) (warnings []string) {
	for i := range pods {
		if id := pods[i].Labels[label]; id != "" && id != m.id && pods[i].Annotations[madeOf] == "" && pods[i].Status.Phase == corev1.PodRunning {
			warnings = append(warnings, fmt.Sprintf("the pod %s is the load workload of another command, which is under way or was killed; its load would be counted with that of this one; if nobody needs it: kubectl -n %s delete %s", pods[i].Name, pods[i].Namespace, madeBy(&pods[i])))
		}
	}
	return warnings
}

// madeBy is what is to be deleted for a pod to be gone for good, in words of kubectl: a Job
// makes a pod anew.
func madeBy(pod *corev1.Pod) string {
	if job := metav1.GetControllerOf(pod); job != nil && job.Kind == "Job" {
		return "job " + job.Name
	}
	return "pod " + pod.Name
}

// bare are the pods of a service that serve without a sidecar, by why.
type bare struct {
	ambient, meant, missed []string
	waypoint               string // that the ambient ones use; empty: none
}

func bareOf(s corev1.Service, pods []corev1.Pod, namespace *corev1.Namespace) bare {
	b := bare{waypoint: cmp.Or(s.Labels[useWaypoint], namespace.Labels[useWaypoint])}
	selector := labels.SelectorFromSet(s.Spec.Selector)
	for i := range pods {
		pod := &pods[i]
		switch {
		case !serves(pod) || hasProxy(pod) || !selector.Matches(labels.Set(pod.Labels)):
		case pod.Annotations[redirection] == "enabled", cmp.Or(pod.Labels[dataplaneMode], namespace.Labels[dataplaneMode]) == "ambient":
			b.ambient = append(b.ambient, pod.Name)
		case cmp.Or(pod.Labels[inject], pod.Annotations[inject]) == "false", pod.Spec.HostNetwork:
			b.meant = append(b.meant, pod.Name)
		default:
			b.missed = append(b.missed, pod.Name)
		}
	}
	return b
}

func (b bare) refusals(s corev1.Service) (wrong []error) {
	switch names := strings.Join(b.ambient, ", "); {
	case len(b.ambient) == 0:
	case b.waypoint == "" || b.waypoint == "none":
		wrong = append(wrong, fmt.Errorf("pods of the service %s are ambient, without a waypoint (%s): no proxy there acts on HTTP, and a rule for them does nothing; have sidecars injected (label istio-injection=enabled in the place of %s), and restart them", s.Name, names, dataplaneMode))
	default:
		wrong = append(wrong, fmt.Errorf("pods of the service %s are ambient, behind the waypoint %s (%s), which this program does not read; run it on workloads with sidecars", s.Name, b.waypoint, names))
	}
	if len(b.missed) > 0 {
		wrong = append(wrong, fmt.Errorf("pods of the service %s have no sidecar (%s), so what they send escapes every rule, and what they are sent is seen by nobody; see that the namespace has the label istio-injection=enabled, or istio.io/rev, and restart them (kubectl -n %s rollout restart)", s.Name, strings.Join(b.missed, ", "), s.Namespace))
	}
	return wrong
}

func (b bare) warnings(s corev1.Service) []string {
	if len(b.meant) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("pods of the service %s are kept out of the mesh (%s): what they send escapes every rule, and what they are sent only their callers' proxies see", s.Name, strings.Join(b.meant, ", "))}
}
