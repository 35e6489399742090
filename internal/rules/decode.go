package rules

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
)

// sidecarKind is of the objects that say what a sidecar is told, and what it takes.
const sidecarKind = "Sidecar"

// The words that a manifest may begin with. Istio's types are the same in all
// versions of a group.
var (
	networkingVersions = []string{"networking.istio.io/v1", "networking.istio.io/v1beta1", "networking.istio.io/v1alpha3"}
	telemetryVersions  = []string{"telemetry.istio.io/v1", "telemetry.istio.io/v1alpha1"}
	topKeys            = []string{"apiVersion", "kind", "metadata", "spec", "status"}
)

// The keys of metadata that a file may have. Those that Kubernetes sets itself
// stand in files that were exported from a cluster and are passed over.
var (
	metadataKeys = []string{"name", "namespace", "labels", "annotations"}
	serverKeys   = []string{"creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"}
)

// Decode reads one object as a mesh returns it, in JSON. Its spec is read
// strictly; metadata may hold more than an Object keeps, and status is passed
// over. The object keeps the manifest. Every error is a *FieldError.
func Decode(manifest []byte) (*Object, error) {
	object, err := decode(manifest, Kinds(), nil)
	if err != nil {
		return nil, err
	}
	object.Manifest = manifest
	return object, nil
}

// DecodeFile reads one object that a scenario may write, as a user wrote it,
// turned into JSON. It is as strict with metadata as with spec. The object's
// Namespace is empty where the file names none, and it has neither Manifest nor
// ResourceVersion. Every error is a *FieldError.
func DecodeFile(manifest []byte) (*Object, error) {
	object, err := decode(manifest, fileKinds(), slices.Concat(metadataKeys, serverKeys))
	if err != nil {
		return nil, err
	}
	object.ResourceVersion = ""
	return object, nil
}

// decode reads an object of one of the kinds, whose metadata has no other keys
// than those given; nil: any.
func decode(manifest []byte, kinds, metadata []string) (*Object, error) {
	tree, err := readTree(manifest)
	if err != nil {
		return nil, err
	}
	if err := knownKeys(tree, "", topKeys); err != nil {
		return nil, err
	}
	versions := networkingVersions
	if tree["kind"] == Telemetry {
		if !slices.Contains(kinds, Telemetry) {
			return nil, &FieldError{Path: "kind", Message: "a scenario may write no Telemetry, since a run judges by what the proxies log; leave it out: where logs are off, the run turns them on by itself"}
		}
		versions = telemetryVersions
	}
	if tree["kind"] == sidecarKind {
		return nil, &FieldError{Path: "kind", Message: "a scenario may write no Sidecar; what its inboundConnectionPool limits, trafficPolicy.connectionPool of the service's DestinationRule limits too, at the callers and at the service's own sidecar"}
	}
	object := &Object{}
	if object.APIVersion, err = wordOf(tree, "apiVersion", versions); err != nil {
		return nil, err
	}
	if object.Kind, err = wordOf(tree, "kind", kinds); err != nil {
		return nil, err
	}
	if err := object.decodeMetadata(tree["metadata"], metadata); err != nil {
		return nil, err
	}
	if err := object.decodeSpec(tree["spec"]); err != nil {
		return nil, err
	}
	return object, nil
}

// dnsName is what Kubernetes takes as the name of an object (RFC 1123).
var dnsName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)

func (o *Object) decodeMetadata(value any, allowed []string) error {
	tree, ok := value.(map[string]any)
	if !ok {
		return &FieldError{Path: "metadata", Message: "must be an object with a name"}
	}
	if allowed != nil {
		if err := knownKeys(tree, "metadata", allowed); err != nil {
			return err
		}
	}
	for key, text := range map[string]*string{"name": &o.Name, "namespace": &o.Namespace, "resourceVersion": &o.ResourceVersion} {
		if tree[key] == nil {
			continue
		}
		if *text, ok = tree[key].(string); !ok {
			return mustBeString("metadata."+key, tree[key])
		}
	}
	if len(o.Name) > 253 || !dnsName.MatchString(o.Name) {
		return &FieldError{Path: "metadata.name", Message: fmt.Sprintf("%.80q is not a name: it takes lower-case letters, digits, - and .", o.Name)}
	}
	var err error
	if o.Labels, err = stringMap(tree["labels"], "metadata.labels"); err != nil {
		return err
	}
	o.Annotations, err = stringMap(tree["annotations"], "metadata.annotations")
	return err
}

// decodeSpec lets protojson decode, after the spec has been read against the
// type's descriptor for errors that say where and what.
func (o *Object) decodeSpec(value any) error {
	o.Spec = NewSpec(o.Kind)
	if value == nil {
		return &FieldError{Path: "spec", Message: "missing"}
	}
	var reader specReader
	value, err := reader.message(o.Spec.ProtoReflect().Descriptor(), value, "spec")
	if err != nil {
		return err
	}
	o.zeros = reader.zeros
	text, err := json.Marshal(value)
	if err != nil {
		return &FieldError{Path: "spec", Message: err.Error()}
	}
	if err := protojson.Unmarshal(text, o.Spec); err != nil {
		return &FieldError{Path: "spec", Message: protoText(err)}
	}
	return nil
}

// protoText is the message of a protobuf error without its prefix, whose
// spaces vary from build to build by intent.
func protoText(err error) string {
	text := strings.ReplaceAll(err.Error(), "\u00a0", " ")
	return strings.TrimPrefix(text, "proto: ")
}

func knownKeys(tree map[string]any, path string, allowed []string) error {
	for _, key := range slices.Sorted(maps.Keys(tree)) {
		if !slices.Contains(allowed, key) {
			return unknownKey(path, key, allowed)
		}
	}
	return nil
}

func wordOf(tree map[string]any, key string, allowed []string) (string, error) {
	word, ok := tree[key].(string)
	switch {
	case tree[key] == nil:
		return "", &FieldError{Path: key, Message: "missing; it is one of " + strings.Join(allowed, ", ")}
	case !ok:
		return "", mustBeString(key, tree[key])
	case !slices.Contains(allowed, word):
		return "", unknownWord(key, word, allowed)
	}
	return word, nil
}

func stringMap(value any, path string) (map[string]string, error) {
	if value == nil {
		return nil, nil
	}
	tree, ok := value.(map[string]any)
	if !ok {
		return nil, &FieldError{Path: path, Message: "is " + kindOf(value) + "; it must be an object"}
	}
	out := make(map[string]string, len(tree))
	for _, key := range slices.Sorted(maps.Keys(tree)) {
		text, ok := tree[key].(string)
		if !ok {
			return nil, mustBeString(at(path, key), tree[key])
		}
		out[key] = text
	}
	return out, nil
}
