package istio

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	agentContainer  = "agent"
	defaultLifetime = 4 * time.Hour
	maxName         = 40 // of the part of a pod's name that a template has, which goes into labels

	proxyConfig   = "proxy.istio.io/config"
	trafficPrefix = "traffic.sidecar.istio.io/"
	ownPrefix     = "meshchaos.io/"
)

// ownLabels are those of the pod that no template may have another way.
var ownLabels = []string{"app", instance, managedBy, inject}

// agentResources are enough for 5,000 requests a second of 512 connections, which took
// 69 MiB and a fifth of a core; the limits leave room for long answers, of which each
// connection may hold one of 8 MiB, and keep a load from taking a node for itself.
func agentResources() corev1.ResourceRequirements {
	return corev1.ResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m"), corev1.ResourceMemory: resource.MustParse("64Mi")},
		Limits:   corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("2"), corev1.ResourceMemory: resource.MustParse("512Mi")},
	}
}

// workloadPod is the pod as it is sent. Its sidecar keeps the counters that the
// default sidecar drops, and leaves connections to the ingress gateway alone,
// so that load enters there as from outside the mesh.
func (c *Cluster) workloadPod(w *workload) *corev1.Pod {
	var (
		yes, no  = true, false
		user     = int64(65532) // any but root and 1337, whose traffic Istio's sidecar takes as its own
		grace    = int64(1)
		deadline = int64(c.lifetime / time.Second)
	)
	annotations := map[string]string{
		proxyConfig: `{"holdApplicationUntilProxyStarts":true,"proxyStatsMatcher":{"inclusionPrefixes":["cluster.outbound","http.outbound"]}}`,
	}
	if w.gateway != nil {
		annotations[trafficPrefix+"excludeOutboundIPRanges"] = ranges(w.gateway)
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name:      w.name,
			Namespace: c.namespace,
			Labels: map[string]string{
				"app":                    clientApp,
				"app.kubernetes.io/name": clientApp,
				instance:                 c.id,
				label:                    c.id,
				managedBy:                programName,
				inject:                   "true",
			},
			Annotations: annotations,
		},
		Spec: corev1.PodSpec{
			RestartPolicy:                 corev1.RestartPolicyNever,
			ActiveDeadlineSeconds:         &deadline,
			TerminationGracePeriodSeconds: &grace,
			AutomountServiceAccountToken:  &no,
			EnableServiceLinks:            &no,
			SecurityContext:               &corev1.PodSecurityContext{SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}}, // of the sidecar as well
			Containers: []corev1.Container{{
				Name:            agentContainer,
				Image:           c.image,
				ImagePullPolicy: corev1.PullIfNotPresent,
				Args:            c.args(),
				Resources:       agentResources(),
				SecurityContext: &corev1.SecurityContext{
					RunAsUser: &user, RunAsGroup: &user, RunAsNonRoot: &yes, AllowPrivilegeEscalation: &no, ReadOnlyRootFilesystem: &yes,
					Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
				},
				TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
			}},
		},
	}
	c.template.apply(pod, w.as.labels)
	return pod
}

// ranges words the addresses of a service as the CIDRs that Istio's annotation takes;
// empty: there is none.
func ranges(s *corev1.Service) string {
	if s == nil {
		return ""
	}
	var out []string
	for _, a := range s.Spec.ClusterIPs {
		bits := "/32"
		if ip := net.ParseIP(a); ip != nil && ip.To4() == nil {
			bits = "/128"
		}
		out = append(out, a+bits)
	}
	return strings.Join(out, ",")
}

// failure says why a pod will not become ready however long one waits; nil if
// it still may.
func failure(pod *corev1.Pod, image string) error {
	for _, s := range append(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses...) {
		if w := s.State.Waiting; w != nil {
			switch w.Reason {
			case "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull":
				if s.Name == agentContainer {
					return fmt.Errorf("the cluster cannot pull the image %s (%s: %s); name one that it can with --image, or with --fortio-image if fortio is to drive the load", image, w.Reason, w.Message)
				}
				return fmt.Errorf("the cluster cannot pull the image %s of container %s (%s: %s)", s.Image, s.Name, w.Reason, w.Message)
			case "CreateContainerConfigError", "CreateContainerError", "RunContainerError", "CrashLoopBackOff":
				return fmt.Errorf("container %s does not start (%s: %s)", s.Name, w.Reason, w.Message)
			}
		}
		if t := s.State.Terminated; t != nil && s.Name == agentContainer {
			return fmt.Errorf("the image %s ended with exit status %d (%s) instead of waiting for load; name one of this program's version with --image, or fortio's with --fortio-image: %s", image, t.ExitCode, t.Reason, strings.TrimSpace(t.Message))
		}
	}
	if pod.Status.Phase == corev1.PodFailed {
		return fmt.Errorf("the pod failed (%s: %s)", pod.Status.Reason, pod.Status.Message)
	}
	return nil
}

// complaints collects what Kubernetes says of a pod that is not ready.
func (c *Cluster) complaints(ctx context.Context, pod *corev1.Pod) string {
	var said []string
	for _, condition := range pod.Status.Conditions {
		if condition.Status != corev1.ConditionTrue && condition.Message != "" {
			said = append(said, condition.Message)
		}
	}
	for _, s := range append(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses...) {
		if w := s.State.Waiting; w != nil {
			said = append(said, strings.TrimSpace(fmt.Sprintf("container %s waits: %s %s", s.Name, w.Reason, w.Message)))
		}
	}
	events, err := c.kube.CoreV1().Events(c.namespace).List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.uid=" + string(pod.UID) + ",type=" + corev1.EventTypeWarning})
	if err == nil { // without the right to read events the rest must do
		for _, e := range events.Items {
			said = append(said, e.Reason+": "+e.Message)
		}
	}
	if len(said) == 0 {
		return "Kubernetes gives no reason"
	}
	return strings.Join(said, "; ")
}
