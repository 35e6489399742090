package istio

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

const wholeTemplate = `apiVersion: v1
kind: Pod
metadata:
  name: loader
  labels: {team: shop, app.kubernetes.io/part-of: tests}
  annotations:
    sidecar.istio.io/proxyCPU: 500m
spec:
  serviceAccountName: nightly
  priorityClassName: low
  nodeSelector: {pool: tests}
  tolerations:
    - {key: tests, operator: Exists, effect: NoSchedule}
  affinity:
    nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: Exists}]}]}}
  imagePullSecrets: [{name: registry}]
  containers:
    - name: agent
      image: registry.example/meshchaos:1
      imagePullPolicy: Always
      resources: {requests: {cpu: 1, memory: 1Gi}}
`

func TestATemplateIsWhatThePodBecomes(t *testing.T) {
	inner := "apiVersion: v1\nkind: PodTemplate\nmetadata: {name: x}\ntemplate:\n"
	for _, line := range strings.Split(wholeTemplate, "\n")[2:] {
		inner += "  " + line + "\n"
	}
	for kind, text := range map[string]string{"Pod": wholeTemplate, "PodTemplate": strings.Replace(inner, "metadata: {name: x}\n", "", 1)} {
		template, err := parseTemplate("pod.yaml", text)
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		c := &Cluster{namespace: "book", id: "t1", image: template.Image, template: template}
		pod := c.workloadPod(&workload{name: c.nameOf("", 0, 1)})
		agent := pod.Spec.Containers[0]
		for what, got := range map[string]any{
			"loader-t1": pod.Name, "shop": pod.Labels["team"], "t1": pod.Labels[label], "500m": pod.Annotations["sidecar.istio.io/proxyCPU"],
			"nightly": pod.Spec.ServiceAccountName, "low": pod.Spec.PriorityClassName, "tests": pod.Spec.NodeSelector["pool"],
			"registry": pod.Spec.ImagePullSecrets[0].Name, "registry.example/meshchaos:1": agent.Image, "Always": string(agent.ImagePullPolicy),
			"1Gi": agent.Resources.Requests.Memory().String(), "a": pod.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms[0].MatchExpressions[0].Key,
		} {
			if got != what {
				t.Errorf("%s: %v, want %s", kind, got, what)
			}
		}
		want := []corev1.Toleration{{Key: "tests", Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule}}
		if diff := cmp.Diff(want, pod.Spec.Tolerations); diff != "" {
			t.Error(diff)
		}
		if agent.Args[0] != "agent" || *agent.SecurityContext.ReadOnlyRootFilesystem != true || pod.Annotations[proxyConfig] == "" || len(agent.Resources.Limits) != 0 {
			t.Errorf("%s: the pod is %+v", kind, pod)
		}
	}
}

func TestWhatAPodBorrowsHoldsBesideATemplate(t *testing.T) {
	c := &Cluster{id: "t1", template: &Template{Labels: map[string]string{"version": "v9", "team": "shop"}, ServiceAccount: "nightly"}}
	w := &workload{as: borrowed{workload: "web-v1", account: "web", labels: map[string]string{"version": "v1"}}}
	pod := c.workloadPod(w)
	if err := w.as.lendTo(pod); err != nil {
		t.Fatal(err)
	}
	if _, there := pod.Labels["version"]; there || pod.Labels["team"] != "shop" || pod.Spec.ServiceAccountName != "web" {
		t.Errorf("the pod has the labels %v and the account %s", pod.Labels, pod.Spec.ServiceAccountName)
	}
}

func TestWithoutATemplateNothingIsOtherwise(t *testing.T) {
	c := &Cluster{namespace: "book", id: "t1", image: "i"}
	pod := c.workloadPod(&workload{name: c.nameOf("", 0, 1)})
	if limit := pod.Spec.Containers[0].Resources.Limits[corev1.ResourceMemory]; pod.Name != "meshchaos-client-t1" || limit.Cmp(resource.MustParse("512Mi")) != 0 {
		t.Errorf("the pod is %+v", pod)
	}
}

func TestWhatWouldBreakTheLoadPodIsRefusedWhereItStands(t *testing.T) {
	const head = "apiVersion: v1\nkind: Pod\n"
	for text, want := range map[string]string{
		"":                                    "pod.yaml: ",
		"a: [":                                "pod.yaml:1:",
		"kind: Deployment":                    "pod.yaml:1:1: a pod's template is a Pod or a PodTemplate",
		"apiVersion: v2\nkind: Pod\n":         "pod.yaml:1:1: a Pod is of no other version than v1",
		head + "spec: {hostNetwork: true}":    "pod.yaml:3:8: spec.hostNetwork is the load pod's own",
		head + "spec:\n  securityContext: {}": "pod.yaml:4:3: spec.securityContext is",
		head + "spec:\n  containers:\n    - name: agent\n      command: [sh]":                       "pod.yaml:6:7: a container's command is",
		head + "spec:\n  containers:\n    - name: agent\n      securityContext: {privileged: true}": "pod.yaml:6:7: a container's securityContext is",
		head + "spec:\n  containers:\n    - name: agent\n    - name: more":                          "pod.yaml:4:3: the load pod has one container",
		head + "spec: {containers: [{name: more}]}":                                                 "pod.yaml:3:8: the load pod has one container",
		head + "spec: {tolerations: [{keys: a}]}":                                                   `pod.yaml:3:`,
		head + "spec: {tolerations: {key: a}}":                                                      `pod.yaml:3:`,
		head + "spec: {nodeselector: {a: b}}":                                                       `did you mean nodeSelector?`,
		head + "spec: {containers: [{name: agent, resources: {limits: {cpu: many}}}]}":              "pod.yaml:3:",
		head + "spec: {containers: [{name: agent, imagePullPolicy: Often}]}":                        "there is no imagePullPolicy",
		head + "metadata: {namespace: a}":                                                           "pod.yaml:3:12: metadata.namespace is",
		head + "metadata: {name: A}":                                                                "no pod's name can begin with",
		head + "metadata:\n  labels:\n    a: b\n    meshchaos.io/load: x":                           "pod.yaml:6:5: the label meshchaos.io/load is the load pod's own",
		head + "metadata: {labels: {app.kubernetes.io/managed-by: Helm}}":                           "pod.yaml:3:21: the label",
		head + "metadata: {labels: {a: \"b c\"}}":                                                   "is no label",
		head + "metadata: {annotations: {proxy.istio.io/config: a}}":                                "pod.yaml:3:26: the annotation",
		head + "metadata: {annotations: {traffic.sidecar.istio.io/excludeOutboundPorts: '1'}}":      "pod.yaml:3:26: the annotation",
		head + "metadata: &a {labels: {b: c}}":                                                      "anchors",
		head + "---\nkind: Pod":                                                                     "one document",
		strings.Repeat("#", maxTemplate+1):                                                          "16 KiB",
	} {
		_, err := parseTemplate("pod.yaml", text)
		var placed *yamlnode.Error
		if !errors.As(err, &placed) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\nis refused with %v; want %q", text, err, want)
		}
	}
}
