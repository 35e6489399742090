// Package manifests holds Kubernetes objects as YAML: in the folder samples those of
// the sample applications with this project's own image, in the folder istio those of
// the same names with the images of Istio's own samples, beside them those by which a
// cluster runs scenarios itself.
//
// The package imports nothing of this module.
package manifests

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"unicode"
)

// Image is the image that the manifests of the folder samples name.
const Image = "meshchaos/meshchaos:dev"

// files holds one manifest for each application of a folder, named after it:
// samples/bookinfo.yaml.
//
//go:embed samples/*.yaml istio/*.yaml
var files embed.FS

// App returns the manifest of a sample application that runs this project's image,
// with image in the place of Image. It is for kubectl apply, and names no namespace.
// The error of an unknown application names those that there are.
func App(name, image string) ([]byte, error) {
	if err := checkImage(name, image); err != nil {
		return nil, err
	}
	manifest, err := read("samples", name)
	if err != nil {
		return nil, err
	}
	return bytes.ReplaceAll(manifest, []byte("image: "+Image+"\n"), []byte("image: "+image+"\n")), nil
}

// Istio returns the manifest of a sample with the image that Istio's own has. It names
// no namespace. The error of one that Istio does not have names those that it has.
func Istio(name string) ([]byte, error) { return read("istio", name) }

// IstioNames returns the names that Istio takes.
func IstioNames() []string { return names("istio") }

func read(folder, name string) ([]byte, error) {
	manifest, err := files.ReadFile(folder + "/" + name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("finding the manifest of %q: there is no such application; choose %s", name, strings.Join(names(folder), ", "))
	}
	return manifest, nil
}

func names(folder string) []string {
	found, err := fs.Glob(files, folder+"/*.yaml")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	for i, file := range found {
		found[i] = strings.TrimSuffix(path.Base(file), ".yaml")
	}
	return found
}

func checkImage(name, image string) error {
	if image == "" || strings.ContainsFunc(image, notInAnImage) {
		return fmt.Errorf("setting the image of %q to %q: that is no image's name; write it as %s", name, image, Image)
	}
	return nil
}

// notInAnImage keeps out what would change the YAML around an image's name. What
// is no image for other reasons, the cluster says.
func notInAnImage(r rune) bool {
	return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("._-/:@", r)
}
