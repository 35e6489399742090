package envoy

import "context"

// Listener is a listener in its active state; one that is warming or draining
// takes no new connections.
type Listener struct {
	Name string          // Istio's are called address_port
	TCP  [][]Weighted    // the clusters of each tcp_proxy filter; none for a listener of HTTP alone
	TLS  []DownstreamTLS // of each filter chain that ends TLS by a secret
}

// DownstreamTLS is how a filter chain ends the TLS of clients.
type DownstreamTLS struct {
	Names  []string // that it is for, as a client asks for one by SNI; none: it is for any
	Secret string   // the name of the first secret with a certificate; Istio's is kubernetes://NAME
	Mutual bool     // a client has to show a certificate
}

// tlsContext is Envoy's DownstreamTlsContext, as far as it says by which secrets.
type tlsContext struct {
	Common struct {
		Certificates []struct {
			Name string `json:"name"`
		} `json:"tls_certificate_sds_secret_configs"`
	} `json:"common_tls_context"`
	Mutual bool `json:"require_client_certificate"`
}

// Listeners returns the active dynamic listeners whose whole name matches the
// RE2 expression name; all if it is empty. Istio names them address_port.
func (a *Admin) Listeners(ctx context.Context, name string) ([]Listener, error) {
	type element struct {
		Name   string `json:"name"`
		Active *struct {
			Listener struct {
				Chains []struct {
					Match struct {
						Names []string `json:"server_names"`
					} `json:"filter_chain_match"`
					Filters []struct {
						Config action `json:"typed_config"`
					} `json:"filters"`
					Socket struct {
						Config tlsContext `json:"typed_config"`
					} `json:"transport_socket"`
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
			if of := chain.Socket.Config; len(of.Common.Certificates) > 0 {
				l.TLS = append(l.TLS, DownstreamTLS{Names: chain.Match.Names, Secret: of.Common.Certificates[0].Name, Mutual: of.Mutual})
			}
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
