//go:build e2e

package validation

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/goccy/go-yaml"
	"google.golang.org/protobuf/reflect/protoreflect"
	"pgregory.net/rapid"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/scenarios"
)

// seeds are specs that Istio takes, from which one change is made.
var seeds = map[string][]string{
	rules.VirtualService: {
		`{hosts: [a], http: [{route: [{destination: {host: a, subset: v1, port: {number: 80}}, weight: 90}, {destination: {host: a}, weight: 10}]}]}`,
		`{hosts: [a], http: [{match: [{uri: {prefix: /a}, headers: {x: {exact: a}}, withoutHeaders: {y: {}}, method: {exact: GET}, queryParams: {q: {exact: a}}}], route: [{destination: {host: a}}]}]}`,
		`{hosts: [a], http: [{timeout: 1s, retries: {attempts: 2, perTryTimeout: 1s, retryOn: 5xx}, fault: {delay: {fixedDelay: 1s, percentage: {value: 10}}, abort: {httpStatus: 500, percentage: {value: 10}}}, route: [{destination: {host: a}}]}]}`,
		`{hosts: [a], http: [{fault: {abort: {grpcStatus: UNAVAILABLE}}, mirror: {host: b}, mirrorPercentage: {value: 10}, rewrite: {uri: /b}, headers: {request: {set: {x: a}}}, route: [{destination: {host: a}}]}]}`,
		`{hosts: [a], http: [{redirect: {uri: /b}}]}`,
		`{hosts: [a], http: [{directResponse: {status: 200, body: {string: a}}}]}`,
		`{hosts: [a], http: [{delegate: {name: b}}]}`,
		`{http: [{route: [{destination: {host: a}}]}]}`,
		`{hosts: ["*"], gateways: [g], http: [{route: [{destination: {host: a}}]}]}`,
		`{hosts: [a], tcp: [{match: [{port: 80}], route: [{destination: {host: a}, weight: 1}]}]}`,
		`{hosts: [a.b], tls: [{match: [{sniHosts: [a.b]}], route: [{destination: {host: a}}]}]}`,
	},
	rules.DestinationRule: {
		`{host: a, subsets: [{name: v1, labels: {version: v1}, trafficPolicy: {connectionPool: {tcp: {maxConnections: 1}}}}]}`,
		`{host: a, trafficPolicy: {connectionPool: {tcp: {maxConnections: 1}, http: {http1MaxPendingRequests: 1}}, outlierDetection: {consecutive5xxErrors: 1, interval: 1s}, loadBalancer: {simple: RANDOM}}}`,
		`{host: a, trafficPolicy: {loadBalancer: {consistentHash: {httpHeaderName: x}}}}`,
		`{host: a, trafficPolicy: {portLevelSettings: [{port: {number: 80}, outlierDetection: {consecutive5xxErrors: 1}}]}}`,
	},
	rules.Gateway: {
		`{selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}`,
		`{servers: [{port: {number: 443, name: https, protocol: HTTPS}, hosts: [a.b], tls: {mode: SIMPLE, credentialName: c}}]}`,
		`{servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"], tls: {httpsRedirect: true}}]}`,
	},
}

// manifestOf is an object in JSON.
func manifestOf(t fataler, kind string, spec any) []byte {
	manifest, err := json.Marshal(map[string]any{
		"apiVersion": "networking.istio.io/v1", "kind": kind,
		"metadata": map[string]any{"name": "a", "namespace": "default"}, "spec": spec,
	})
	if err != nil {
		t.Fatalf("encoding: %v", err)
	}
	return manifest
}

func decode(t fataler, text string) any {
	var tree any
	if err := yaml.Unmarshal([]byte(text), &tree); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return tree
}

func descriptor(kind string) protoreflect.MessageDescriptor {
	return rules.NewSpec(kind).ProtoReflect().Descriptor()
}

