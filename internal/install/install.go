// Package install puts the sample applications into a namespace of a cluster, waits
// until they serve, and takes away again what it made, and nothing else.
//
// What it made it tells by two things together: its labels, and that its field manager
// stands in the object's managedFields. A copy that somebody made of such an object has
// the labels and not the manager.
//
// The package may import internal/cluster and manifests.
package install

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"

	"github.com/meshchaos/meshchaos/internal/cluster"
	"github.com/meshchaos/meshchaos/manifests"
)

// The marks of what was installed. Pods carry none of them: those that do are taken for
// the pod that the load of a run comes from.
const (
	manager   = "meshchaos-install"
	managedBy = "app.kubernetes.io/managed-by"
	partOf    = "app.kubernetes.io/part-of"
	program   = "meshchaos"
	versionOf = "meshchaos.io/version"
)

// Gateways is the sample that is an ingress gateway.
const Gateways = "gateways"

// Names returns the samples that can be installed.
func Names() []string {
	return []string{"bookinfo", "httpbin", "tcp-echo", "micro-api", "grpc-echo", "sleep", "fortio", Gateways}
}

// Sample is one application as it is to be installed.
type Sample struct {
	Name    string
	Objects []*unstructured.Unstructured // as they are sent, without a namespace
}

// Read returns the sample of a name with Istio's own images or, where image is not empty,
// with that one, which is this project's. What Istio has no image of has own, in any case.
// The gateway's image is the injector's choice. Version is kept in an annotation.
func Read(name, image, own, version string) (Sample, error) {
	text, err := manifestOf(name, image, own)
	if err != nil {
		return Sample{}, fmt.Errorf("installing %s: %w", name, err)
	}
	s := Sample{Name: name}
	for decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), len(text)); ; {
		object := &unstructured.Unstructured{}
		if err := decoder.Decode(object); errors.Is(err, io.EOF) {
			return s, nil
		} else if err != nil {
			return Sample{}, fmt.Errorf("reading the manifest of %s: %w", name, err)
		}
		object.SetLabels(with(object.GetLabels(), map[string]string{managedBy: program, partOf: name}))
		object.SetAnnotations(with(object.GetAnnotations(), map[string]string{versionOf: version}))
		s.Objects = append(s.Objects, object)
	}
}

func manifestOf(name, image, own string) ([]byte, error) {
	istios := slices.Contains(manifests.IstioNames(), name)
	switch {
	case !slices.Contains(Names(), name):
		return nil, fmt.Errorf("there is no such sample; choose %s", strings.Join(Names(), ", "))
	case image != "" && name == "fortio":
		return nil, errors.New("this project's image has no server of fortio's; install it by a command of its own, without --image")
	case istios && (image == "" || name == Gateways):
		return manifests.Istio(name)
	case image == "":
		image = own
	}
	return manifests.App(name, image)
}

func with(all, more map[string]string) map[string]string {
	if all == nil {
		return more
	}
	for key, value := range more {
		all[key] = value
	}
	return all
}

// Installer is one namespace of a cluster.
type Installer struct {
	namespace string
	host      string // of the API server
	kube      kubernetes.Interface
	dynamic   dynamic.Interface
	api       *http.Client // carries both
	mapper    meta.RESTMapper
}

// Open makes the clients of a cluster. It asks it nothing.
func Open(config *rest.Config, namespace string) (*Installer, error) {
	in := &Installer{namespace: namespace, host: cluster.Address(config)}
	var err error
	if in.api, err = rest.HTTPClientFor(config); err != nil {
		return nil, fmt.Errorf("opening the cluster %s: %w", cluster.Address(config), err)
	}
	if in.kube, err = kubernetes.NewForConfigAndClient(config, in.api); err != nil {
		return nil, fmt.Errorf("opening the cluster %s: %w", cluster.Address(config), err)
	}
	if in.dynamic, err = dynamic.NewForConfigAndClient(config, in.api); err != nil {
		return nil, fmt.Errorf("opening the cluster %s: %w", cluster.Address(config), err)
	}
	in.mapper = restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(in.kube.Discovery()))
	return in, nil
}

// Close ends the connections to the cluster.
func (in *Installer) Close() { in.api.CloseIdleConnections() }

// resource is where an object is read and written.
func (in *Installer) resource(o *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	mapping, err := in.mapping(o)
	if err != nil {
		return nil, err
	}
	return in.dynamic.Resource(mapping.Resource).Namespace(in.namespace), nil
}

func (in *Installer) mapping(o *unstructured.Unstructured) (*meta.RESTMapping, error) {
	kind := o.GroupVersionKind()
	mapping, err := in.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return nil, fmt.Errorf("finding the resource of %s: %w", named(o), err)
	}
	return mapping, nil
}

// reach says whether the cluster answers.
func (in *Installer) reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	// client-go's own call cannot be interrupted.
	if err := in.kube.Discovery().RESTClient().Get().AbsPath("/version").Do(ctx).Error(); err != nil {
		return fmt.Errorf("reaching the cluster %s: %w; check that kubectl reaches it with the same kubeconfig and context", in.host, err)
	}
	return nil
}

// made says whether an object is of the sample, and install made it.
func made(o metav1.Object, sample string) bool {
	labels := o.GetLabels()
	return labels[managedBy] == program && labels[partOf] == sample && ours(o)
}

func ours(o metav1.Object) bool {
	return slices.ContainsFunc(o.GetManagedFields(), func(f metav1.ManagedFieldsEntry) bool { return f.Manager == manager })
}

// named is how an object is called: Service/httpbin.
func named(o *unstructured.Unstructured) string { return o.GetKind() + "/" + o.GetName() }
