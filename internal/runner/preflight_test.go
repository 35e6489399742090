package runner_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/internal/journal"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/mesh/meshtest"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/runner"
)

// shared is a mesh in which others have objects too, and something is wrong.
type shared struct {
	mesh.Mesh
	here, elsewhere []*rules.Object
	hidden          bool // some of elsewhere
	wrong           []error
	warnings        []string
	asked           []string // of Inspect
}

func (c *shared) Objects(context.Context) ([]*rules.Object, error) { return c.here, nil }

func (c *shared) Elsewhere(context.Context, []string) ([]*rules.Object, bool, error) {
	return c.elsewhere, !c.hidden, nil
}

func (c *shared) Inspect(_ context.Context, services []string) ([]error, []string, error) {
	c.asked = services
	return c.wrong, c.warnings, nil
}

// kept is a VirtualService of ratings with more metadata.
func kept(t *testing.T, namespace, metadata string) *rules.Object {
	t.Helper()
	return decoded(t, `{"apiVersion":"networking.istio.io/v1","kind":"VirtualService",
		"metadata":{"name":"theirs","namespace":"`+namespace+`"`+metadata+`},
		"spec":{"hosts":["ratings.default.svc.cluster.local"],"http":[{"route":[{"destination":{"host":"ratings.default.svc.cluster.local"}}]}]}}`)
}

// policy is a DestinationRule of a namespace.
func policy(t *testing.T, namespace, host, policy string) *rules.Object {
	t.Helper()
	return decoded(t, `{"apiVersion":"networking.istio.io/v1","kind":"DestinationRule",
		"metadata":{"name":"wide","namespace":"`+namespace+`"},"spec":{"host":"`+host+`","trafficPolicy":`+policy+`}}`)
}

