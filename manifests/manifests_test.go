package manifests

import (
	"bytes"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestAppNamesTheImageAsked(t *testing.T) {
	apps := names("samples")
	if len(apps) < 6 {
		t.Fatalf("there are manifests of %v alone", apps)
	}
	for _, app := range apps {
		plain, err := App(app, Image)
		if err != nil {
			t.Fatal(err)
		}
		other, err := App(app, "registry:5000/mesh/chaos@sha256:abc")
		if err != nil {
			t.Fatal(err)
		}
		containers := bytes.Count(plain, []byte("imagePullPolicy:"))
		if n := bytes.Count(other, []byte("image: registry:5000/mesh/chaos@sha256:abc\n")); n != containers || bytes.Contains(other, []byte(Image)) {
			t.Errorf("%s: %d of %d containers have the image asked:\n%s", app, n, containers, other)
		}
	}
}

func TestBadNamesAreErrorsThatHelp(t *testing.T) {
	for _, row := range []struct{ app, image, want string }{
		{"bokinfo", Image, `finding the manifest of "bokinfo": there is no such application; choose bookinfo, grpc-echo, httpbin`},
		{"../go", Image, "choose bookinfo, grpc-echo, httpbin"},
		{"httpbin", "", "that is no image's name"},
		{"httpbin", "a\nprivileged: true", "that is no image's name"},
		{"httpbin", "a #b", "that is no image's name"},
	} {
		if _, err := App(row.app, row.image); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("App(%q, %q): error %v, want %s", row.app, row.image, err, row.want)
		}
	}
}

// Whoever uses Istio's images in the place of this project's meets the same services,
// at the same ports, with the same versions: scenarios run on either.
func TestIstiosImagesServeTheSame(t *testing.T) {
	told := regexp.MustCompile(`(?m)^ +(?:- name|app|service|version|port): .+$|^kind: (?:Service|Deployment)$|^  name: .+$`)
	for _, name := range IstioNames() {
		theirs, err := Istio(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(theirs, []byte(Image)) || !bytes.Contains(theirs, []byte("image: ")) {
			t.Errorf("%s: the image is not Istio's", name)
		}
		ours, err := App(name, Image)
		if err != nil {
			continue // the project has none
		}
		lacks := map[string]bool{}
		for _, line := range told.FindAllString(string(ours), -1) {
			if !bytes.Contains(theirs, []byte(line+"\n")) && !strings.Contains(line, "POD_NAME") {
				lacks[line] = true
			}
		}
		if name == "httpbin" { // no image of Istio's is slow
			maps.DeleteFunc(lacks, func(line string, _ bool) bool { return strings.Contains(line, "httpbin-slow") })
		}
		if len(lacks) > 0 {
			t.Errorf("%s: with Istio's images there is not %v", name, slices.Collect(maps.Keys(lacks)))
		}
	}
}
