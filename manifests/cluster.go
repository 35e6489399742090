package manifests

import (
	"bytes"
	"embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Namespace is the namespace of the services that the manifests for a cluster name.
const Namespace = "bookinfo"

// cluster holds what a cluster needs to run scenarios by itself.
//
//go:embed *.yaml
var cluster embed.FS

// Cluster are the names of the manifests that ForCluster has.
func Cluster() []string { return []string{"rbac", "reaper", "nightly"} }

var (
	label      = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`) // RFC 1123
	namespaces = regexp.MustCompile(`\b` + Namespace + `\b`)
)

// ForCluster returns the manifest of what runs scenarios in a cluster: the rights of
// a run (rbac), the job that undoes what killed runs have left (reaper), and that
// which runs scenarios every night (nightly). They are for the services of a
// namespace, which stands in the place of Namespace, as image does in that of Image.
func ForCluster(name, namespace, image string) ([]byte, error) {
	if err := checkImage(name, image); err != nil {
		return nil, err
	}
	if !label.MatchString(namespace) {
		return nil, fmt.Errorf("setting the namespace of %q to %q: that is no namespace's name; use lower-case letters, digits and hyphens", name, namespace)
	}
	if !slices.Contains(Cluster(), name) {
		return nil, fmt.Errorf("finding the manifest of %q: there is none for a cluster; choose %s", name, strings.Join(Cluster(), ", "))
	}
	manifest, err := cluster.ReadFile(name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("finding the manifest of %q: %w", name, err)
	}
	manifest = namespaces.ReplaceAllLiteral(manifest, []byte(namespace))
	return bytes.ReplaceAll(manifest, []byte(Image), []byte(image)), nil
}
