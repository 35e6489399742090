package rules

import (
	"bytes"
	"encoding/json"
	"fmt"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// manifest is an Object as kubectl takes it.
type manifest struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Metadata   metadata       `json:"metadata"`
	Spec       map[string]any `json:"spec"`
}

type metadata struct {
	Name        string            `json:"name"`
	Namespace   string            `json:"namespace,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// Encode returns the object as a JSON manifest that kubectl takes. Equal
// objects of the same name and API version give the same bytes. It has neither
// ResourceVersion nor any other metadata of the Manifest.
func (o *Object) Encode() ([]byte, error) {
	spec, err := o.specTree()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	err = enc.Encode(manifest{
		APIVersion: o.APIVersion,
		Kind:       o.Kind,
		Metadata:   metadata{Name: o.Name, Namespace: o.Namespace, Labels: o.Labels, Annotations: o.Annotations},
		Spec:       spec,
	})
	if err != nil {
		return nil, fmt.Errorf("encoding %s: %w", o.Ref, err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// specTree returns the spec as JSON values.
func (o *Object) specTree() (map[string]any, error) {
	text, err := protojson.Marshal(o.Spec)
	if err != nil {
		return nil, fmt.Errorf("encoding the spec of %s: %s", o.Ref, protoText(err))
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var tree map[string]any
	if err := dec.Decode(&tree); err != nil {
		return nil, fmt.Errorf("encoding the spec of %s: %w", o.Ref, err)
	}
	unquoteIntegers(o.Spec.ProtoReflect().Descriptor(), tree)
	return tree, nil
}

// unquoteIntegers makes numbers of the 64-bit integers, which protojson writes
// as strings and Istio's CustomResourceDefinitions refuse as such.
func unquoteIntegers(md protoreflect.MessageDescriptor, tree map[string]any) {
	for key, value := range tree {
		fd := md.Fields().ByJSONName(key)
		switch value := value.(type) {
		case string:
			if fd.Kind() == protoreflect.Uint64Kind {
				tree[key] = json.Number(value)
			}
		case []any:
			for _, element := range value {
				if element, ok := element.(map[string]any); ok {
					unquoteIntegers(fd.Message(), element)
				}
			}
		case map[string]any:
			if !fd.IsMap() {
				unquoteIntegers(fd.Message(), value)
			}
		}
	}
}
