//go:build e2e

package validation

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/meshchaos/meshchaos/internal/install"
	"github.com/meshchaos/meshchaos/manifests"
)

// originals are where Istio has the samples that are installed with its images. The
// gateway's image is the injector's choice.
var originals = map[string]string{
	"bookinfo":       "bookinfo/platform/kube/bookinfo.yaml",
	"httpbin":        "httpbin/httpbin.yaml",
	"tcp-echo":       "tcp-echo/tcp-echo-services.yaml",
	"sleep":          "sleep/sleep.yaml",
	"fortio":         "httpbin/sample-client/fortio-deploy.yaml",
	install.Gateways: "",
}

var imageLine = regexp.MustCompile(`(?m)^\s*(?:- )?image: (\S+)`)

// What is called Istio's image is the one that the Istio of the rig has in its samples,
// wherever that is pulled from.
func TestSamplesHaveTheImagesOfIstiosOwn(t *testing.T) {
	source := istioSource(t)
	for _, name := range manifests.IstioNames() {
		original, known := originals[name]
		if !known {
			t.Errorf("where does Istio have %s?", name)
		}
		if original == "" {
			continue
		}
		ours, err := manifests.Istio(name)
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := os.ReadFile(filepath.Join(source, "samples", original))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := images(ours), images(theirs); len(want) == 0 || !slices.Equal(got, want) {
			t.Errorf("%s: the images %q, Istio has %q", name, got, want)
		}
	}
}

func images(manifest []byte) []string {
	var all []string
	for _, found := range imageLine.FindAllSubmatch(manifest, -1) {
		all = append(all, path.Base(string(found[1])))
	}
	slices.Sort(all)
	return slices.Compact(all)
}
