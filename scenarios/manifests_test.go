package scenarios

import (
	"path/filepath"
	"strings"
	"testing"
)

// What public samples of Istio's rules have, one feature each: none of it is a trap.
func TestSamplesAreNoFalseAlarm(t *testing.T) {
	files, err := filepath.Glob("testdata/manifests/*.yaml")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		var m Manifests
		if err := m.ReadManifests(file, nil); err != nil || len(m.Objects) == 0 {
			t.Errorf("%s: %d objects, %v", file, len(m.Objects), err)
		}
		for _, w := range m.Lint() {
			t.Errorf("%s: %s", w.Place(), w.Words())
		}
	}
}

const trapped = `apiVersion: v1
kind: Service
metadata: {name: ratings}
---
# before it
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ratings, ownerReferences: []}
spec:
  hosts: [ratings]
  http:
    - fault: {delay: {fixedDelay: 7s}}
      route: [{destination: {host: ratings}}]
`

func TestManifestsAreReadAsKubectlAppliesThem(t *testing.T) {
	_, second, _ := strings.Cut(trapped, "# before it\n")
	list := "apiVersion: v1\nkind: List\nitems:\n- " + strings.ReplaceAll(strings.TrimSpace(second), "\n", "\n  ") + "\n"
	for text, want := range map[string]string{
		trapped: "stdin:12:15: VirtualService ratings: spec.http[0].fault.delay: the fault has no percentage",
		list:    "stdin:10:17: VirtualService ratings: spec.http[0].fault.delay: the fault has no percentage",
		strings.Replace(list, "v1\nkind: List", "networking.istio.io/v1\nkind: VirtualServiceList", 1): "stdin:10:17: VirtualService ratings: spec.http[0].fault.delay: the fault has no percentage",
		"apiVersion: v1\nkind: List\nitems: null\n":                                                    "",
		"apiVersion: apps/v1\nkind: DeploymentList\nitems: 3\n":                                        "",
		strings.Replace(trapped, "name: ratings, owner", "name: ratings, annotations: {lint.meshchaos/fault-without-percentage: it is switched on by hand}, owner", 1): "",
	} {
		var m Manifests
		if err := m.ReadManifests(Stdin, strings.NewReader(text)); err != nil {
			t.Errorf("%v in\n%s", err, text)
			continue
		}
		got := ""
		for _, w := range m.Lint() {
			got += w.Place() + ": " + w.Words()
		}
		if !strings.HasPrefix(got, want) || (got == "") != (want == "") {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestWhatIsNoManifestIsPlaced(t *testing.T) {
	for text, want := range map[string]string{
		strings.Replace(trapped, "fault:", "falt:", 1):     "stdin:12:7: spec.http[0].falt: unknown key; did you mean fault?",
		strings.Replace(trapped, "7s", "0s", 1):            "stdin:12:",
		trapped + "---\na: [\n":                            "stdin:15:",
		"apiVersion: v1\nkind: List\nitems: {}\n":          "stdin:3:8: items takes a list of objects, not a mapping; write the objects one below another, each after a -",
		"apiVersion: v1\nkind: List\nitems: [a]\n":         "stdin:3:9: this is no object of Kubernetes",
		trapped + "---\na: b\n":                            "stdin:15:1: this is no object of Kubernetes",
		"apiVersion: meshchaos/v1alpha1\nkind: Scenario\n": "this is a scenario; meshchaos validate checks it",
		strings.Replace(trapped, "ratings, ow", "ratings, annotations: {lint.meshchaos/fault: x}, ow", 1): `there is no trap "fault" to silence`,
	} {
		var m Manifests
		err := m.ReadManifests(Stdin, strings.NewReader(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q of\n%s", err, want, text)
		}
	}
}
