package istio

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/loadgen"
)

var ingress = &corev1.Service{
	ObjectMeta: metav1.ObjectMeta{Name: "istio-ingressgateway", Namespace: "istio-system"},
	Spec: corev1.ServiceSpec{ClusterIP: "10.96.0.7", Ports: []corev1.ServicePort{
		{Port: 80, TargetPort: intstr.FromInt32(8080)},
		{Port: 31400, TargetPort: intstr.FromInt32(31400)},
	}},
}

func TestLoadFromTheGatewayConnectsToItsService(t *testing.T) {
	url := func(u string) loadgen.Plan { return loadgen.Plan{HTTP: &loadgen.HTTP{URL: u}} }
	tcp := func(a string) loadgen.Plan { return loadgen.Plan{TCP: &loadgen.TCP{Address: a}} }
	for name, test := range map[string]struct {
		plan      loadgen.Plan
		want, err string
	}{
		"the scheme's port":                       {plan: url("http://bookinfo.example/productpage"), want: "10.96.0.7:80"},
		"the port that a server of it listens on": {plan: url("http://bookinfo.example:8080/"), want: "10.96.0.7:80"},
		"a TCP port":                              {plan: tcp("tcp-echo:31400"), want: "10.96.0.7:31400"},
		"a port that it does not have":            {plan: url("http://bookinfo.example:443/"), err: "has no port 443, only 80, 31400"},
		"an address without a port":               {plan: tcp("tcp-echo"), err: "missing port"},
	} {
		t.Run(name, func(t *testing.T) {
			c := mesh.Cohort{Name: "jason", From: mesh.FromGateway, Plan: test.plan}
			plan, err := (&Mesh{}).plan(c, ingress)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) || !strings.Contains(err.Error(), "jason") {
					t.Errorf("error %v; want one of jason with %q", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if plan.HTTP != nil && (plan.HTTP.Connect != test.want || plan.HTTP.URL != test.plan.HTTP.URL) {
				t.Errorf("HTTP %+v; want it to connect to %s", plan.HTTP, test.want)
			}
			if plan.TCP != nil && plan.TCP.Connect != test.want {
				t.Errorf("TCP %+v; want it to connect to %s", plan.TCP, test.want)
			}
			if test.plan.HTTP != nil && test.plan.HTTP.Connect != "" {
				t.Error("the caller's plan was changed")
			}
		})
	}
	if _, err := (&Mesh{}).plan(mesh.Cohort{From: mesh.FromGateway, Plan: tcp("a:1")}, nil); err == nil {
		t.Error("load from a gateway that is not there was not refused")
	}
}

func TestAPortOfTheGatewayLeadsToItsServers(t *testing.T) {
	ports := leading(ingress)
	for port, number := range map[int]int{80: 8080, 8080: 80, 31400: 31400} {
		if !slices.Contains(ports[port], number) || !slices.Contains(ports[port], port) {
			t.Errorf("%d leads to %v", port, ports[port])
		}
		if _, err := gatewayPort(ingress, port); err != nil {
			t.Error(err)
		}
	}
	if len(ports) != 3 {
		t.Errorf("the ports are %v", ports)
	}
}
