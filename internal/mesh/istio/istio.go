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
// Load comes from a pod of this program, or of fortio, with a sidecar of its own, that of
// several senders from the pods of an Indexed Job. The proxies'
// admin interfaces and the pod's agent are reached by port-forward, their access
// logs by pods/log. The package may import loadgen and
// internal/{agent,check,cluster,envoy,fortio,journal,mesh,nearest,rules,yamlnode}.
package istio

import (
	"context"
	"errors"
	"sync"

	"github.com/meshchaos/meshchaos/internal/mesh"
)

// Mesh is one namespace of a cluster with Istio, and those that Span adds, for one run.
type Mesh struct {
	*Cluster
	run   string
	log   func(string)
	alone bool // nobody else uses the cluster, which is closed with it

	mu        sync.Mutex
	workloads map[string]*starting // by what they borrow, those that were asked for
	most      map[string]int       // by what they borrow, how many senders a load has that comes from there
	granted   map[right]bool       // rights that this user is known to have
	further   []string             // the namespaces that it spans beside its own, sorted
	gateways  []string             // the namespaces of the ingress gateway's pods, as far as they were found
	unfollow  []context.CancelFunc
	closed    bool

	following sync.WaitGroup

	entering sync.Mutex
	ledger   parts   // of the run
	held     held    // by it
	secrets  secrets // that it makes
}

var _ mesh.Mesh = (*Mesh)(nil)

// Open connects to a cluster as Connect does, for a run that shares it with none.
func Open(ctx context.Context, o Options) (*Mesh, error) {
	c, err := Connect(ctx, o)
	if err != nil {
		return nil, err
	}
	m := c.Mesh(o.Run, o.Log)
	m.alone = true
	return m, nil
}

// Info implements mesh.Mesh. The version names Istio (the tag of istiod's
// image) and Kubernetes, and Envoy once the load workload runs.
func (m *Mesh) Info() mesh.Info {
	info := m.info
	info.Further, info.Gateway = m.namespaces()[1:], m.gateway()
	for _, start := range m.asked() {
		if w := start.ended(); w != nil {
			info.Version += ", Envoy " + w.envoy
			break
		}
	}
	return info
}

var errClosed = errors.New("using the mesh: it was closed")

// Close implements mesh.Mesh. It ends what the run follows, and, of a run that
// shares the cluster with none, closes that. It may be called again.
func (m *Mesh) Close(ctx context.Context) error {
	m.mu.Lock()
	m.closed = true
	for _, end := range m.unfollow {
		end()
	}
	m.mu.Unlock()
	m.following.Wait()
	for _, start := range m.asked() {
		if err := start.giveUp(ctx); err != nil {
			return err
		}
	}
	if !m.alone {
		return nil
	}
	return m.Cluster.Close(ctx)
}
