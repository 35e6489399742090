// Package manifests holds the Kubernetes objects of the sample applications, as
// YAML. All of them run this project's own image.
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

// files holds one manifest for each application, named after it: bookinfo.yaml.
//
//go:embed *.yaml
var files embed.FS

// App returns the manifest of a sample application, with image in the place of
// Image. It is for kubectl apply, and names no namespace. The error of an unknown
// application names those that there are.
func App(name, image string) ([]byte, error) {
	if image == "" || strings.ContainsFunc(image, notInAnImage) {
		return nil, fmt.Errorf("setting the image of %q to %q: that is no image's name; write it as %s", name, image, Image)
	}
	manifest, err := files.ReadFile(name + ".yaml")
	if err != nil {
		known, err := fs.Glob(files, "*.yaml")
		if err != nil {
			return nil, fmt.Errorf("listing the manifests: %w", err)
		}
		names := strings.ReplaceAll(strings.Join(known, ", "), ".yaml", "")
		return nil, fmt.Errorf("finding the manifest of %q: there is no such application; choose %s", name, names)
	}
	return bytes.ReplaceAll(manifest, []byte("image: "+Image+"\n"), []byte("image: "+image+"\n")), nil
}

// notInAnImage keeps out what would change the YAML around an image's name. What
// is no image for other reasons, the cluster says.
func notInAnImage(r rune) bool {
	return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("._-/:@", r)
}
