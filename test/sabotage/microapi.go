package sabotage

import (
	"regexp"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// microapi returns the sabotages of micro-api.
func microapi() []Sabotage {
	return []Sabotage{
		{"ingress-micro-api", "60/40 for 70/30", "split(outside)", spoilRules(weights(70, 30, 60, 40))},
		{"ingress-micro-api", "the weights swapped", "split(outside)", spoilRules(weights(70, 30, 30, 70))},
		{"ingress-micro-api", "one request in ten left behind", `inside.answered("v1") == requests(micro-api, v1)`, spoilRules(weights(0, 100, 10, 90))},
		{"ingress-micro-api", "the weights of the gateway in the sidecars too", "split(inside)", spoilRules(inSidecars)},

		{"pool-micro-api", "the limits raised", "max_connections", spoilRules(limits)},
		{"pool-micro-api", "the limits raised behind the run's back", "client.status[503] > 0", func(m mesh.Mesh) mesh.Mesh { return spoiltLoad{m, limits} }},
		{"pool-micro-api", "a counter that disagrees", "overflows(micro-api)", spoilProxies(doubleOverflows)},
		{"pool-micro-api", "pods drawn at random", "lb_policy", spoilRules(drawPods)},
		{"pool-micro-api", "pods drawn at random, of which no proxy tells", "imbalance(micro-api, v1)", func(m mesh.Mesh) mesh.Mesh {
			return spoilProxies(hideDraws)(spoilRules(drawPods)(m))
		}},
		{"pool-micro-api", "60/40 for 50/50", "split(client)", spoilRules(weights(50, 50, 60, 40))},
	}
}

// inSidecars has the rules of gateways apply to what calls past them, too.
func inSidecars(o *rules.Object) {
	if vs, ok := o.Spec.(*networking.VirtualService); ok && len(vs.Gateways) > 0 {
		vs.Gateways = append(vs.Gateways, rules.MeshGateway)
	}
}

// drawPods has a pod drawn for each request, where they are to take turns.
func drawPods(o *rules.Object) {
	if rule, ok := o.Spec.(*networking.DestinationRule); ok && rule.GetTrafficPolicy().GetLoadBalancer() != nil {
		rule.TrafficPolicy.LoadBalancer.LbPolicy = &networking.LoadBalancerSettings_Simple{Simple: networking.LoadBalancerSettings_RANDOM}
	}
}

var drawn = regexp.MustCompile(`("lb_policy":\s*)"RANDOM"`)

func hideDraws(body []byte) []byte { return drawn.ReplaceAll(body, []byte(`$1"ROUND_ROBIN"`)) }
