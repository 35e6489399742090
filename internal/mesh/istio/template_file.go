package istio

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

// maxTemplate is in bytes: a template is a few dozen lines, and the parser's time
// grows faster than a file does.
const maxTemplate = 16 << 10

// A template as it stands in a file: what of a Pod may be set, and no more.
type (
	podFile struct {
		APIVersion string       `yaml:"apiVersion"`
		Kind       string       `yaml:"kind"`
		Metadata   templateHead `yaml:"metadata,omitempty"`
		Spec       templateSpec `yaml:"spec,omitempty"`
	}
	podTemplateFile struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string `yaml:"kind"`
		Template   struct {
			Metadata templateHead `yaml:"metadata,omitempty"`
			Spec     templateSpec `yaml:"spec,omitempty"`
		} `yaml:"template"`
	}
	templateHead struct {
		Name        string            `yaml:"name,omitempty"`
		Labels      map[string]string `yaml:"labels,omitempty"`
		Annotations map[string]string `yaml:"annotations,omitempty"`
	}
	templateSpec struct {
		ServiceAccountName string                              `yaml:"serviceAccountName,omitempty"`
		PriorityClassName  string                              `yaml:"priorityClassName,omitempty"`
		NodeSelector       map[string]string                   `yaml:"nodeSelector,omitempty"`
		Tolerations        kube[[]corev1.Toleration]           `yaml:"tolerations,omitempty"`
		Affinity           kube[*corev1.Affinity]              `yaml:"affinity,omitempty"`
		ImagePullSecrets   kube[[]corev1.LocalObjectReference] `yaml:"imagePullSecrets,omitempty"`
		Containers         []templateContainer                 `yaml:"containers,omitempty"`
	}
	templateContainer struct {
		Name            string                             `yaml:"name"`
		Image           string                             `yaml:"image,omitempty"`
		ImagePullPolicy string                             `yaml:"imagePullPolicy,omitempty"`
		Resources       kube[*corev1.ResourceRequirements] `yaml:"resources,omitempty"`
	}
)