// excused are the fields of which meshchaos refuses more than Istio does, each with
// the reason. Of nothing does it refuse less: what it does not know, the embedded mesh
// does not implement, and says so.
var excused = map[string]string{
	"VirtualService.gateways":            "Istio reads no further than the first name without a namespace",
	"VirtualService.http.match.gateways": "Istio reads no further than the first name without a namespace",
	"VirtualService.tcp.match.gateways":  "Istio reads no further than the first name without a namespace",

	"DestinationRule.trafficPolicy.portLevelSettings.port":                  "no service has the port 0",
	"DestinationRule.trafficPolicy.portLevelSettings.port.number":           "no service has such a port",
	"DestinationRule.trafficPolicy.loadBalancer.warmupDurationSecs":         "Envoy counts whole milliseconds",
	"DestinationRule.trafficPolicy.retryBudget.budgetInterval":              "Envoy counts whole milliseconds",
	"DestinationRule.subsets.trafficPolicy.loadBalancer.warmupDurationSecs": "Envoy counts whole milliseconds",
	"DestinationRule.subsets.trafficPolicy.retryBudget.budgetInterval":      "Envoy counts whole milliseconds",
}

// trial is an object that both are asked of.
type trial struct {
	kind    string
	spec    any
	changes []change
}

// differs returns in which way meshchaos and Istio disagree of an object; empty: they
// do not, or the difference is excused, which is noted in used.
func (tr trial) differs(t fataler, i *istio, used map[string]bool) string {
	m := manifestOf(t, tr.kind, tr.spec)
	ours, theirs := weRefuse(m), i.refuses(t, m)
	switch {
	case ours == "" && theirs != "" && runs(m):
		return fmt.Sprintf("%s\n%s\nmeshchaos takes it, Istio says: %s", tr.changes, m, theirs)
	case ours != "" && theirs == "":
		for _, c := range tr.changes {
			if path := tr.kind + "." + c.path; excused[path] != "" {
				used[path] = true
				return ""
			}
		}
		return fmt.Sprintf("%s\n%s\nIstio takes it, meshchaos says: %s", tr.changes, m, ours)
	}
	return ""
}

// TestEachFieldIsRefusedAsIstioDoes changes one thing in what Istio takes, and then
// another.
func TestEachFieldIsRefusedAsIstioDoes(t *testing.T) {
	i, used := startIstio(t), map[string]bool{}
	asked := 0
	for _, kind := range slices.Sorted(maps.Keys(seeds)) {
		seen := map[string]bool{}
		for _, text := range seeds[kind] {
			spec := decode(t, text)
			for _, c := range append([]change{{steps: nil, value: spec}}, changes(descriptor(kind), spec)...) {
				if c.made > 0 && seen[c.String()] {
					continue
				}
				seen[c.String()] = true
				asked++
				if wrong := (trial{kind, c.in(spec), []change{c}}).differs(t, i, used); wrong != "" {
					t.Error(wrong)
				}
			}
		}
	}
	t.Logf("%d objects", asked)
	for _, path := range slices.Sorted(maps.Keys(excused)) {
		if !used[path] {
			t.Errorf("%s is excused, and does not differ", path)
		}
	}
}

// TestGeneratedObjectsAreRefusedAsIstioDoes changes several things at once.
func TestGeneratedObjectsAreRefusedAsIstioDoes(t *testing.T) {
	if err := flag.Set("rapid.checks", "1000"); err != nil {
		t.Fatal(err)
	}
	i := startIstio(t)
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom(slices.Sorted(maps.Keys(seeds))).Draw(t, "kind")
		tr := trial{kind: kind, spec: decode(t, rapid.SampledFrom(seeds[kind]).Draw(t, "seed"))}
		for range rapid.IntRange(2, 4).Draw(t, "changes") {
			c := rapid.SampledFrom(changes(descriptor(kind), tr.spec)).Draw(t, "change")
			tr.spec, tr.changes = c.in(tr.spec), append(tr.changes, c)
		}
		if wrong := tr.differs(t, i, map[string]bool{}); wrong != "" {
			t.Fatal(wrong)
		}
	})
}

// TestWhatPublicSamplesHaveIsTaken holds the manifests of which the linter is silent.
func TestWhatPublicSamplesHaveIsTaken(t *testing.T) {
	files, err := filepath.Glob("../../scenarios/testdata/manifests/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	i := startIstio(t)
	for _, file := range files {
		var m scenarios.Manifests
		if err := m.ReadManifests(file, nil); err != nil {
			t.Error(err)
		}
		for _, o := range m.Objects {
			manifest, err := o.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if why := i.refuses(t, manifest); why != "" {
				t.Errorf("%s: Istio refuses %s: %s", file, o.Ref, why)
			}
		}
	}
}
