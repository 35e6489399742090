package scenarios

import (
	"github.com/goccy/go-yaml/ast"

	"github.com/meshchaos/meshchaos/internal/yamlnode"
	"github.com/meshchaos/meshchaos/loadgen"
)

// maxDescriptors bounds a file of descriptors, which goes to whoever makes the load.
const maxDescriptors = 1 << 20

// descriptorsFor are those of the file that a load names.
func (r *reader) descriptorsFor(node ast.Node, load fileLoad) (*loadgen.Descriptors, error) {
	if load.Descriptors == "" {
		return nil, nil
	}
	if file := r.descriptors[load.Descriptors]; file != nil {
		return file, nil
	}
	at := yamlnode.Follow(node, "descriptors")
	text, err := r.open(load.Descriptors, maxDescriptors)
	switch {
	case err != nil:
		return nil, yamlnode.At(at, "write the path of a file that protoc --include_imports --descriptor_set_out has written, from the folder of the scenario", "%v", err)
	case len(text) > maxDescriptors:
		return nil, yamlnode.At(at, "have protoc write it of the file with the service alone", "%s is larger than %d KiB", load.Descriptors, maxDescriptors>>10)
	}
	file := &loadgen.Descriptors{File: load.Descriptors, Digest: digest(text), Set: []byte(text)}
	r.descriptors[load.Descriptors] = file
	return file, nil
}
