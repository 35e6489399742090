package istio

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// Services implements mesh.Mesh. Hosts are those of the cluster domain
// cluster.local.
func (m *Mesh) Services(ctx context.Context) ([]mesh.Service, error) {
	var all []mesh.Service
	for _, namespace := range m.namespaces() {
		services, err := m.servicesIn(ctx, namespace)
		if err != nil {
			return nil, err
		}
		pods, err := m.podsIn(ctx, namespace)
		if err != nil {
			return nil, err
		}
		for _, s := range services {
			one := service(s, m.namespace)
			one.Ready = readyBehind(s, pods)
			all = append(all, one)
		}
	}
	return all, nil
}

func (c *Cluster) servicesIn(ctx context.Context, namespace string) ([]corev1.Service, error) {
	list, err := c.kube.CoreV1().Services(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, answered(fmt.Errorf("listing the services of namespace %s: %w", namespace, err))
	}
	return list.Items, nil
}

func (c *Cluster) podsIn(ctx context.Context, namespace string) ([]corev1.Pod, error) {
	list, err := c.kube.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, answered(fmt.Errorf("listing the pods of namespace %s: %w", namespace, err))
	}
	return list.Items, nil
}

// readyBehind returns the labels of the pods that a service selects and that
// are ready, as its endpoints are; nil of a service whose endpoints somebody
// else keeps.
func readyBehind(s corev1.Service, pods []corev1.Pod) []map[string]string {
	if len(s.Spec.Selector) == 0 {
		return nil
	}
	selector := labels.SelectorFromSet(s.Spec.Selector)
	behind := []map[string]string{}
	for i := range pods {
		pod := &pods[i]
		if serves(pod) && selector.Matches(labels.Set(pod.Labels)) {
			behind = append(behind, pod.Labels)
		}
	}
	return behind
}

// service is one as a run knows it whose own namespace is home.
func service(s corev1.Service, home string) mesh.Service {
	host := rules.FQDN(s.Name, s.Namespace)
	out := mesh.Service{Name: rules.Short(host, home), Host: host}
	for _, p := range s.Spec.Ports {
		if p.Protocol == corev1.ProtocolTCP || p.Protocol == "" {
			tcp, either := protocol(p)
			out.Ports = append(out.Ports, mesh.Port{Number: int(p.Port), TCP: tcp, Either: either})
		}
	}
	return out
}

// protocol says whether Istio treats a port as TCP rather than HTTP: by
// appProtocol if it is set, else by the port's name up to its first hyphen
// (istio.io, "Protocol Selection"). A port that says nothing is sniffed by the
// proxies, and may be either; it counts as HTTP here, as the traffic of HTTP rules
// does, save on the ports whose servers speak first, which Istio never sniffs.
func protocol(p corev1.ServicePort) (tcp, either bool) {
	name := p.Name
	if p.AppProtocol != nil {
		name = *p.AppProtocol
	}
	switch name {
	case "kubernetes.io/h2c", "kubernetes.io/ws":
		return false, false
	case "kubernetes.io/wss":
		return true, false
	}
	word, _, _ := strings.Cut(strings.ToLower(name), "-")
	switch word {
	case "http", "http2", "grpc", "http_proxy":
		return false, false
	case "tcp", "tls", "https", "mongo", "redis", "mysql":
		return true, false
	}
	switch p.Port {
	case 25, 53, 3306, 27017:
		return true, false
	}
	return false, true
}
