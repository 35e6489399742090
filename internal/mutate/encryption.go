package mutate

import (
	"fmt"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// encryption has a gateway ask clients for certificates that is not to, or not ask for any,
// or show itself by a secret that nobody has made.
func encryption(w written) []edit {
	var edits []edit
	for i, change := range w.changes {
		gateway, ok := change.After.Spec.(*networking.Gateway)
		if !ok {
			continue
		}
		for j, server := range gateway.Servers {
			tls := func(id, what string, to func(*networking.ServerTLSSettings)) {
				if len(gateway.Servers) > 1 {
					id += fmt.Sprintf("-%d", server.GetPort().GetNumber())
				}
				edits = append(edits, edit{id: id, what: what, alter: func(w written) ([]rules.Change, error) {
					to(w.changes[i].After.Spec.(*networking.Gateway).Servers[j].Tls)
					return w.changes, nil
				}})
			}
			of := fmt.Sprintf("port %d of the gateway %s", server.GetPort().GetNumber(), change.After.Name)
			switch server.GetTls().GetMode() {
			case networking.ServerTLSSettings_SIMPLE:
				if server.GetTls() != nil {
					tls("mutual", of+" asks for certificates", func(t *networking.ServerTLSSettings) { t.Mode = networking.ServerTLSSettings_MUTUAL })
				}
			case networking.ServerTLSSettings_MUTUAL:
				tls("not-mutual", of+" asks for no certificates", func(t *networking.ServerTLSSettings) { t.Mode = networking.ServerTLSSettings_SIMPLE })
			}
			if server.GetTls().GetCredentialName() != "" {
				tls("another-credential", of+" shows itself by a secret that nobody has made", func(t *networking.ServerTLSSettings) { t.CredentialName += "-old" })
			}
		}
	}
	return edits
}
