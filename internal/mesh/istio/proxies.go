package istio

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
)

// proxyContainer is the container of Istio's sidecar and of its gateways.
const proxyContainer = "istio-proxy"

// adminPort is the port of Envoy's admin interface on a pod's loopback.
const adminPort = 15000

// logDelay is how late a line of a sidecar's access log is read: Istio has Envoy
// flush it once a second (pilot-agent, --file-flush-interval-msec), and the way
// through the kubelet and the API server was 0.1 s where it was measured.
const logDelay = 1500 * time.Millisecond

// Prepare implements mesh.Mesh. It takes some seconds.
func (m *Mesh) Prepare(ctx context.Context, cohorts []mesh.Cohort) error {
	for _, c := range cohorts {
		if workload := c.Borrows(); workload != "" {
			return fmt.Errorf("preparing the load %s: this mesh cannot send it from the workload %s yet; take from: out", c.Name, workload)
		}
	}
	_, err := m.start(ctx)
	return err
}

// Proxies implements mesh.Mesh: one proxy for each pod that is ready and has
// one, in the namespace and of the ingress gateway. While the load workload is
// being made, it waits for that.
func (m *Mesh) Proxies(ctx context.Context) ([]mesh.Proxy, error) {
	ours, err := m.ours(ctx)
	if err != nil {
		return nil, err
	}
	gateways, err := m.gatewayPods(ctx)
	if err != nil {
		return nil, answered(err)
	}
	m.remember(gateways)
	list, err := m.kube.CoreV1().Pods(m.namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, answered(fmt.Errorf("listing the pods of namespace %s: %w", m.namespace, err))
	}
	var proxies []mesh.Proxy
	seen := map[string]bool{}
	for i, pod := range slices.Concat(gateways, list.Items) {
		client := pod.UID == ours
		if seen[string(pod.UID)] || !carries(&pod) || (pod.Labels[label] != "" && !client) {
			continue
		}
		seen[string(pod.UID)] = true
		p, err := m.proxy(&pod)
		if err != nil {
			return nil, err
		}
		p.Gateway, p.Client = i < len(gateways), client
		proxies = append(proxies, p)
	}
	slices.SortFunc(proxies, func(a, b mesh.Proxy) int { return strings.Compare(a.Name, b.Name) })
	return proxies, nil
}

// remember keeps in which namespaces the gateway's pods are: their Telemetries
// decide what it logs.
func (m *Mesh) remember(gateways []corev1.Pod) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range gateways {
		if namespace := gateways[i].Namespace; !slices.Contains(m.gateways, namespace) {
			m.gateways = append(m.gateways, namespace)
		}
	}
}

// ours is the pod of the load workload, empty if nobody has asked for it.
func (m *Mesh) ours(ctx context.Context) (types.UID, error) {
	m.mu.Lock()
	none := m.workload == nil && !m.closed
	m.mu.Unlock()
	if none {
		return "", nil
	}
	w, err := m.start(ctx)
	if err != nil {
		return "", err
	}
	return w.pod.UID, nil
}

func (c *Cluster) proxy(pod *corev1.Pod) (mesh.Proxy, error) {
	base, err := c.tunnels.base(pod, adminPort)
	if err != nil {
		return mesh.Proxy{}, err
	}
	app := pod.Labels["app"]
	if app == "" {
		app = pod.Labels["app.kubernetes.io/name"]
	}
	return mesh.Proxy{
		Name:      pod.Name,
		Namespace: pod.Namespace,
		Workload:  owner(pod),
		App:       app,
		Version:   pod.Labels["version"],
		Labels:    pod.Labels,
		Address:   pod.Status.PodIP,
		Admin:     &envoy.Admin{Client: c.tunnels.client, Base: base},
		Log:       c.followLog(types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name}),
	}, nil
}

// carries says whether a pod has a proxy and is ready for traffic.
func carries(pod *corev1.Pod) bool {
	return hasProxy(pod) && serves(pod)
}

// serves says whether a pod is among the endpoints of its services.
func serves(pod *corev1.Pod) bool {
	return pod.DeletionTimestamp == nil && pod.Status.Phase == corev1.PodRunning && ready(pod)
}

func ready(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// hasProxy finds the sidecar beside the application, or, where Kubernetes has
// native sidecars, among the init containers.
func hasProxy(pod *corev1.Pod) bool {
	return slices.ContainsFunc(slices.Concat(pod.Spec.Containers, pod.Spec.InitContainers), func(c corev1.Container) bool {
		return c.Name == proxyContainer
	})
}

// owner returns the name of the workload that a pod is of: the Deployment's
// where a ReplicaSet owns it, whose name ends with the pod's template hash.
func owner(pod *corev1.Pod) string {
	controller := metav1.GetControllerOf(pod)
	if controller == nil {
		return pod.Name
	}
	if hash := pod.Labels["pod-template-hash"]; controller.Kind == "ReplicaSet" && hash != "" {
		return strings.TrimSuffix(controller.Name, "-"+hash)
	}
	return controller.Name
}
