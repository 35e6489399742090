package runner

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/meshchaos/meshchaos/internal/journal"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// heard is what the mesh told of itself since the run listens.
type heard struct {
	news chan struct{} // there is something that was not there before

	mu     sync.Mutex
	events []mesh.Event
	lost   []string
}

func (h *heard) hear(e mesh.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e.Lost != "" {
		h.lost = append(h.lost, e.Lost)
	} else {
		h.events = append(h.events, e)
	}
	select {
	case h.news <- struct{}{}:
	default:
	}
}

func (h *heard) len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.events)
}

// from returns the events, and what is not heard any more. Of pods it has those since
// there were n: which of them serve as a window begins is read by then. A rule that
// somebody changed between two windows makes the one differ from the other.
func (h *heard) from(n int) (events []mesh.Event, lost []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, e := range h.events {
		if i >= n || e.Ref.Kind != podKind {
			events = append(events, e)
		}
	}
	return events, slices.Clone(h.lost)
}

// listen hears of whatever changes from now on until ctx ends. A listing at the
// ends of a window would miss what comes and goes in between.
func (r *run) listen(ctx context.Context) error {
	traffic := mesh.Traffic{Gateway: entersAtGateway(r.scenario)}
	traffic.Hosts = append(hostsOf(r.services), called(cohortsOf(r.scenario), r.mesh.Info())...)
	unseen, err := r.mesh.Follow(ctx, traffic, r.heard.hear)
	if err != nil {
		return fmt.Errorf("following what others change in the mesh: %w", err)
	}
	for _, what := range unseen {
		r.record.Warnings = append(r.record.Warnings, what+"; what somebody changes there during a load, and changes back, would go unseen")
	}
	return nil
}

// meddling says what is not as the run knows it to be, and what else happened, to
// pods since it had heard of so many events: somebody else changed the mesh, and what
// was observed is of both.
func (r *run) meddling(ctx context.Context, since int) ([]string, error) {
	found, err := r.differing(ctx)
	if err != nil {
		return nil, err
	}
	events, lost := r.heard.from(since)
	for ref, one := range r.others(events) {
		switch {
		case found[ref] != "":
		case ref.Kind == podKind:
			found[ref] = fmt.Sprintf("%s %s meanwhile; run again when the workloads are steady", ref, one.did)
		default:
			found[ref] = fmt.Sprintf("%s %s meanwhile, by somebody else%s; %s", ref, one.did, inBrackets(one.by), alone)
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

// doing is what others did to an object, worded, and who they were, as far as is known.
type doing struct {
	did string
	by  []string
}

// others returns, of each object, what the events did to it that is not the run's own
// doing.
func (r *run) others(events []mesh.Event) map[rules.Ref]doing {
	all := map[rules.Ref]doing{}
	for _, e := range events {
		one := all[e.Ref]
		switch {
		case e.Ref.Kind == rules.Telemetry && r.foreign(e.Ref):
			continue
		case r.knew(e):
			continue
		case r.current[e.Ref] == nil && e.Did == mesh.Deleted && one.did == "" && r.book.ledger.Find(e.Ref) != nil:
			continue
		case one.did == "":
			one.did = e.Did
		case !strings.HasSuffix(one.did, e.Did):
			one.did += ", then " + e.Did
		}
		one.by = sorted(append(one.by, e.By...))
		all[e.Ref] = one
	}
	return all
}

// knew says whether the run has written an object, or read it, as it was after an
// event or later: such an event is heard of late. Each write of the run checks the
// version that it knew, so nobody else can have come between.
//
// Resource versions of one resource count up (Kubernetes' API concepts, "Resource
// versions").
func (r *run) knew(e mesh.Event) bool {
	known := r.versions[e.Ref]
	if now := r.current[e.Ref]; now != nil {
		known = now.ResourceVersion
	}
	if e.Version == "" || known == e.Version {
		return e.Version != ""
	}
	at, unreadable := strconv.ParseUint(e.Version, 10, 64)
	upTo, none := strconv.ParseUint(known, 10, 64)
	return unreadable == nil && none == nil && at <= upTo
}

func sorted(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// hostsOf are those of services.
func hostsOf(services []mesh.Service) []string {
	hosts := make([]string, len(services))
	for i, s := range services {
		hosts[i] = s.Host
	}
	return hosts
}

// differing says of the rules of the namespaces what is not as the run knows it to
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
	return inBrackets(journal.Authors(known, now))
}

func inBrackets(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return " (" + strings.Join(names, ", ") + ")"
}

// foreign says whether an object is in a namespace that the mesh does not span and in
// which the run has written nothing, that of a gateway: others may switch logs there as they like.
func (r *run) foreign(ref rules.Ref) bool {
	info := r.mesh.Info()
	return ref.Namespace != info.Namespace && !slices.Contains(info.Further, ref.Namespace) &&
		!slices.ContainsFunc(r.book.refs(), func(own rules.Ref) bool { return own.Namespace == ref.Namespace })
}
