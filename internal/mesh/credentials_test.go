package mesh

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/internal/credential"
	"github.com/meshchaos/meshchaos/loadgen"
)

func TestACredentialIsForAllHostsThatAreAskedFor(t *testing.T) {
	call := func(url, sni, name string) Cohort {
		return Cohort{Credential: name, Plan: loadgen.Plan{HTTP: &loadgen.HTTP{URL: url}, TLS: &loadgen.TLS{SNI: sni}}}
	}
	got := Credentials([]Cohort{
		call("https://a.example.com/x", "", "one"), call("https://a.example.com:8443/y", "", "one"), call("https://10.0.0.1/", "b.example.com", "one"),
		call("https://c.example.com/", "", "two"), call("https://d.example.com/", "", ""),
		{Credential: "two", Plan: loadgen.Plan{Send: []loadgen.Request{{HTTP: loadgen.HTTP{URL: "https://e.example.com/"}}, {HTTP: loadgen.HTTP{URL: "https://e.example.com/{{.word}}"}}}}},
	})
	want := map[string][]string{"one": {"a.example.com", "b.example.com"}, "two": {"c.example.com", "e.example.com"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAPlanTrustsACredentialAndStaysAsItWas(t *testing.T) {
	c := Cohort{Plan: loadgen.Plan{HTTP: &loadgen.HTTP{URL: "https://a/"}, TLS: &loadgen.TLS{SNI: "b"}}}
	plan := c.Trusting(&credential.Credential{CA: "ca", Certificate: "server", Key: "secret", ClientIdentity: "client", ClientKey: "key"})
	if want := (loadgen.TLS{SNI: "b", CACertificates: "ca", ClientCertificate: "client", PrivateKey: "key"}); *plan.TLS != want {
		t.Errorf("it is %+v", plan.TLS)
	}
	if *c.Plan.TLS != (loadgen.TLS{SNI: "b"}) {
		t.Errorf("the cohort's own is %+v", c.Plan.TLS)
	}
	if texts := []string{plan.TLS.CACertificates, plan.TLS.ClientCertificate, plan.TLS.PrivateKey}; slices.Contains(texts, "secret") {
		t.Error("the client has the key of the server")
	}
}
