package rules

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// maxManifest is the size in bytes above which Kubernetes' API server refuses a
// request, so no object can be larger.
const maxManifest = 3 << 20

// maxDepth is far beyond what a manifest needs: Istio's types end at 12, a
// metadata.managedFields of one at 20.
const maxDepth = 64

// readTree reads JSON into maps, slices, strings, json.Numbers, bools and nils.
// Unlike json.Unmarshal it refuses a key that stands twice, of which one would
// otherwise be lost.
func readTree(manifest []byte) (map[string]any, error) {
	if len(manifest) > maxManifest {
		return nil, &FieldError{Message: fmt.Sprintf("the manifest has %d bytes; Kubernetes takes at most %d", len(manifest), maxManifest)}
	}
	if !utf8.Valid(manifest) {
		return nil, &FieldError{Message: "the manifest is not UTF-8 text"}
	}
	dec := json.NewDecoder(bytes.NewReader(manifest))
	dec.UseNumber()
	value, err := readValue(dec, "", 0)
	if err != nil {
		return nil, err
	}
	tree, ok := value.(map[string]any)
	if !ok {
		return nil, &FieldError{Message: "the manifest is " + kindOf(value) + "; it must be an object with apiVersion, kind, metadata and spec"}
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, &FieldError{Message: "something follows the manifest's end; one object at a time"}
	}
	return tree, nil
}

func readValue(dec *json.Decoder, path string, depth int) (any, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, notJSON(path, err)
	}
	if depth > maxDepth {
		return nil, &FieldError{Path: path, Message: fmt.Sprintf("nested deeper than %d", maxDepth)}
	}
	switch token {
	case json.Delim('{'):
		return readObject(dec, path, depth)
	case json.Delim('['):
		return readList(dec, path, depth)
	}
	return token, nil
}

func readObject(dec *json.Decoder, path string, depth int) (map[string]any, error) {
	object := map[string]any{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, notJSON(path, err)
		}
		key := token.(string) // the decoder has seen to it
		if _, twice := object[key]; twice {
			return nil, &FieldError{Path: at(path, key), Message: "stands twice"}
		}
		if object[key], err = readValue(dec, at(path, key), depth+1); err != nil {
			return nil, err
		}
	}
	if _, err := dec.Token(); err != nil {
		return nil, notJSON(path, err)
	}
	return object, nil
}

func readList(dec *json.Decoder, path string, depth int) ([]any, error) {
	list := []any{}
	for dec.More() {
		value, err := readValue(dec, fmt.Sprintf("%s[%d]", path, len(list)), depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	if _, err := dec.Token(); err != nil {
		return nil, notJSON(path, err)
	}
	return list, nil
}

func notJSON(path string, err error) *FieldError {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &FieldError{Path: path, Message: "the manifest is empty or ends too early"}
	}
	return &FieldError{Path: path, Message: "not JSON: " + err.Error()}
}

// kindOf words what sort of JSON value a value is.
func kindOf(value any) string {
	switch value.(type) {
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	case string:
		return "a string"
	case json.Number:
		return "a number"
	case bool:
		return "a boolean"
	}
	return "null"
}
