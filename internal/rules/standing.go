package rules

import (
	"encoding/json"
	"fmt"
)

// Standing returns an object as it stands in a mesh, or will in the place of before,
// in JSON with its keys sorted: with the metadata that before has and the object does
// not speak of, and without status and what the API server sets itself. Before may be
// nil.
func Standing(o, before *Object) ([]byte, error) {
	tree, err := standing(o, before)
	if err != nil {
		return nil, err
	}
	delete(tree, "status")
	if metadata, ok := tree["metadata"].(map[string]any); ok {
		for _, key := range serverKeys {
			delete(metadata, key)
		}
	}
	return json.Marshal(tree)
}

func standing(o, before *Object) (map[string]any, error) {
	if o.Manifest != nil {
		return readTree(o.Manifest)
	}
	text, err := o.Encode()
	if err != nil {
		return nil, err
	}
	tree, err := readTree(text)
	if err != nil || before == nil || before.Manifest == nil {
		return tree, err
	}
	was, err := readTree(before.Manifest)
	if err != nil {
		return nil, fmt.Errorf("reading the manifest of %s: %w", before.Ref, err)
	}
	metadata, ok := was["metadata"].(map[string]any)
	if !ok {
		return tree, nil
	}
	was["spec"] = tree["spec"]
	for key, over := range map[string]map[string]string{"labels": union(before.Labels, o.Labels), "annotations": union(before.Annotations, o.Annotations)} {
		if len(over) > 0 {
			metadata[key] = over
		}
	}
	return was, nil
}
