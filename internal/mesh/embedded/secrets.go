package embedded

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"

	"github.com/meshchaos/meshchaos/internal/credential"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/sidecar"
	"github.com/meshchaos/meshchaos/loadgen"
)

// secret is what the gateway shows to clients, and what is made of it for them.
type secret struct {
	texts *credential.Credential
	read  *sidecar.Credential
}

// certify makes the secrets that cohorts are to find at the gateway. m.mu is held.
func (m *Mesh) certify(cohorts []mesh.Cohort) error {
	for name, hosts := range mesh.Credentials(cohorts) {
		made, err := credential.New(hosts)
		if err != nil {
			return fmt.Errorf("making the secret %s: %w", name, err)
		}
		pair, err := tls.X509KeyPair([]byte(made.Certificate), []byte(made.Key))
		if err != nil {
			return fmt.Errorf("making the secret %s: %w", name, err)
		}
		clients := x509.NewCertPool()
		clients.AppendCertsFromPEM([]byte(made.CA))
		m.secrets[name] = secret{made, &sidecar.Credential{Certificate: pair, Clients: clients}}
	}
	return nil
}

// credential is a secret as the gateway reads it; nil: there is none.
func (m *Mesh) credential(name string) *sidecar.Credential {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.secrets[name].read
}

// trusting is a cohort's plan with what a client has to know of its credential.
func (m *Mesh) trusting(c mesh.Cohort) (loadgen.Plan, error) {
	if c.Credential == "" {
		return c.Plan, nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	made, there := m.secrets[c.Credential]
	if !there {
		return c.Plan, fmt.Errorf("sending load %s: the mesh was prepared without its secret %s", c.Name, c.Credential)
	}
	return c.Trusting(made.texts), nil
}
