package istio

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/loadgen"
)

// istioSystem is the namespace that Istio is installed in by default.
const istioSystem = "istio-system"

// gatewayLabels is the selector of Istio's default ingress gateway.
var gatewayLabels = labels.Set(rules.IngressGateway()).String()

// gatewayNamespaces are where the ingress gateway is looked for: in Istio's own
// namespace, then in all; who may not see them all finds it where Istio's guide to
// Helm puts it.
var gatewayNamespaces = []string{istioSystem, metav1.NamespaceAll, "istio-ingress"}

// gatewayPods returns the ingress gateway's pods, of the first of the namespaces that
// has any. Those that this user may not see, or not read, are out of reach, which only
// matters to load that enters by them.
func (m *Mesh) gatewayPods(ctx context.Context) ([]corev1.Pod, error) {
	for _, namespace := range gatewayNamespaces {
		list, err := m.kube.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: gatewayLabels})
		switch {
		case apierrors.IsForbidden(err):
			continue
		case err != nil:
			return nil, fmt.Errorf("listing the ingress gateway's pods: %w", err)
		case len(list.Items) > 0:
			readable, err := m.holds(ctx, reading(list.Items[0].Namespace))
			if err != nil || !readable {
				return nil, err
			}
			return list.Items, nil
		case namespace == metav1.NamespaceAll:
			return nil, nil
		}
	}
	return nil, nil
}

// gatewayService returns the service that leads to the ingress gateway's pods,
// nil if there is none.
func (c *Cluster) gatewayService(ctx context.Context) (*corev1.Service, error) {
	for _, namespace := range gatewayNamespaces {
		list, err := c.kube.CoreV1().Services(namespace).List(ctx, metav1.ListOptions{})
		if apierrors.IsForbidden(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("looking for the ingress gateway's service: %w", err)
		}
		for _, s := range list.Items {
			if rules.Selects(rules.IngressGateway(), s.Spec.Selector) && s.Spec.ClusterIP != "" && s.Spec.ClusterIP != corev1.ClusterIPNone {
				return &s, nil
			}
		}
		if namespace == metav1.NamespaceAll {
			return nil, nil
		}
	}
	return nil, nil
}

// GatewayPorts implements mesh.Mesh, by the service that leads to the gateway.
func (m *Mesh) GatewayPorts(ctx context.Context) (map[int][]int, error) {
	service, err := m.gatewayService(ctx)
	if err != nil {
		return nil, answered(err)
	}
	if service == nil {
		return map[int][]int{}, nil
	}
	return leading(service), nil
}

// leading are the ports that gatewayPort takes, each with the numbers of the
// servers that it leads to.
func leading(s *corev1.Service) map[int][]int {
	ports := map[int][]int{}
	for _, p := range s.Spec.Ports {
		leads := []int{int(p.Port)}
		if target := p.TargetPort.IntValue(); target != 0 {
			leads = append(leads, target)
		}
		for _, number := range leads {
			ports[number] = append(ports[number], leads...)
		}
	}
	return ports
}

// Gateways implements mesh.Mesh.
func (m *Mesh) Gateways(ctx context.Context) ([]*rules.Object, bool, error) {
	list, err := m.dynamic.Resource(m.resources[rules.Gateway]).List(ctx, metav1.ListOptions{})
	if apierrors.IsForbidden(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, answered(fmt.Errorf("listing the gateways of all namespaces: %w", err))
	}
	var gateways []*rules.Object
	for i := range list.Items {
		gateway, err := read(&list.Items[i])
		if err != nil {
			return nil, false, err
		}
		gateways = append(gateways, gateway)
	}
	return gateways, true, nil
}

// gatewayPort maps the port of a Gateway's server to one of the gateway's
// service. Istio takes a server's number as the service's port and listens on
// that port's target; a gateway that listens on the number itself is reached by
// the port that leads there.
func gatewayPort(s *corev1.Service, number int) (int, error) {
	var have []string
	for _, p := range s.Spec.Ports {
		if int(p.Port) == number {
			return number, nil
		}
		have = append(have, strconv.Itoa(int(p.Port)))
	}
	for _, p := range s.Spec.Ports {
		if p.TargetPort.IntValue() == number {
			return int(p.Port), nil
		}
	}
	return 0, fmt.Errorf("service %s/%s of the ingress gateway has no port %d, only %s; add the port to it, or use one that it has",
		s.Namespace, s.Name, number, strings.Join(have, ", "))
}

// plan returns what a cohort's connections are: as they are written, or to the
// ingress gateway.
func (m *Mesh) plan(c mesh.Cohort, gateway *corev1.Service) (loadgen.Plan, error) {
	if c.From != mesh.FromGateway {
		return c.Plan, nil
	}
	if gateway == nil {
		return c.Plan, fmt.Errorf("sending load %s to the ingress gateway: there is no service with the selector %s", c.Name, gatewayLabels)
	}
	plan, err := m.trusting(c)
	if err == nil {
		plan, err = through(gateway, plan)
	}
	if err != nil {
		return c.Plan, fmt.Errorf("sending load %s to the ingress gateway: %w", c.Name, err)
	}
	return plan, nil
}

// through returns the plan with its connections led to the gateway.
func through(gateway *corev1.Service, plan loadgen.Plan) (loadgen.Plan, error) {
	_, port, err := plan.Address()
	if err != nil {
		return plan, err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return plan, fmt.Errorf("its port %q is not a number", port)
	}
	if number, err = gatewayPort(gateway, number); err != nil {
		return plan, err
	}
	return plan.Through(net.JoinHostPort(gateway.Spec.ClusterIP, strconv.Itoa(number))), nil
}
