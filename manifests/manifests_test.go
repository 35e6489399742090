package manifests

import (
	"bytes"
	"io/fs"
	"path"
	"strings"
	"testing"
)

func TestAppNamesTheImageAsked(t *testing.T) {
	names, err := fs.Glob(samples, "samples/*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("%d manifests: %v", len(names), err)
	}
	for _, name := range names {
		app := strings.TrimSuffix(path.Base(name), ".yaml")
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
		{"bokinfo", Image, `finding the manifest of "bokinfo": there is no such application; choose bookinfo, httpbin`},
		{"../go", Image, "choose bookinfo, httpbin"},
		{"httpbin", "", "that is no image's name"},
		{"httpbin", "a\nprivileged: true", "that is no image's name"},
		{"httpbin", "a #b", "that is no image's name"},
	} {
		if _, err := App(row.app, row.image); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("App(%q, %q): error %v, want %s", row.app, row.image, err, row.want)
		}
	}
}
