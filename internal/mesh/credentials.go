package mesh

import (
	"slices"

	"github.com/meshchaos/meshchaos/internal/credential"
	"github.com/meshchaos/meshchaos/loadgen"
)

// Credentials are the names of the secrets that cohorts are to find at the gateway, each with
// the hosts that its certificate is to be for.
func Credentials(cohorts []Cohort) map[string][]string {
	all := map[string][]string{}
	for _, c := range cohorts {
		host, _, err := c.Plan.Address()
		if c.Credential == "" || err != nil {
			continue
		}
		if c.Plan.TLS != nil && c.Plan.TLS.SNI != "" {
			host = c.Plan.TLS.SNI
		}
		if !slices.Contains(all[c.Credential], host) {
			all[c.Credential] = append(all[c.Credential], host)
		}
	}
	return all
}

// Trusting returns the cohort's plan with what a client has to know of its credential, and to
// show.
func (c Cohort) Trusting(made *credential.Credential) loadgen.Plan {
	own := loadgen.TLS{}
	if c.Plan.TLS != nil {
		own = *c.Plan.TLS
	}
	own.CACertificates, own.ClientCertificate, own.PrivateKey = made.CA, made.ClientIdentity, made.ClientKey
	plan := c.Plan
	plan.TLS = &own
	return plan
}
