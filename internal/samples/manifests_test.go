package samples

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/meshchaos/meshchaos/internal/samples/workload"
	"github.com/meshchaos/meshchaos/manifests"
)

// objects are what a manifest holds, by name.
type objects struct {
	services    map[string]corev1.Service
	accounts    map[string]corev1.ServiceAccount
	deployments map[string]appsv1.Deployment
}

// read reads a manifest as the API server does with strict field validation.
func read(t *testing.T, manifest []byte) objects {
	o := objects{map[string]corev1.Service{}, map[string]corev1.ServiceAccount{}, map[string]appsv1.Deployment{}}
	decoder := yaml.NewDecoder(bytes.NewReader(manifest))
	for {
		var document map[string]any
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			return o
		} else if err != nil {
			t.Fatal(err)
		}
		switch document["kind"] {
		case "Service":
			add(t, o.services, document, func(s corev1.Service) string { return s.Name })
		case "ServiceAccount":
			add(t, o.accounts, document, func(a corev1.ServiceAccount) string { return a.Name })
		case "Deployment":
			add(t, o.deployments, document, func(d appsv1.Deployment) string { return d.Name })
		case "Sidecar": // Istio's, not a workload's
		default:
			t.Errorf("unexpected kind %v", document["kind"])
		}
	}
}

func add[T any](t *testing.T, all map[string]T, document map[string]any, name func(T) string) {
	t.Helper()
	text, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	strict := json.NewDecoder(bytes.NewReader(text))
	strict.DisallowUnknownFields()
	var object T
	if err := strict.Decode(&object); err != nil {
		t.Fatalf("%v in:\n%s", err, text)
	}
	if _, twice := all[name(object)]; twice {
		t.Errorf("%q stands there twice", name(object))
	}
	all[name(object)] = object
}

// TestManifestsRunTheWorkloads: what a cluster runs is what App says, no more and
// no less.
func TestManifestsRunTheWorkloads(t *testing.T) {
	for _, app := range Apps() {
		manifest, err := manifests.App(app, manifests.Image)
		if err != nil {
			t.Fatal(err)
		}
		workloads, err := App(app)
		if err != nil {
			t.Fatal(err)
		}
		o := read(t, manifest)
		if len(o.deployments) != len(workloads) {
			t.Errorf("%s: %d Deployments for %d workloads", app, len(o.deployments), len(workloads))
		}
		for _, w := range workloads {
			checkDeployment(t, w, o)
			checkService(t, w, o.services[w.App])
		}
	}
}

func checkDeployment(t *testing.T, w workload.Workload, o objects) {
	d, ok := o.deployments[w.Name()]
	if !ok || len(d.Spec.Template.Spec.Containers) != 1 {
		t.Errorf("%s: no Deployment with one container", w.Name())
		return
	}
	if got := d.Spec.Replicas; got == nil || int(*got) != len(w.Pods()) {
		t.Errorf("%s: %v replicas, want %d", w.Name(), got, len(w.Pods()))
	}
	labels := map[string]string{"app": w.App, "version": w.Version}
	pod := d.Spec.Template
	c := pod.Spec.Containers[0]
	for what, pair := range map[string][2]any{
		"selector":    {labels, d.Spec.Selector.MatchLabels},
		"pod labels":  {labels, pod.Labels},
		"args":        {[]string{"serve", w.App, "--version", w.Version}, c.Args},
		"image":       {manifests.Image, c.Image},
		"pull policy": {corev1.PullIfNotPresent, c.ImagePullPolicy},
		"ports":       {[]corev1.ContainerPort{{ContainerPort: int32(w.Port)}}, c.Ports},
		"env": {[]corev1.EnvVar{{Name: "POD_NAME", ValueFrom: &corev1.EnvVarSource{
			FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}}}}, c.Env},
	} {
		if diff := cmp.Diff(pair[0], pair[1]); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", w.Name(), what, diff)
		}
	}
	checkUnprivileged(t, w, c.SecurityContext)
	if _, ok := o.accounts[pod.Spec.ServiceAccountName]; !ok {
		t.Errorf("%s: no ServiceAccount %q", w.Name(), pod.Spec.ServiceAccountName)
	}
	checkReady(t, w, c.ReadinessProbe)
}

// checkUnprivileged wants what Pod Security asks for at its level restricted.
func checkUnprivileged(t *testing.T, w workload.Workload, c *corev1.SecurityContext) {
	yes, no := true, false
	want := &corev1.SecurityContext{
		AllowPrivilegeEscalation: &no, ReadOnlyRootFilesystem: &yes, RunAsNonRoot: &yes,
		Capabilities:   &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
	}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("%s: its security context (-want +got):\n%s", w.Name(), diff)
	}
}

// checkReady asks the workload what the cluster would ask it.
func checkReady(t *testing.T, w workload.Workload, probe *corev1.Probe) {
	switch {
	case probe == nil:
		t.Errorf("%s: no readiness probe", w.Name())
	case w.IsTCP():
		if probe.TCPSocket == nil || probe.TCPSocket.Port.IntValue() != w.Port {
			t.Errorf("%s: readiness probe %+v, want TCP on port %d", w.Name(), probe.ProbeHandler, w.Port)
		}
	case w.IsGRPC():
		if probe.GRPC == nil || probe.GRPC.Port != int32(w.Port) {
			t.Errorf("%s: readiness probe %+v, want gRPC on port %d", w.Name(), probe.ProbeHandler, w.Port)
		}
	case probe.HTTPGet == nil || probe.HTTPGet.Port.IntValue() != w.Port:
		t.Errorf("%s: readiness probe %+v, want HTTP on port %d", w.Name(), probe.ProbeHandler, w.Port)
	default:
		town := newLoopback(t)
		town.serve(w, nil)
		url := fmt.Sprintf("http://%s:%d%s", w.App, w.ServicePort, probe.HTTPGet.Path)
		if got := town.get(url, nil); got.status != 200 {
			t.Errorf("%s: its readiness probe is answered with %d", w.Name(), got.status)
		}
	}
}

// checkService wants a port whose name lets Istio choose the right protocol.
func checkService(t *testing.T, w workload.Workload, s corev1.Service) {
	name := "http"
	if w.IsTCP() {
		name = "tcp"
	}
	if w.IsGRPC() {
		name = "grpc"
	}
	if len(s.Spec.Ports) != 1 {
		t.Errorf("%s: service %q has %d ports, want one", w.Name(), w.App, len(s.Spec.Ports))
		return
	}
	p := s.Spec.Ports[0]
	if p.Name != name || p.Port != int32(w.ServicePort) || p.TargetPort.IntValue() != w.Port || s.Spec.Selector["app"] != w.App || len(s.Spec.Selector) != 1 {
		t.Errorf("%s: service %+v, want port %q %d to %d of app=%s", w.Name(), s.Spec, name, w.ServicePort, w.Port, w.App)
	}
}

// Istio's own samples have none: what a run can tell of these, it can tell of a
// mesh that nobody prepared.
func TestNoSampleHasAnAnnotationOfIstios(t *testing.T) {
	for _, app := range Apps() {
		manifest, err := manifests.App(app, manifests.Image)
		if err != nil {
			t.Fatal(err)
		}
		for name, d := range read(t, manifest).deployments {
			for key := range d.Spec.Template.Annotations {
				if strings.Contains(key, "istio.io") {
					t.Errorf("%s: %s has the annotation %s", app, name, key)
				}
			}
		}
	}
}