func decoded(t *testing.T, manifest string) *rules.Object {
	t.Helper()
	o, err := rules.Decode([]byte(manifest))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

const (
	delays  = `{fault: {service: ratings, delay: 50ms}}`
	splits  = `{route: {service: ratings, to: v1}}`
	limits  = `{breaker: {service: ratings, maxConnections: 1}}`
	created = `,"creationTimestamp":"2024-01-02T03:04:05Z"`
	later   = `,"creationTimestamp":"2025-01-02T03:04:05Z"`
	argo    = `,"annotations":{"argocd.argoproj.io/tracking-id":"shop:networking.istio.io/VirtualService:default/theirs"}`
	flagger = `,"ownerReferences":[{"apiVersion":"flagger.app/v1beta1","kind":"Canary","name":"ratings"}]`
	mutual  = `{"tls":{"mode":"ISTIO_MUTUAL"}}`
	pooled  = `{"connectionPool":{"tcp":{"maxConnections":9}}}`
)

func TestWhatOthersHaveInTheMeshIsInTheWay(t *testing.T) {
	marked := func(entry string) *rules.Object {
		return decoded(t, `{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"theirs","namespace":"default"},
			"spec":{"hosts":["reviews"],"http":[{"name":"`+entry+`","route":[{"destination":{"host":"reviews"}}]}]}}`)
	}
	for name, test := range map[string]struct {
		rule            string
		here, elsewhere []*rules.Object
		gitOps          bool
		want            string // empty: it is planned
	}{
		"nobody's":                                     {rule: delays, here: []*rules.Object{kept(t, "default", created)}},
		"kept by GitOps":                               {rule: delays, here: []*rules.Object{kept(t, "default", argo)}, want: "it belongs to Argo CD (application shop), which would set it back"},
		"kept by GitOps, and allowed":                  {rule: delays, here: []*rules.Object{kept(t, "default", argo)}, gitOps: true},
		"kept by GitOps, and not touched":              {rule: `{fault: {service: details, delay: 50ms}}`, here: []*rules.Object{kept(t, "default", argo)}},
		"shifted by another, GitOps allowed":           {rule: delays, here: []*rules.Object{kept(t, "default", flagger)}, gitOps: true, want: "it belongs to Flagger (Canary ratings), which shifts the traffic"},
		"a host that another namespace has":            {rule: delays, elsewhere: []*rules.Object{kept(t, "films", created)}, want: "VirtualService/films/theirs has the host ratings.default.svc.cluster.local too, and was there first"},
		"a host that another namespace got later":      {rule: delays, here: []*rules.Object{kept(t, "default", created)}, elsewhere: []*rules.Object{kept(t, "films", later)}},
		"a host that another namespace got before":     {rule: delays, here: []*rules.Object{kept(t, "default", later)}, elsewhere: []*rules.Object{kept(t, "films", created)}, want: "was there first"},
		"a policy for all that ours would hide":        {rule: splits, elsewhere: []*rules.Object{policy(t, "istio-system", "*.local", mutual)}, want: "it would hide DestinationRule/istio-system/wide, whose trafficPolicy.tls is in force for ratings"},
		"a policy for others":                          {rule: splits, elsewhere: []*rules.Object{policy(t, "istio-system", "*.films.svc.cluster.local", mutual)}},
		"a policy for all that is hidden already":      {rule: splits, here: []*rules.Object{policy(t, "default", "ratings", pooled)}, elsewhere: []*rules.Object{policy(t, "istio-system", "*.local", mutual)}},
		"a policy for all of which ours says the same": {rule: limits, elsewhere: []*rules.Object{policy(t, "istio-system", "*.local", pooled)}},
		"a policy for all, and no rule for a policy":   {rule: delays, elsewhere: []*rules.Object{policy(t, "istio-system", "*.local", mutual)}},
		"the mark of a run of which nothing is known":  {rule: delays, here: []*rules.Object{marked("meshchaos-7f3a-1-2-0")}, want: "VirtualService/default/theirs carries the mark of the run 7f3a, whose ledger somebody has deleted"},
		"a mark behind a name":                         {rule: delays, here: []*rules.Object{marked("plain.meshchaos-7f3a-1-2-0")}, want: "the run 7f3a"},
		"a name that only begins as a mark":            {rule: delays, here: []*rules.Object{marked("meshchaos-canary")}},
		"the mark of a run that has its ledger":        {rule: delays, here: []*rules.Object{marked("meshchaos-0d0d-1-2-0")}},
	} {
		t.Run(name, func(t *testing.T) {
			m := &shared{Mesh: meshtest.Open(t, "bookinfo", 1), here: test.here, elsewhere: test.elsewhere}
			if err := m.Enter(t.Context(), &journal.Ledger{Run: "0d0d"}); err != nil {
				t.Fatal(err)
			}
			_, err := runner.PlanOn(t.Context(), m, readNamed(t, "naming.yaml", naming(test.rule, page, "")), runner.Options{ID: "test", NoAccessLog: true, AllowGitOps: test.gitOps})
			var refused *runner.RefusedError
			switch {
			case test.want == "" && err != nil:
				t.Errorf("the error is %v", err)
			case test.want != "" && (!errors.As(err, &refused) || !strings.Contains(err.Error(), test.want)):
				t.Errorf("the error is %v, not with %q", err, test.want)
			}
		})
	}
}

func TestEverythingThatIsWrongIsSaidAtOnce(t *testing.T) {
	m := &shared{
		Mesh:      meshtest.Open(t, "bookinfo", 1),
		here:      []*rules.Object{kept(t, "default", argo)},
		elsewhere: []*rules.Object{policy(t, "istio-system", "*.local", mutual)},
		hidden:    true,
		wrong:     []error{errors.New("no sidecar in reviews")},
		warnings:  []string{"no sidecar in details, on purpose"},
	}
	for name, test := range map[string]struct {
		rules string
		want  []string
	}{
		"planned":                {delays + ", " + splits, []string{"belongs to Argo CD", "would hide DestinationRule", "no sidecar in reviews"}},
		"what cannot be planned": {delays + ", {fault: {service: rating, delay: 50ms}}", []string{`no service "rating"`, "no sidecar in reviews"}},
	} {
		t.Run(name, func(t *testing.T) {
			text := naming(test.rules, page, "")
			_, err := runner.PlanOn(t.Context(), m, readNamed(t, "naming.yaml", text), runner.Options{ID: "test", NoAccessLog: true})
			var refused *runner.RefusedError
			if !errors.As(err, &refused) {
				t.Fatalf("the error is %v", err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("it lacks %q:\n%v", want, err)
				}
			}
			if name == "planned" && !slices.Contains(m.asked, "ratings.default.svc.cluster.local") {
				t.Errorf("the mesh was asked of %v, without ratings", m.asked)
			}
		})
	}
}
