package envoy

import "context"

// Listener is a listener in its active state; one that is warming or draining
// takes no new connections.
type Listener struct {
	Name string       // Istio's are called address_port
	TCP  [][]Weighted // the clusters of each tcp_proxy filter; none for a listener of HTTP alone
}

// Listeners returns the active dynamic listeners whose whole name matches the
// RE2 expression name; all if it is empty. Istio names them address_port.
func (a *Admin) Listeners(ctx context.Context, name string) ([]Listener, error) {
	type element struct {
		Name   string `json:"name"`
		Active *struct {
			Listener struct {
				Chains []struct {
					Filters []struct {
						Config action `json:"typed_config"`
					} `json:"filters"`
				} `json:"filter_chains"`
			} `json:"listener"`
		} `json:"active_state"`
	}
	elements, err := dump[element](ctx, a, "dynamic_listeners", name, "name,active_state") // a mask goes no deeper: Envoy refuses one that enters the listener
	if err != nil {
		return nil, err
	}
	var listeners []Listener
	for _, e := range elements {
		if e.Active == nil {
			continue
		}
		l := Listener{Name: e.Name}
		for _, chain := range e.Active.Listener.Chains {
			for _, filter := range chain.Filters {
				if to := filter.Config.clusters(); len(to) > 0 {
					l.TCP = append(l.TCP, to)
				}
			}
		}
		listeners = append(listeners, l)
	}
	return listeners, nil
}
