package istio

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/meshchaos/meshchaos/internal/cluster"
	"github.com/meshchaos/meshchaos/internal/mesh"
)

// Options says which cluster, and for whom.
type Options struct {
	Kubeconfig string        // a file; empty: as kubectl finds it, or the pod's own account
	Context    string        // of the kubeconfig; empty: its current one
	Namespace  string        // empty: the context's
	Image      string        // of the load workload: this program, with the command agent
	Fortio     string        // instead: an image of fortio, whose command server drives the load as far as internal/fortio can; empty: none
	Template   *Template     // of the load workload; nil: nothing is otherwise
	Keep       *Keep         // the load workloads outlive the Cluster; nil: they do not
	Lifetime   time.Duration // after which a load workload ends by itself, as when this process is killed; 0: 4 h
	Run        string        // the id of the run, or of the first of several; part of the load workload's name
	Log        func(string)  // takes what is being waited for, and each warning of the API server once, from several goroutines; may be nil
}

// Cluster is one namespace of a cluster with Istio, opened once for several runs
// that come one after the other: they share its clients, its tunnels and the load
// workloads.
type Cluster struct {
	namespace string
	image     string
	fortio    bool // the image is of fortio, and not of this program
	template  *Template
	keep      *Keep
	needed    time.Duration // of a load workload that was kept: how long it must still be there
	lifetime  time.Duration
	holder    string // the id of the first run
	id        string // by which the load workloads are known: that, or who keeps them
	config    *rest.Config
	api       *http.Client // carries kube and dynamic
	kube      kubernetes.Interface
	dynamic   dynamic.Interface
	resources map[string]schema.GroupVersionResource // by rules' kinds; no Telemetry where the cluster has none
	info      mesh.Info
	tunnels   *tunnels
	warnings  *warnings

	lending sync.Mutex        // of what follows
	slots   map[lending]*slot // of the load workloads
	closed  bool
	kept    []*workload // that were left when it was closed
}

// reachTimeout bounds how long a cluster that does not answer is waited for.
const reachTimeout = 15 * time.Second

// Connect connects to the cluster that kubectl would, and checks that it has Istio
// and the namespace. It makes nothing there. Its error is a mesh.UnansweredError
// if the cluster cannot be reached; any other is about the Options.
func Connect(ctx context.Context, o Options) (*Cluster, error) {
	which := cluster.Options{Kubeconfig: o.Kubeconfig, Context: o.Context, Namespace: o.Namespace}
	config, namespace, err := cluster.Load(which)
	if err != nil {
		return nil, err
	}
	c := &Cluster{namespace: namespace, image: cmp.Or(o.Fortio, o.Image), fortio: o.Fortio != "", template: o.Template, lifetime: cmp.Or(o.Lifetime, defaultLifetime), id: o.Run, config: config, warnings: &warnings{}}
	c.holder, c.needed = o.Run, c.lifetime
	if c.keep = o.Keep; c.keep != nil {
		c.id, c.lifetime = c.keep.id(), max(c.lifetime, keptFor)
	}
	if o.Template != nil && o.Template.Image != "" {
		c.image = o.Template.Image
	}
	c.warnings.to(o.Log)
	config.WarningHandlerWithContext = c.warnings
	if err := c.connect(); err != nil {
		return nil, fmt.Errorf("opening the cluster %s: %w", cluster.Address(config), err)
	}
	if err := answered(c.check(ctx)); err != nil {
		c.api.CloseIdleConnections()
		return nil, err
	}
	c.info.Context = cluster.Context(which)
	return c, nil
}

// Mesh is the cluster as a run sees it: with a ledger, watches and rights of the
// run's own. What it logs goes to log, which may be nil, and so do the warnings of
// the API server from now on. The runs before it are closed.
func (c *Cluster) Mesh(run string, log func(string)) *Mesh {
	if log == nil {
		log = func(string) {}
	}
	c.warnings.to(log)
	return &Mesh{Cluster: c, run: run, log: log}
}