// kube is a part of a file that has one of Kubernetes' own types.
type kube[T any] struct{ value T }

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (k *kube[T]) UnmarshalYAML(node ast.Node) error {
	var tree any
	if err := yaml.NodeToValue(node, &tree); err != nil {
		return err
	}
	text, err := json.Marshal(tree)
	if err != nil {
		return yamlnode.At(node, "", "%v", err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&k.value); err != nil {
		return yamlnode.At(node, "", "Kubernetes cannot read it: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}

// parseTemplate reads the text of a file.
func parseTemplate(file, text string) (*Template, error) {
	t, err := readTemplate(text)
	if err == nil {
		return t, nil
	}
	var own *yamlnode.Error
	var syntax *yaml.SyntaxError
	var theirs yaml.Error
	switch {
	case errors.As(err, &own):
	case errors.As(err, &syntax):
		own = yamlnode.AtToken(syntax.Token, "", "%s", syntax.Message)
	case errors.As(err, &theirs):
		own = yamlnode.AtToken(theirs.GetToken(), "", "%s", theirs.GetMessage())
	default:
		own = &yamlnode.Error{Message: err.Error()}
	}
	own.File = file
	if lines := strings.Split(text, "\n"); own.Line > 0 && own.Line <= len(lines) {
		own.Snippet = strings.TrimRight(lines[own.Line-1], "\r")
	}
	return nil, own
}

func readTemplate(text string) (*Template, error) {
	if len(text) > maxTemplate || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return nil, &yamlnode.Error{Message: "the file is no text of at most 16 KiB; name a Pod or a PodTemplate in YAML"}
	}
	parsed, err := parser.ParseBytes([]byte(text), 0)
	if err != nil {
		return nil, err
	}
	if len(parsed.Docs) != 1 || parsed.Docs[0].Body == nil {
		return nil, &yamlnode.Error{Message: "the file does not hold one document; write one Pod or PodTemplate into it"}
	}
	body := parsed.Docs[0].Body
	if err := plain(body); err != nil {
		return nil, err
	}
	return templateOf(body)
}

// plain refuses what can stand for more than is written.
func plain(body ast.Node) error {
	for _, of := range []ast.NodeType{ast.AnchorType, ast.AliasType, ast.MergeKeyType, ast.TagType} {
		if found := ast.Filter(of, body); len(found) > 0 {
			return yamlnode.At(found[0], "write it out", "anchors, aliases and tags have no place in a pod's template")
		}
	}
	return nil
}

// templateOf reads a document, of either kind.
func templateOf(body ast.Node) (*Template, error) {
	outer, kind := body, ""
	if pair := yamlnode.Pair(body, "kind"); pair != nil {
		kind, _ = yamlnode.Scalar(pair.Value)
	}
	var f podFile
	switch kind {
	case "Pod":
		if err := settable(outer); err != nil {
			return nil, err
		}
		if err := yamlnode.Decode(body, &f, "the Pod"); err != nil {
			return nil, err
		}
	case "PodTemplate":
		if pair := yamlnode.Pair(body, "template"); pair != nil {
			outer = pair.Value
		}
		if err := settable(outer); err != nil {
			return nil, err
		}
		var of podTemplateFile
		if err := yamlnode.Decode(body, &of, "the PodTemplate"); err != nil {
			return nil, err
		}
		f = podFile{of.APIVersion, of.Kind, of.Template.Metadata, of.Template.Spec}
	default:
		return nil, yamlnode.At(yamlnode.Follow(body, "kind"), "write kind: Pod", "a pod's template is a Pod or a PodTemplate")
	}
	if f.APIVersion != "v1" {
		return nil, yamlnode.At(yamlnode.Follow(body, "apiVersion"), "write apiVersion: v1", "a %s is of no other version than v1", kind)
	}
	return f.template(outer)
}

// settable refuses by name what a Pod has, and a template may not set.
func settable(pod ast.Node) error {
	refuse := func(node ast.Node, where string, has, takes reflect.Type) error {
		pairs, err := yamlnode.Entries(node)
		if err != nil {
			return nil // which is refused when it is decoded
		}
		may := yamlnode.Keys(takes)
		for _, pair := range pairs {
			if key := yamlnode.Key(pair); slices.Contains(yamlnode.KeysBy(has, "json"), key) && !slices.Contains(may, key) {
				return yamlnode.At(pair.Key, "what can be set is "+strings.Join(may, ", "), "%s%s is the load pod's own, and no template's", where, key)
			}
		}
		return nil
	}
	head, spec := yamlnode.Pair(pod, "metadata"), yamlnode.Pair(pod, "spec")
	if head != nil {
		if err := refuse(head.Value, "metadata.", reflect.TypeFor[metav1.ObjectMeta](), reflect.TypeFor[templateHead]()); err != nil {
			return err
		}
	}
	if spec == nil {
		return nil
	}
	if err := refuse(spec.Value, "spec.", reflect.TypeFor[corev1.PodSpec](), reflect.TypeFor[templateSpec]()); err != nil {
		return err
	}
	if containers := yamlnode.Pair(spec.Value, "containers"); containers != nil {
		list, _ := containers.Value.(*ast.SequenceNode)
		for i := 0; list != nil && i < len(list.Values); i++ {
			if err := refuse(list.Values[i], "a container's ", reflect.TypeFor[corev1.Container](), reflect.TypeFor[templateContainer]()); err != nil {
				return err
			}
		}
	}
	return nil
}

// template checks what was decoded. Outer is where metadata and spec stand.
func (f *podFile) template(outer ast.Node) (*Template, error) {
	at := func(path, hint, format string, args ...any) error {
		return yamlnode.At(yamlnode.Follow(outer, path), hint, format, args...)
	}
	t := &Template{
		Name: f.Metadata.Name, Labels: f.Metadata.Labels, Annotations: f.Metadata.Annotations,
		ServiceAccount: f.Spec.ServiceAccountName, PriorityClassName: f.Spec.PriorityClassName, NodeSelector: f.Spec.NodeSelector,
		Tolerations: f.Spec.Tolerations.value, Affinity: f.Spec.Affinity.value, ImagePullSecrets: f.Spec.ImagePullSecrets.value,
	}
	if wrong := validation.IsDNS1123Label(cmp.Or(t.Name, "x")); len(wrong) > 0 || len(t.Name) > maxName {
		return nil, at("metadata.name", "", "no pod's name can begin with %q: it takes up to %d small letters, digits and -, a letter or a digit first and last", t.Name, maxName)
	}
	if err := t.checkMetadata(outer); err != nil {
		return nil, err
	}
	if len(f.Spec.Containers) > 1 || len(f.Spec.Containers) == 1 && f.Spec.Containers[0].Name != agentContainer {
		return nil, at("spec.containers", "name it agent", "the load pod has one container, %s, and no template adds another", agentContainer)
	}
	for _, c := range f.Spec.Containers {
		t.Image, t.ImagePullPolicy, t.Resources = c.Image, corev1.PullPolicy(c.ImagePullPolicy), c.Resources.value
		policies := []corev1.PullPolicy{"", corev1.PullAlways, corev1.PullIfNotPresent, corev1.PullNever}
		if !slices.Contains(policies, t.ImagePullPolicy) {
			return nil, at("spec.containers[0].imagePullPolicy", "take Always, IfNotPresent or Never", "there is no imagePullPolicy %q", t.ImagePullPolicy)
		}
	}
	return t, nil
}

// checkMetadata refuses labels and annotations that are the pod's own. Outer is where
// they stand.
func (t *Template) checkMetadata(outer ast.Node) error {
	for key, value := range t.Labels {
		switch {
		case slices.Contains(ownLabels, key) || strings.HasPrefix(key, ownPrefix):
			return yamlnode.At(keyOf(outer, "labels", key), "take it out", "the label %s is the load pod's own", key)
		case len(validation.IsQualifiedName(key)) > 0 || len(validation.IsValidLabelValue(value)) > 0:
			return yamlnode.At(keyOf(outer, "labels", key), "", "%s: %s is no label", key, value)
		}
	}
	for key := range t.Annotations {
		if key == proxyConfig || strings.HasPrefix(key, ownPrefix) || strings.HasPrefix(key, trafficPrefix) {
			return yamlnode.At(keyOf(outer, "annotations", key), "take it out", "the annotation %s is the load pod's own: it decides what passes its sidecar, and what that counts", key)
		}
	}
	return nil
}

// keyOf is where a key of the labels or annotations stands.
func keyOf(outer ast.Node, list, key string) ast.Node {
	metadata := yamlnode.Pair(outer, "metadata")
	return yamlnode.Pair(yamlnode.Pair(metadata.Value, list).Value, key).Key
}
