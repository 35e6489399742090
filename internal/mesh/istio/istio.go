// Package istio implements the mesh contract on a Kubernetes cluster with
// Istio, through client-go.
//
// Rules are written with their resource version checked. They are read and
// written as they stand, through client-go's dynamic client, and Istio's types
// (istio.io/api) are laid over them: the typed client of istio.io/client-go
// decodes into those types, and what they do not hold would be lost from an object
// that is put back, as a field of a newer Istio, a weight of 0, or the spelling
// of a duration. What others change during a run is followed by a watch for each
// kind, in all namespaces as far as the user's rights go.
//
// Load comes from a pod of this program with a sidecar of its own. The proxies'
// admin interfaces and the pod's agent are reached by port-forward, their access
// logs by pods/log. The package may import loadgen and
// internal/{agent,cluster,envoy,mesh,rules}.
package istio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/meshchaos/meshchaos/internal/cluster"
	"github.com/meshchaos/meshchaos/internal/mesh"
)

// Options says which mesh, and for which run.
type Options struct {
	Kubeconfig string       // a file; empty: as kubectl finds it, or the pod's own account
	Context    string       // of the kubeconfig; empty: its current one
	Namespace  string       // empty: the context's
	Image      string       // of the load workload: this program, with the command agent
	Run        string       // the run's id, part of the load workload's name
	Log        func(string) // takes what is being waited for, and each warning of the API server once, from several goroutines; may be nil
}

// Mesh is one namespace of a cluster with Istio.
type Mesh struct {
	namespace string
	image     string
	run       string
	log       func(string)
	config    *rest.Config
	api       *http.Client // carries kube and dynamic
	kube      kubernetes.Interface
	dynamic   dynamic.Interface
	resources map[string]schema.GroupVersionResource // by rules' kinds; no Telemetry where the cluster has none
	info      mesh.Info
	tunnels   *tunnels

	mu       sync.Mutex
	workload *workload      // nil until the load workload was asked for
	granted  map[right]bool // rights that this user is known to have
	gateways []string       // the namespaces of the ingress gateway's pods, as far as they were found
	unfollow []context.CancelFunc
	closed   bool

	following sync.WaitGroup

	entering sync.Mutex
	ledger   parts // of the run
}

var _ mesh.Mesh = (*Mesh)(nil)

// reachTimeout bounds how long a cluster that does not answer is waited for.
const reachTimeout = 15 * time.Second

// Open connects to the cluster that kubectl would, and checks that it has Istio
// and the namespace. It makes nothing there. Its error is a mesh.UnansweredError
// if the cluster cannot be reached; any other is about the Options.
func Open(ctx context.Context, o Options) (*Mesh, error) {
	config, namespace, err := cluster.Load(cluster.Options{Kubeconfig: o.Kubeconfig, Context: o.Context, Namespace: o.Namespace})
	if err != nil {
		return nil, fmt.Errorf("%w; --mesh embedded needs no cluster", err)
	}
	m := &Mesh{
		namespace: namespace, image: o.Image, run: o.Run, log: o.Log, config: config,
	}
	if m.log == nil {
		m.log = func(string) {}
	}
	config.WarningHandlerWithContext = &warnings{log: m.log}
	if err := m.connect(); err != nil {
		return nil, fmt.Errorf("opening the cluster %s: %w", config.Host, err)
	}
	if err := answered(m.check(ctx)); err != nil {
		m.api.CloseIdleConnections()
		return nil, err
	}
	return m, nil
}

// connect makes the clients of the Kubernetes API.
func (m *Mesh) connect() error {
	var err error
	if m.api, err = rest.HTTPClientFor(m.config); err != nil {
		return err
	}
	if m.kube, err = kubernetes.NewForConfigAndClient(m.config, m.api); err != nil {
		return err
	}
	m.tunnels = newTunnels(m.config, m.kube.CoreV1().RESTClient())
	m.dynamic, err = dynamic.NewForConfigAndClient(m.config, m.api)
	return err
}

// check finds the API versions of Istio's objects, and the versions of all.
func (m *Mesh) check(ctx context.Context) error {
	server, err := m.serverVersion(ctx)
	if err != nil {
		return fmt.Errorf("reaching the cluster %s: %w; check that kubectl reaches it with the same kubeconfig and context", m.config.Host, err)
	}
	if m.resources, err = resourcesOf(m.kube.Discovery()); err != nil {
		return fmt.Errorf("opening the mesh of the cluster %s: %w", m.config.Host, err)
	}
	_, err = m.kube.CoreV1().Namespaces().Get(ctx, m.namespace, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return fmt.Errorf("opening the mesh of the cluster %s: there is no namespace %q; give the application's with --namespace", m.config.Host, m.namespace)
	}
	if err != nil && !apierrors.IsForbidden(err) { // one may use a namespace without the right to read it
		return fmt.Errorf("reading the namespace %q: %w", m.namespace, err)
	}
	m.info = mesh.Info{Kind: mesh.Istio, Namespace: m.namespace, Version: "Kubernetes " + server, LogDelay: logDelay}
	if istiod := m.istiodVersion(ctx); istiod != "" {
		m.info.Version = "Istio " + istiod + ", " + m.info.Version
	}
	return nil
}

// serverVersion asks the cluster for its version, which also shows that it can
// be reached; client-go's own call cannot be interrupted.
func (m *Mesh) serverVersion(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	body, err := m.kube.Discovery().RESTClient().Get().AbsPath("/version").Do(ctx).Raw()
	if err != nil {
		return "", err
	}
	var server version.Info
	if err := json.Unmarshal(body, &server); err != nil {
		return "", fmt.Errorf("reading its version: %w", err)
	}
	return server.GitVersion, nil
}

// istiodVersion is the tag of istiod's image, empty where that cannot be told.
func (m *Mesh) istiodVersion(ctx context.Context) string {
	pods, err := m.kube.CoreV1().Pods(istioSystem).List(ctx, metav1.ListOptions{LabelSelector: "app=istiod", Limit: 1})
	if err != nil || len(pods.Items) == 0 { // no right to look, or an istiod elsewhere: the version is then unknown
		return ""
	}
	for _, c := range pods.Items[0].Spec.Containers {
		if c.Name == "discovery" {
			return imageTag(c.Image)
		}
	}
	return ""
}

// imageTag returns the tag of an image, empty if it has none.
func imageTag(image string) string {
	image, _, _ = strings.Cut(image, "@")
	name := image[strings.LastIndex(image, "/")+1:]
	_, tag, _ := strings.Cut(name, ":")
	return tag
}

// Info implements mesh.Mesh. The version names Istio (the tag of istiod's
// image) and Kubernetes, and Envoy once the load workload runs.
func (m *Mesh) Info() mesh.Info {
	m.mu.Lock()
	defer m.mu.Unlock()
	info := m.info
	if m.workload != nil && m.workload.envoy != "" {
		info.Version += ", Envoy " + m.workload.envoy
	}
	return info
}

var errClosed = errors.New("using the mesh: it was closed")

// Close implements mesh.Mesh. It ends all tunnels, then deletes the load
// workload and waits until it is gone. It may be called again.
func (m *Mesh) Close(ctx context.Context) error {
	m.mu.Lock()
	m.closed = true
	w := m.workload
	for _, end := range m.unfollow {
		end()
	}
	m.mu.Unlock()
	m.following.Wait()
	m.tunnels.close()
	defer m.api.CloseIdleConnections()
	if w == nil {
		return nil
	}
	return m.deleteWorkload(ctx, w)
}
