package manifests

import (
	"bytes"
	"strings"
	"testing"
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
