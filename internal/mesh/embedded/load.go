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

// Load implements mesh.Mesh. The load comes from this process, or where it has several
// senders from as many others: through a load workload's proxy, or to the gateway's, whose
// host name in a plan does not matter to where it connects.
func (m *Mesh) Load(ctx context.Context, cohorts []mesh.Cohort, guard mesh.Guard, begin func(context.Context) error, observe func(loadgen.Progress)) (map[string]*loadgen.Result, error) {
	if mostSenders(cohorts) > 1 {
		return m.loadTogether(ctx, cohorts, guard, begin, observe)
	}
	plans := map[string]loadgen.Plan{}
	for _, c := range cohorts {
		address, err := m.leads(c, 0)
		if err != nil {
			return nil, err
		}
		plan, err := m.trusting(c)
		if err != nil {
			return nil, err
		}
		plans[c.Name] = plan.Through(address)
	}
	breached, err := check.Watch(plans, guard.AbortWhen)
	if err != nil {
		return nil, fmt.Errorf("guarding the load: %w", err)
	}
	bounds := loadgen.Bounds{QPS: guard.QPS, Duration: guard.Duration, Breached: breached, Stopped: guard.Stopped}
	return loadgen.RunGroup(ctx, plans, bounds, begin, observe)
}

// leads is where the connections of one of a cohort's senders go.
func (m *Mesh) leads(c mesh.Cohort, sender int) (address string, err error) {
	host, port, err := c.Plan.Address()
	if err == nil {
		address, err = m.listener(c, sender, host, port)
	}
	if err != nil {
		return "", fmt.Errorf("sending load %s: %w", c.Name, err)
	}
	return address, nil
}

// listener is where its connections to an address of the mesh go.
func (m *Mesh) listener(c mesh.Cohort, sender int, host, port string) (string, error) {
	address := net.JoinHostPort(host, port)
	proxy := m.entrance(c, sender)
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
