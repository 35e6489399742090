package istio

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
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

// Prepare implements mesh.Mesh. It takes some seconds, however many load workloads
// there are.
func (m *Mesh) Prepare(ctx context.Context, cohorts []mesh.Cohort) error {
	m.ask(cohorts)
	if err := m.certify(ctx, cohorts); err != nil {
		return err
	}
	var group errgroup.Group
	for _, c := range cohorts {
		group.Go(func() error {
			_, err := m.start(ctx, c.Borrows())
			return err
		})
	}
	return group.Wait()
}

// Proxies implements mesh.Mesh: one proxy for each pod that is ready and has
// one, in the namespaces and of the ingress gateway. While a load workload is
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
	for i := range gateways {
		m.remember(gateways[i].Namespace)
	}
	var pods []corev1.Pod
	for _, namespace := range m.namespaces() {
		some, err := m.podsIn(ctx, namespace)
		if err != nil {
			return nil, err
		}
		pods = append(pods, some...)
	}
	var proxies []mesh.Proxy
	seen := map[string]bool{}
	for i, pod := range slices.Concat(gateways, pods) {
		client := ours[pod.UID]
		if seen[string(pod.UID)] || !sends(&pod, client) {
			continue
		}
		seen[string(pod.UID)] = true
		var as borrowed
		if client != nil {
			as = client.as
		}
		p, err := m.proxy(&pod, as.labelsOf(&pod))
		if err != nil {
			return nil, err
		}
		p.Gateway, p.Client, p.Borrows = i < len(gateways), client != nil, as.workload
		if !p.Gateway && p.Namespace != m.namespace { // where others may have the same names
			p.Name, p.Workload = p.Name+"."+p.Namespace, p.Workload+"."+p.Namespace
		}
		proxies = append(proxies, p)
	}
	slices.SortFunc(proxies, func(a, b mesh.Proxy) int { return strings.Compare(a.Name, b.Name) })
	return proxies, nil
}

// sends says whether the traffic of a run may come by a pod, which is a load workload's
// if client is not nil: there are those of other runs too.
func sends(pod *corev1.Pod, client *workload) bool {
	if client != nil {
		return hasProxy(pod) && loads(pod)
	}
	return carries(pod) && pod.Labels[label] == ""
}

// remember keeps in which namespaces the gateway's pods are, or were: their Telemetries
// decide what it logs.
func (m *Mesh) remember(namespace string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !slices.Contains(m.gateways, namespace) {
		m.gateways = append(m.gateways, namespace)
	}
}

// gateway is the namespace in which the gateway was found first; empty: in none yet.
func (m *Mesh) gateway() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.gateways) == 0 {
		return ""
	}
	return m.gateways[0]
}

// ours are the load workloads that somebody has asked for, by their pods.
func (m *Mesh) ours(ctx context.Context) (map[types.UID]*workload, error) {
	m.mu.Lock()
	closed := m.closed
	m.mu.Unlock()
	if closed {
		return nil, errClosed
	}
	all := map[types.UID]*workload{}
	for borrows := range m.asked() {
		w, err := m.start(ctx, borrows)
		if err != nil {
			return nil, err
		}
		for _, of := range w.pods() {
			all[of.pod.UID] = of
		}
	}
	return all, nil
}

func (c *Cluster) proxy(pod *corev1.Pod, labels map[string]string) (mesh.Proxy, error) {
	base, err := c.tunnels.base(pod, adminPort)
	if err != nil {
		return mesh.Proxy{}, err
	}
	return mesh.Proxy{
		Name:      pod.Name,
		Namespace: pod.Namespace,
		Workload:  owner(pod),
		App:       cmp.Or(labels["app"], labels["app.kubernetes.io/name"]),
		Version:   labels["version"],
		Labels:    labels,
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

func ready(pod *corev1.Pod) bool { return is(pod, corev1.PodReady) }

// is says whether a condition of a pod is true.
func is(pod *corev1.Pod, condition corev1.PodConditionType) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == condition && c.Status == corev1.ConditionTrue
	})
}

// hasProxy finds the sidecar beside the application, or, where Kubernetes has
// native sidecars, among the init containers.
func hasProxy(pod *corev1.Pod) bool {
	return slices.ContainsFunc(slices.Concat(pod.Spec.Containers, pod.Spec.InitContainers), func(c corev1.Container) bool {
		return c.Name == proxyContainer && c.Image != injected
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
