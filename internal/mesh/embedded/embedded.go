// Package embedded is a service mesh in this process: a sample application's
// workloads and a proxy for each, over real HTTP and TCP on loopback, with a
// load workload and an ingress gateway. It puts internal/samples and
// internal/sidecar together, and is all of a cluster that a run needs.
//
// The package may import internal/mesh and what that may, internal/agent, internal/check,
// internal/samples and internal/sidecar with its rooms.
package embedded

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"

	"github.com/meshchaos/meshchaos/internal/agent"
	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/samples/workload"
	"github.com/meshchaos/meshchaos/internal/sidecar"
	"github.com/meshchaos/meshchaos/internal/sidecar/admin"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
)

// Namespace is the one in which everything is but the ingress gateway.
const Namespace = "default"

// The workloads beside the application's.
const (
	clientName  = mesh.ClientApp
	gatewayName = "istio-ingressgateway"
)

// Options say what to start.
type Options struct {
	App  string // the sample application: bookinfo
	Seed uint64 // the same seed repeats every draw of every proxy

	NoAccessLog bool // no proxy writes an access log until a Telemetry object says so

	// Agent is the program that is a load agent in a process of its own, as
	// agent.ServeInherited has it, and its arguments. Empty: a load has one sender, which is
	// this process.
	Agent []string
}

// Mesh is a running mesh. It implements mesh.Mesh.
type Mesh struct {
	sample  []pod
	common  config.Mesh     // to all proxies
	proxies sidecar.Options // what all proxies have in common
	admin   *http.Client
	page    *page    // nil: the application has no HTTP
	agent   []string // as Options has it

	end      context.CancelFunc
	routines sync.WaitGroup

	mu        sync.Mutex
	workloads []injected // in the order of the sample, the load workload, the gateway, load workloads that borrow
	store     store
	ledgers   map[string][]byte // by their runs
	secrets   map[string]secret // of the gateway's namespace, by their names
	followers map[*follower]bool
	failed    []error // of workloads that stopped serving
	senders   []*agent.Process
}

// injected is a pod with its proxy.
type injected struct {
	proxy    *sidecar.Sidecar
	admin    *admin.Server
	options  sidecar.Options
	workload string // that the pod is of
	client   bool   // it is a load workload
	borrows  string // of a load workload: as mesh.Cohort.Borrows has it
	sender   int    // of a load workload: which of its pods, from 0 on
}

// Open starts an application's workloads and all proxies. Close must be called.
func Open(ctx context.Context, options Options) (*Mesh, error) {
	sample, err := podsOf(options.App)
	if err != nil {
		return nil, err
	}
	ip := ownAddress()
	ports, err := listen(sample, ip)
	if err != nil {
		return nil, err
	}
	running, end := context.WithCancel(context.WithoutCancel(ctx))
	m := &Mesh{
		sample: sample,
		common: config.Mesh{Services: registry(sample, ports), NoAccessLog: options.NoAccessLog},
		agent:  options.Agent,
		admin:  &http.Client{Transport: &http.Transport{}},
		end:    end,

		ledgers:   map[string][]byte{},
		secrets:   map[string]secret{},
		followers: map[*follower]bool{},
	}
	if err := m.start(running, ports, sidecar.Options{Namespace: Namespace, Seed: options.Seed, IP: ip}); err != nil {
		closeAll(ports)
		return nil, errors.Join(err, m.Close(ctx))
	}
	return m, nil
}

