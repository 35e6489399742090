package sabotage

import (
	"context"
	"regexp"
	"slices"
	"strconv"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/loadgen"
)

// microapi returns the sabotages of micro-api.
func microapi() []Sabotage {
	return []Sabotage{
		{"ingress-micro-api", "its load on two connections", "outside.connections == 1", func(m mesh.Mesh) mesh.Mesh { return onTwo{m} }},

		{"pool-micro-api", "the limits raised", "max_connections", spoilRules(limits)},
		{"pool-micro-api", "the limits raised behind the run's back", "client.share(503)", behind(limits)},
		{"pool-micro-api", "a counter that disagrees", "overflows(micro-api)", spoilProxies(doubleOverflows)},
		{"pool-micro-api", "a counter of connections that disagrees", "connections(micro-api)", spoilProxies(halveConnections)},
		{"pool-micro-api", "pods drawn at random", "lb_policy", spoilRules(drawPods)},
		{"pool-micro-api", "pods drawn at random, of which no proxy tells", "imbalance(micro-api", func(m mesh.Mesh) mesh.Mesh {
			return spoilProxies(hideDraws)(spoilRules(drawPods)(m))
		}},
	}
}

// onTwo is a mesh in which each load has two connections, as if the first had been
// closed on the way.
type onTwo struct{ mesh.Mesh }

func (o onTwo) Load(ctx context.Context, cohorts []mesh.Cohort, guard mesh.Guard, begin func(context.Context) error, observe func(loadgen.Progress)) (map[string]*loadgen.Result, error) {
	cohorts = slices.Clone(cohorts)
	for i := range cohorts {
		cohorts[i].Plan.Connections = 2
	}
	return o.Mesh.Load(ctx, cohorts, guard, begin, observe)
}

var connection = regexp.MustCompile(`("value":\s*")(\d+)(",\s*"name":\s*"cx_total")`)

// halveConnections has proxies tell of half of the connections that they opened.
func halveConnections(body []byte) []byte {
	return connection.ReplaceAllFunc(body, func(found []byte) []byte {
		parts := connection.FindSubmatch(found)
		value, _ := strconv.Atoi(string(parts[2]))
		return slices.Concat(parts[1], []byte(strconv.Itoa(value/2)), parts[3])
	})
}

// drawPods has a pod drawn for each request, where they are to take turns.
func drawPods(o *rules.Object) {
	if rule, ok := o.Spec.(*networking.DestinationRule); ok && rule.GetTrafficPolicy().GetLoadBalancer() != nil {
		rule.TrafficPolicy.LoadBalancer.LbPolicy = &networking.LoadBalancerSettings_Simple{Simple: networking.LoadBalancerSettings_RANDOM}
	}
}

var drawn = regexp.MustCompile(`("lb_policy":\s*)"RANDOM"`)

func hideDraws(body []byte) []byte { return drawn.ReplaceAll(body, []byte(`$1"ROUND_ROBIN"`)) }
