package evidence

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/loadgen"
)

// Observed is what is read of the proxies for one window of load.
type Observed struct {
	Before, After *Snapshot
	Log           *Log                       // nil: the access logs were not followed
	Namespace     string                     // of the run, from which its load comes
	Services      []mesh.Service             // of the namespaces that the run has to do with
	Objects       []*rules.Object            // the rules that were in force from the first reading to the second
	Cohorts       []mesh.Cohort              // of the load
	Loads         map[string]*loadgen.Result // what they saw, by name
	Settled       bool                       // no request of the window was under way at the second reading
}

// Window is what both readings and the access logs say together of the time
// between the readings. It is made once, and all that is told of a window is read
// from it.
type Window struct {
	Observed
	pairs      []pair
	versions   map[string]string // by address of a workload
	length     time.Duration
	namespaces []string         // of the services
	delayed    []string         // hosts with a delay in force
	incomplete map[string]error // by proxy: why its log is no evidence, though it was read
	gap        string           // why nothing can be said of this window
}

// Read makes the window of two readings. Where the access logs are evidence of it,
// AwaitLines comes next.
func Read(o Observed) *Window {
	w := &Window{
		Observed:   o,
		versions:   map[string]string{},
		length:     o.After.taken.Sub(o.Before.taken),
		namespaces: namespacesOf(o.Services),
		delayed:    rules.Delayed(o.Objects),
		incomplete: map[string]error{},
	}
	for _, b := range o.Before.readings {
		p := newPair(b, o.After.of(b.proxy.Name), w.length)
		w.pairs = append(w.pairs, p)
		w.versions[b.proxy.Address] = b.proxy.Version
	}
	w.gap = w.unsteady()
	return w
}

// unsteady says why nothing can be said of a window; empty: there is no reason.
func (w *Window) unsteady() string {
	for _, p := range w.pairs {
		if p.gap != "" {
			return p.gap
		}
	}
	for _, a := range w.After.readings {
		if w.Before.of(a.proxy.Name) == nil {
			return fmt.Sprintf("the proxy %s appeared during the window; run again when the workloads are steady", a.proxy.Name)
		}
	}
	if len(w.pairs) == 0 {
		return "there are no proxies to read; are the workloads injected with sidecars?"
	}
	return ""
}

// Gap says why nothing can be said of the window: a proxy came, went or was
// restarted while it lasted, or could not be read. Empty: there is no such.
func (w *Window) Gap() string { return w.gap }

// AwaitLines waits until the access logs have a line of each request that had
// ended at the given time: delay is how late a line may come, and the endpoints'
// counts of the second reading say how many there are at least. Lines that do not
// come in time make a log no evidence. The error is that of an ended ctx.
func (w *Window) AwaitLines(ctx context.Context, ended time.Time, delay time.Duration) error {
	if w.Log == nil {
		return nil
	}
	if err := pauseUntil(ctx, ended.Add(delay)); err != nil {
		return err
	}
	return w.awaitCounted(ctx, time.Now().Add(lateness))
}

// awaitCounted waits until the access logs have a line of each request that /clusters
// counted, or the deadline is over.
func (w *Window) awaitCounted(ctx context.Context, deadline time.Time) error {
	pause := time.Millisecond // most lines are there at once
	for !w.allLogged() && time.Now().Before(deadline) {
		if err := pauseUntil(ctx, time.Now().Add(pause)); err != nil {
			return err
		}
		pause = min(2*pause, settlePoll)
	}
	return ctx.Err()
}

// allLogged says whether every log that is read has a line of each request that
// /clusters counted, and keeps why one has not. Lines only become more, so one
// that had them is not counted again.
func (w *Window) allLogged() bool {
	all := true
	for _, p := range w.pairs {
		name := p.proxy.Name
		if why, counted := w.incomplete[name]; p.gap != "" || counted && why == nil {
			continue
		}
		w.incomplete[name] = w.complete(p)
		all = all && w.incomplete[name] == nil
	}
	return all
}

// namespacesOf are those of services.
func namespacesOf(services []mesh.Service) []string {
	var all []string
	for _, s := range services {
		if _, namespace, ok := rules.InCluster(s.Host); ok && !slices.Contains(all, namespace) {
			all = append(all, namespace)
		}
	}
	return all
}

// service returns the service that a scenario calls so, or that has the host.
func (w *Window) service(name string) (mesh.Service, bool) {
	host := rules.Qualified(name, w.Namespace, w.namespaces...)
	i := slices.IndexFunc(w.Services, func(s mesh.Service) bool { return s.Name == name || s.Host == host })
	if i < 0 {
		return mesh.Service{}, false
	}
	return w.Services[i], true
}
