// Package manifests holds Kubernetes objects as YAML: in the folder samples those of
// the sample applications. All of them run this project's own image.
//
// The package imports nothing of this module.
package manifests

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"strings"
	"unicode"
)

// Image is the image that the manifests name.
const Image = "meshchaos/meshchaos:dev"

// samples holds one manifest for each application, named after it: bookinfo.yaml.
//
//go:embed samples/*.yaml
var samples embed.FS

// App returns the manifest of a sample application, with image in the place of
// Image. It is for kubectl apply, and names no namespace. The error of an unknown
// application names those that there are.
func App(name, image string) ([]byte, error) {
	if image == "" || strings.ContainsFunc(image, notInAnImage) {
		return nil, fmt.Errorf("setting the image of %q to %q: that is no image's name; write it as %s", name, image, Image)
	}
	manifest, err := samples.ReadFile("samples/" + name + ".yaml")
	if err != nil {
		known, err := fs.Glob(samples, "samples/*.yaml")
		if err != nil {
			return nil, fmt.Errorf("listing the manifests: %w", err)
		}
		names := strings.NewReplacer("samples/", "", ".yaml", "").Replace(strings.Join(known, ", "))
		return nil, fmt.Errorf("finding the manifest of %q: there is no such application; choose %s", name, names)
	}
	return bytes.ReplaceAll(manifest, []byte("image: "+Image+"\n"), []byte("image: "+image+"\n")), nil
}

// notInAnImage keeps out what would change the YAML around an image's name. What
// is no image for other reasons, the cluster says.
func notInAnImage(r rune) bool {
	return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("._-/:@", r)
}
