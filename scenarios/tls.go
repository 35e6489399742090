package scenarios

import (
	"maps"
	"slices"

	"github.com/goccy/go-yaml/ast"
	networking "istio.io/api/networking/v1alpha3"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/nearest"
	"github.com/meshchaos/meshchaos/internal/yamlnode"
	"github.com/meshchaos/meshchaos/loadgen"
)

// maxPEM bounds a file of certificates or a key, which goes to whoever makes the load.
const maxPEM = 256 << 10

// fileTLS has the names of Istio's ClientTLSSettings. What is a file is one from the folder
// of the scenario.
type fileTLS struct {
	SNI                string `yaml:"sni,omitempty" jsonschema_description:"The name that is asked for, and that the server's certificate must be of. Absent: the host of the URL."`
	CACertificates     string `yaml:"caCertificates,omitempty" jsonschema_description:"A file in PEM with the certificates to trust. Absent: those that the machine trusts."`
	ClientCertificate  string `yaml:"clientCertificate,omitempty" jsonschema_description:"A file in PEM with the certificate that the client shows, and those by which that is signed."`
	PrivateKey         string `yaml:"privateKey,omitempty" jsonschema_description:"A file in PEM with the key of clientCertificate. No report has it."`
	CredentialName     string `yaml:"credentialName,omitempty" jsonschema_description:"The secret that a Gateway of the scenario names: the run makes it, with a certificate for the host, has the client trust it and show one by it, and takes it away."`
	InsecureSkipVerify bool   `yaml:"insecureSkipVerify,omitempty" jsonschema_description:"Takes any certificate of any server, as fortio's -k."`
}

// setTLS says whom the load trusts, and who it is.
func (r *reader) setTLS(node ast.Node, load fileLoad, cohort *mesh.Cohort, plan *loadgen.Plan) error {
	if encrypted := plan.Encrypted() || plan.GRPC != nil && load.TLS != nil; encrypted && cohort.From != mesh.FromGateway {
		return yamlnode.At(targetOf(node), "leave it to sidecars to encrypt (http://, or no tls), or write from: gateway", "a sidecar cannot tell requests that are encrypted before they get to it, so that https and tls are for a load that enters by the gateway")
	} else if load.TLS != nil && !encrypted {
		return yamlnode.At(yamlnode.Follow(node, "tls"), "write https://, or leave tls out", "tls is for https, and nothing of this load is encrypted")
	}
	if load.TLS == nil {
		return nil
	}
	if cohort.Credential = load.TLS.CredentialName; cohort.Credential != "" {
		if err := checkCredential(yamlnode.Pair(node, "tls").Value, *load.TLS); err != nil {
			return err
		}
	}
	own := &loadgen.TLS{SNI: load.TLS.SNI, InsecureSkipVerify: load.TLS.InsecureSkipVerify}
	for _, part := range []struct {
		key, file string
		into      *string
	}{
		{"caCertificates", load.TLS.CACertificates, &own.CACertificates},
		{"clientCertificate", load.TLS.ClientCertificate, &own.ClientCertificate},
		{"privateKey", load.TLS.PrivateKey, &own.PrivateKey},
	} {
		if part.file == "" {
			continue
		}
		cohort.OfFiles = append(cohort.OfFiles, part.key)
		if r.bare {
			continue
		}
		var err error
		if *part.into, err = r.pem(yamlnode.Follow(node, "tls."+part.key), part.file); err != nil {
			return err
		}
	}
	plan.TLS = own
	return nil
}

// pem reads a file of certificates, or of a key.
func (r *reader) pem(node ast.Node, file string) (string, error) {
	text, err := r.open(file, maxPEM)
	if err != nil {
		return "", yamlnode.At(node, "write the path of a file in PEM, from the folder of the scenario", "%v", err)
	}
	if len(text) > maxPEM { // what is left of it would be another list of who is trusted
		return "", yamlnode.At(node, "write one with no more than this load needs", "%s is larger than %d KiB", file, maxPEM>>10)
	}
	return text, nil
}

// checkCredential refuses what a secret that the run makes does not go with.
func checkCredential(node ast.Node, own fileTLS) error {
	for _, key := range []string{"caCertificates", "clientCertificate", "privateKey", "insecureSkipVerify"} {
		if yamlnode.Pair(node, key) != nil {
			return yamlnode.At(yamlnode.Follow(node, key), "", "credentialName says whom the client trusts, and who it is; leave %s out", key)
		}
	}
	if wrong := validation.IsDNS1123Subdomain(own.CredentialName); len(wrong) > 0 {
		return yamlnode.At(yamlnode.Follow(node, "credentialName"), "use lower-case letters, digits and hyphens", "%q is not the name of a secret", own.CredentialName)
	}
	return nil
}

// uncredited says which cohort of a step waits for a secret that nothing is to show.
func (f *fileScenario) uncredited(s *Scenario, step fileStep, cohorts []mesh.Cohort) error {
	shown := map[string]bool{}
	note := func(list []Rule) {
		for _, rule := range list {
			for _, o := range rule.Objects {
				gateway, _ := o.Spec.(*networking.Gateway)
				for _, server := range gateway.GetServers() {
					if name := server.GetTls().GetCredentialName(); name != "" {
						shown[name] = true
					}
				}
			}
		}
	}
	note(s.Given)
	for _, step := range s.Steps {
		note(step.Apply)
	}
	for _, c := range cohorts {
		if c.Credential != "" && !shown[c.Credential] {
			return yamlnode.At(yamlnode.Follow(loadNode(f, step, c.Name), "tls.credentialName"), nearest.Hint(c.Credential, slices.Sorted(maps.Keys(shown))), "no Gateway of the scenario has the credential %q", c.Credential)
		}
	}
	return nil
}
