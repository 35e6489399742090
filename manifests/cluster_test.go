package manifests

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	rbac "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
)

func TestWhatIsForAClusterNamesTheNamespaceAndTheImageAsked(t *testing.T) {
	files, err := cluster.ReadDir(".")
	if err != nil || len(files) != len(Cluster()) {
		t.Errorf("there are %d manifests, and %d names of them: %v", len(files), len(Cluster()), err)
	}
	for _, name := range Cluster() {
		plain, err := ForCluster(name, Namespace, Image)
		if err != nil {
			t.Fatal(err)
		}
		other, err := ForCluster(name, "shop", "registry:5000/chaos@sha256:abc")
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(other, []byte(Namespace)) || bytes.Contains(other, []byte(Image)) {
			t.Errorf("%s has what was not asked:\n%s", name, other)
		}
		if was, is := bytes.Count(plain, []byte(Namespace)), bytes.Count(other, []byte("shop")); was != is || was == 0 {
			t.Errorf("%s has %d namespaces, and %d of those asked", name, was, is)
		}
		if was, is := bytes.Count(plain, []byte(Image)), bytes.Count(other, []byte("registry:5000/chaos@sha256:abc")); was != is {
			t.Errorf("%s has %d images, and %d of those asked", name, was, is)
		}
		if bytes.Contains(plain, []byte(`"*"`)) || bytes.Contains(plain, []byte("[*]")) || bytes.Contains(plain, []byte("ClusterRole")) {
			t.Errorf("%s grants more than it names", name)
		}
	}
}

func TestBadNamespacesAreErrorsThatHelp(t *testing.T) {
	for _, row := range []struct{ name, namespace, image, want string }{
		{"raeper", "shop", Image, "there is none for a cluster; choose rbac, reaper, nightly"},
		{"rbac", "", Image, "that is no namespace's name"},
		{"rbac", "shop\nrules: []", Image, "that is no namespace's name"},
		{"rbac", "Shop", Image, "that is no namespace's name"},
		{"nightly", "shop", "a #b", "that is no image's name"},
	} {
		if _, err := ForCluster(row.name, row.namespace, row.image); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("ForCluster(%q, %q, %q): error %v, want %s", row.name, row.namespace, row.image, err, row.want)
		}
	}
}

// granted are the rights of a manifest, which grants each once.
func granted(t *testing.T, name string) map[string]bool {
	t.Helper()
	text, err := ForCluster(name, Namespace, Image)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for documents := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096); ; {
		var role rbac.Role
		if err := documents.Decode(&role); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		for _, rule := range role.Rules {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					right := role.Namespace + ": " + verb + " " + resource + " of " + strings.Join(rule.APIGroups, ",")
					if all[right] {
						t.Errorf("%s grants twice %s, so that who takes it out once grants it still", name, right)
					}
					all[right] = true
				}
			}
		}
	}
}

func TestTheReaperMayNothingThatARunMayNotAndBeginsNone(t *testing.T) {
	run, reaper := granted(t, "rbac"), granted(t, "reaper")
	for right := range reaper {
		if !run[right] {
			t.Errorf("a run may not %s", right)
		}
		for _, begins := range []string{"create pods of ", "create virtualservices of ", "create configmaps of "} {
			if strings.Contains(right, begins) {
				t.Errorf("the reaper may %s", right)
			}
		}
	}
	if len(reaper) < 20 {
		t.Errorf("the reaper has %d rights only", len(reaper))
	}
}