// Close ends all tunnels, then deletes the load workloads that are not to be kept, and
// waits until they are gone. The meshes of all runs must be closed. It may be called
// again.
func (c *Cluster) Close(ctx context.Context) error {
	c.lending.Lock()
	c.closed = true
	all := slices.Collect(maps.Values(c.slots))
	c.lending.Unlock()
	defer c.api.CloseIdleConnections()
	var gone []*slot
	for _, p := range all {
		p.mu.Lock() // nothing is made any more
		defer p.mu.Unlock()
		p.lent.leave()
		switch {
		case p.lent == nil:
		case p.lent.isTaken():
			p.lent = nil
		case c.keeps(ctx, p.lent):
			c.lending.Lock()
			c.kept = append(c.kept, p.lent)
			c.lending.Unlock()
			p.lent = nil
		default:
			gone = append(gone, p)
		}
	}
	c.tunnels.close()
	return c.clear(ctx, gone)
}

// clear deletes the load workloads of slots.
func (c *Cluster) clear(ctx context.Context, slots []*slot) error {
	for _, p := range slots {
		name, uid := "", types.UID("") // all at once
		if c.keep != nil {
			name = p.lent.name
			if p.lent.pod != nil { // another command may have made one of its name since
				uid = p.lent.pod.UID
			}
		}
		if err := c.deletePods(ctx, c.id, name, uid); err != nil {
			return err
		}
		p.lent = nil
	}
	return nil
}

// connect makes the clients of the Kubernetes API.
func (c *Cluster) connect() error {
	var err error
	if c.api, err = rest.HTTPClientFor(c.config); err != nil {
		return err
	}
	if c.kube, err = kubernetes.NewForConfigAndClient(c.config, c.api); err != nil {
		return err
	}
	c.tunnels = newTunnels(c.config, c.kube.CoreV1().RESTClient())
	c.dynamic, err = dynamic.NewForConfigAndClient(c.config, c.api)
	return err
}

// check finds the API versions of Istio's objects, and the versions of all.
func (c *Cluster) check(ctx context.Context) error {
	server, err := c.serverVersion(ctx)
	if err != nil {
		return fmt.Errorf("reaching the cluster %s: %w; check that kubectl reaches it with the same kubeconfig and context", cluster.Address(c.config), err)
	}
	if c.resources, err = resourcesOf(c.kube.Discovery()); err != nil {
		return fmt.Errorf("opening the mesh of the cluster %s: %w", cluster.Address(c.config), err)
	}
	_, err = c.kube.CoreV1().Namespaces().Get(ctx, c.namespace, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return fmt.Errorf("opening the mesh of the cluster %s: there is no namespace %q; give the application's with --namespace", cluster.Address(c.config), c.namespace)
	}
	if err != nil && !apierrors.IsForbidden(err) { // one may use a namespace without the right to read it
		return fmt.Errorf("reading the namespace %q: %w", c.namespace, err)
	}
	c.info = mesh.Info{
		Kind: mesh.Istio, Namespace: c.namespace, Version: "Kubernetes " + server, LogDelay: logDelay,
		Server: cluster.Host(c.config), Account: cluster.Account(ctx, c.kube),
	}
	if istiod := c.istiodVersion(ctx); istiod != "" {
		c.info.Version = "Istio " + istiod + ", " + c.info.Version
	}
	return nil
}

// serverVersion asks the cluster for its version, which also shows that it can
// be reached; client-go's own call cannot be interrupted.
func (c *Cluster) serverVersion(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	body, err := c.kube.Discovery().RESTClient().Get().AbsPath("/version").Do(ctx).Raw()
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
func (c *Cluster) istiodVersion(ctx context.Context) string {
	pods, err := c.kube.CoreV1().Pods(istioSystem).List(ctx, metav1.ListOptions{LabelSelector: "app=istiod", Limit: 1})
	if err != nil || len(pods.Items) == 0 { // no right to look, or an istiod elsewhere: the version is then unknown
		return ""
	}
	for _, container := range pods.Items[0].Spec.Containers {
		if container.Name == "discovery" {
			return imageTag(container.Image)
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