// start starts the proxies, then the workloads, which call each other through
// them.
func (m *Mesh) start(ctx context.Context, ports []ports, common sidecar.Options) error {
	cfg, err := sidecar.Compile(m.common, nil)
	if err != nil {
		return err
	}
	if common.CA, err = sidecar.NewCA(); err != nil {
		return err
	}
	m.proxies = common
	var all []injected
	for i, w := range m.sample {
		o := sidecar.Options{Name: w.name, App: w.App, Version: w.Version, Inbound: ports[i].inbound, Workload: ports[i].own.Addr().String()}
		all = append(all, injected{options: o, workload: w.Name()})
	}
	all = append(all,
		injected{options: sidecar.Options{Name: clientName, App: clientName}, workload: clientName, client: true},
		injected{options: sidecar.Options{Name: gatewayName, App: gatewayName, Gateway: true}, workload: gatewayName})
	for _, w := range all {
		if err := m.inject(w, cfg); err != nil {
			return err
		}
	}
	for i, w := range m.sample {
		env := workload.Env{PodName: w.name, Dial: m.workloads[i].proxy.Dial}
		m.routines.Go(func() {
			if err := w.Serve(ctx, ports[i].own, env); err != nil {
				m.mu.Lock()
				defer m.mu.Unlock()
				m.failed = append(m.failed, err)
			}
		})
	}
	m.page, err = m.openPage(ctx)
	return err
}

// inject starts the proxy of a pod.
func (m *Mesh) inject(w injected, cfg *config.Config) (err error) {
	if w.options.Gateway {
		w.options.Credentials = m.credential
	}
	w.options.Namespace, w.options.Seed, w.options.IP, w.options.CA = m.proxies.Namespace, m.proxies.Seed, m.proxies.IP, m.proxies.CA
	if w.proxy, err = sidecar.Start(w.options, cfg); err != nil {
		return err
	}
	if w.admin, err = admin.Serve(w.proxy); err != nil {
		return errors.Join(err, w.proxy.Close())
	}
	m.workloads = append(m.workloads, w)
	return nil
}

// pods are all that there are now.
func (m *Mesh) pods() []injected {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.workloads)
}

// Close implements mesh.Mesh. Nothing of the mesh runs on. The error is that of
// a workload that had stopped serving, or what had failed in a proxy.
func (m *Mesh) Close(context.Context) error {
	if m.page != nil {
		m.page.close()
	}
	m.mu.Lock()
	for _, p := range m.senders {
		p.Close()
	}
	m.senders = nil
	m.mu.Unlock()
	// The workloads last, so that no proxy misses one that is needed.
	var errs []error
	for _, w := range m.pods() {
		w.admin.Close()
		errs = append(errs, w.proxy.Close())
	}
	m.end()
	m.routines.Wait()
	m.admin.CloseIdleConnections()
	m.mu.Lock()
	defer m.mu.Unlock()
	return errors.Join(append(errs, m.failed...)...)
}

// Info implements mesh.Mesh.
func (m *Mesh) Info() mesh.Info {
	return mesh.Info{Kind: mesh.Embedded, Namespace: Namespace, Ephemeral: true, Closed: true}
}

// Services implements mesh.Mesh.
func (m *Mesh) Services(context.Context) ([]mesh.Service, error) {
	return services(m.common.Services), nil
}

// Services returns what the Services of a mesh with the application would be.
func Services(app string) ([]mesh.Service, error) {
	sample, err := podsOf(app)
	if err != nil {
		return nil, err
	}
	return services(registry(sample, nil)), nil
}

// address is where other proxies find the workload; empty: it serves nothing.
func (w injected) address() string {
	if w.options.Inbound == nil {
		return ""
	}
	return w.options.Inbound.Addr().String()
}

// namespace is the one whose Telemetries the proxy logs by: of the gateway it is
// that of Istio's own.
func (w injected) namespace() string {
	if w.options.Gateway {
		return config.GatewayNamespace
	}
	return w.options.Namespace
}

// Proxies implements mesh.Mesh.
func (m *Mesh) Proxies(context.Context) ([]mesh.Proxy, error) {
	var proxies []mesh.Proxy
	for _, w := range m.pods() {
		proxies = append(proxies, mesh.Proxy{
			Name:      w.options.Name,
			Namespace: w.namespace(),
			Workload:  w.workload,
			App:       w.options.App,
			Version:   w.options.Version,
			Labels:    w.options.Labels(),
			Address:   w.address(),
			Gateway:   w.options.Gateway,
			Client:    w.client,
			Borrows:   w.borrows,
			Prompt:    true,
			Admin:     &envoy.Admin{Client: m.admin, Base: "http://" + w.admin.Address()},
			Log:       w.proxy.FollowLog,
		})
	}
	return proxies, nil
}
