package runner

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/meshchaos/meshchaos/internal/journal"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// heard is what the mesh told of itself since the run listens.
type heard struct {
	mu     sync.Mutex
	events []mesh.Event
	lost   []string
}

func (h *heard) hear(e mesh.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e.Lost != "" {
		h.lost = append(h.lost, e.Lost)
		return
	}
	h.events = append(h.events, e)
}

func (h *heard) len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.events)
}

// from returns the events since there were n, and what is not heard any more.
func (h *heard) from(n int) (events []mesh.Event, lost []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.events[n:]), slices.Clone(h.lost)
}

// listen hears of whatever changes from now on until ctx ends. A listing at the
// ends of a window would miss what comes and goes in between.
func (r *run) listen(ctx context.Context) error {
	traffic := mesh.Traffic{Gateway: entersAtGateway(r.scenario)}
	for _, s := range r.services {
		traffic.Hosts = append(traffic.Hosts, s.Host)
	}
	for _, step := range r.scenario.Steps {
		for _, c := range step.Cohorts {
			if host, _, err := c.Plan.Address(); err == nil {
				traffic.Hosts = append(traffic.Hosts, rules.FQDN(host, r.mesh.Info().Namespace))
			}
		}
	}
	unseen, err := r.mesh.Follow(ctx, traffic, r.heard.hear)
	if err != nil {
		return fmt.Errorf("following what others change in the mesh: %w", err)
	}
	for _, what := range unseen {
		r.record.Warnings = append(r.record.Warnings, what+"; what somebody changes there during a load, and changes back, would go unseen")
	}
	return nil
}

// meddling says what is not as the run knows it to be, and what else happened
// since it had heard of so many events: somebody else changed the mesh, and what
// was observed is of both.
func (r *run) meddling(ctx context.Context, since int) ([]string, error) {
	found, err := r.differing(ctx)
	if err != nil {
		return nil, err
	}
	events, lost := r.heard.from(since)
	for ref, did := range r.others(events) {
		switch {
		case found[ref] != "":
		case ref.Kind == podKind:
			found[ref] = fmt.Sprintf("%s %s meanwhile; run again when the workloads are steady", ref, did)
		default:
			found[ref] = fmt.Sprintf("%s %s meanwhile, by somebody else; %s", ref, did, alone)
		}
	}
	var all []string
	for _, what := range found {
		all = append(all, what)
	}
	for _, why := range lost {
		all = append(all, why+", so nobody knows what else was changed meanwhile; run again")
	}
	slices.Sort(all)
	return all, nil
}

const (
	podKind = "Pod"
	alone   = "nobody else may change what acts on the traffic during a run: run again"
)

// others words what the events did to each object that is not the run's own doing.
func (r *run) others(events []mesh.Event) map[rules.Ref]string {
	all := map[rules.Ref]string{}
	for _, e := range events {
		known := r.current[e.Ref]
		switch {
		case e.Ref.Kind == rules.Telemetry && r.foreign(e.Ref):
		case known != nil && known.ResourceVersion == e.Version: // a write of the run's own that was heard of late
		case known == nil && e.Did == mesh.Deleted && all[e.Ref] == "" && r.book.ledger.Find(e.Ref) != nil:
		case all[e.Ref] == "":
			all[e.Ref] = e.Did
		case !strings.HasSuffix(all[e.Ref], e.Did):
			all[e.Ref] += ", then " + e.Did
		}
	}
	return all
}

// differing says of the rules of the namespace what is not as the run knows it to
// be.
func (r *run) differing(ctx context.Context) (map[rules.Ref]string, error) {
	objects, err := r.mesh.Objects(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the rules after the load: %w", err)
	}
	found := map[rules.Ref]string{}
	add := func(ref rules.Ref, did string) { found[ref] = fmt.Sprintf("%s %s; %s", ref, did, alone) }
	for _, now := range objects {
		switch known := r.current[now.Ref]; {
		case r.foreign(now.Ref):
		case known == nil:
			add(now.Ref, "was created by somebody else meanwhile"+byWhom(nil, now))
		case !rules.Equal(known, now):
			add(now.Ref, "was changed by somebody else meanwhile"+byWhom(known, now))
		case rules.Rewritten(known, now):
			add(now.Ref, "was changed by somebody else meanwhile"+byWhom(known, now)+", and changed back")
		}
	}
	for ref, known := range r.current {
		if known != nil && !r.foreign(ref) && rules.Find(objects, ref) == nil {
			add(ref, "was deleted by somebody else meanwhile")
		}
	}
	return found, nil
}

// byWhom words who has written an object; empty: its manifest does not tell.
func byWhom(known, now *rules.Object) string {
	if names := journal.Authors(known, now); len(names) > 0 {
		return " (" + strings.Join(names, ", ") + ")"
	}
	return ""
}

// foreign says whether an object is in a namespace in which the run has written
// nothing, that of a gateway: others may switch logs there as they like.
func (r *run) foreign(ref rules.Ref) bool {
	return ref.Namespace != r.mesh.Info().Namespace &&
		!slices.ContainsFunc(r.book.refs(), func(own rules.Ref) bool { return own.Namespace == ref.Namespace })
}
