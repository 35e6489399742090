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
		{"pool-micro-api", "the limits raised", "max_connections", spoilRules(limits)},
		{"pool-micro-api", "the limits raised behind the run's back", "client.share(503)", func(m mesh.Mesh) mesh.Mesh { return spoiltLoad{m, limits} }},
		{"pool-micro-api", "a counter that disagrees", "overflows(micro-api)", spoilProxies(doubleOverflows)},
		{"pool-micro-api", "pods drawn at random", "lb_policy", spoilRules(drawPods)},
		{"pool-micro-api", "pods drawn at random, of which no proxy tells", "imbalance(micro-api", func(m mesh.Mesh) mesh.Mesh {
			return spoilProxies(hideDraws)(spoilRules(drawPods)(m))
		}},
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
