package istio

import (
	"cmp"
	"fmt"
	"maps"
	"os"

	corev1 "k8s.io/api/core/v1"
)

// Template is what somebody wants to be otherwise about the load workload's pod. What
// is empty stays as it is.
type Template struct {
	Name              string // how the names of the pods begin
	Labels            map[string]string
	Annotations       map[string]string
	Image             string // instead of that of the Options
	ImagePullPolicy   corev1.PullPolicy
	Resources         *corev1.ResourceRequirements // instead of all that are by default
	ServiceAccount    string
	PriorityClassName string
	NodeSelector      map[string]string
	Tolerations       []corev1.Toleration
	Affinity          *corev1.Affinity
	ImagePullSecrets  []corev1.LocalObjectReference
}

// ReadTemplate reads a template from a file, a Pod or a PodTemplate of Kubernetes. What
// is wrong in it, or may not be set, is a *yamlnode.Error.
func ReadTemplate(path string) (*Template, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the pod's template: %w; name a file with a Pod by --pod-template", err)
	}
	return parseTemplate(path, string(text))
}

// name is how the names of the pods begin.
func (t *Template) name() string {
	if t == nil {
		return clientApp
	}
	return cmp.Or(t.Name, clientApp)
}

// apply makes a pod what the template asks for. Labels that are borrowed hold.
func (t *Template) apply(pod *corev1.Pod, borrowed map[string]string) {
	if t == nil {
		return
	}
	for key, value := range t.Labels {
		if _, there := borrowed[key]; !there {
			pod.Labels[key] = value
		}
	}
	maps.Copy(pod.Annotations, t.Annotations)
	spec := &pod.Spec
	agent := &spec.Containers[0]
	if t.ImagePullPolicy != "" {
		agent.ImagePullPolicy = t.ImagePullPolicy
	}
	if t.Resources != nil {
		agent.Resources = *t.Resources
	}
	spec.ServiceAccountName, spec.PriorityClassName = t.ServiceAccount, t.PriorityClassName
	spec.NodeSelector, spec.Tolerations, spec.Affinity, spec.ImagePullSecrets = t.NodeSelector, t.Tolerations, t.Affinity, t.ImagePullSecrets
}
