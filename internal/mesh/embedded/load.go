package embedded

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/loadgen"
)

// Load implements mesh.Mesh. The load comes from this process: through a load
// workload's proxy, or to the gateway's, whose host name in a plan does not
// matter to where it connects.
func (m *Mesh) Load(ctx context.Context, cohorts []mesh.Cohort, guard mesh.Guard, begin func(context.Context) error, observe func(loadgen.Progress)) (map[string]*loadgen.Result, error) {
	plans := map[string]loadgen.Plan{}
	for _, c := range cohorts {
		plan, err := m.plan(c)
		if err != nil {
			return nil, fmt.Errorf("sending load %s: %w", c.Name, err)
		}
		plans[c.Name] = plan
	}
	breached, err := check.Watch(plans, guard.AbortWhen)
	if err != nil {
		return nil, fmt.Errorf("guarding the load: %w", err)
	}
	bounds := loadgen.Bounds{QPS: guard.QPS, Duration: guard.Duration, Breached: breached, Stopped: guard.Stopped}
	return loadgen.RunGroup(ctx, plans, bounds, begin, observe)
}

// plan is a cohort's plan with its connections led to a proxy.
func (m *Mesh) plan(c mesh.Cohort) (loadgen.Plan, error) {
	host, port, err := c.Plan.Address()
	if err != nil {
		return loadgen.Plan{}, err
	}
	address, err := m.listener(c, host, port)
	if err != nil {
		return loadgen.Plan{}, err
	}
	return c.Plan.Through(address), nil
}

// listener is where a cohort's connections to an address of the mesh go.
func (m *Mesh) listener(c mesh.Cohort, host, port string) (string, error) {
	address := net.JoinHostPort(host, port)
	proxy := m.entrance(c)
	if proxy == nil {
		return "", fmt.Errorf("nothing passes for the workload %q; the mesh was prepared without this load", c.From)
	}
	if c.From == mesh.FromGateway {
		number, err := strconv.Atoi(port)
		if err != nil {
			return "", fmt.Errorf("connecting to %q at the gateway: its port is not a number", address)
		}
		return proxy.GatewayAddress(number)
	}
	listener, err := proxy.ListenerAddress(address)
	if err != nil {
		return "", fmt.Errorf("connecting to %q: %w; the application has %s", address, err, m.addresses())
	}
	return listener, nil
}

// addresses words what can be called.
func (m *Mesh) addresses() string {
	var all []string
	for _, s := range m.common.Services {
		for _, p := range s.Ports {
			all = append(all, fmt.Sprintf("%s:%d", s.Name, p.Number))
		}
	}
	return strings.Join(all, ", ")
}
