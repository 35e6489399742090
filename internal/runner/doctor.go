package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/evidence"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/plural"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// The states of a Finding.
const (
	Fine    = "ok"
	Warning = "warning" // a run can do with it
	Wrong   = "wrong"   // a run that has to do with it is refused
)

// Finding is one thing that Examine has to say of a namespace.
type Finding struct {
	About string `json:"about"` // rights, services, sidecars, rules, neighbours, runs, access logs
	State string `json:"state"`
	Words string `json:"words"`
}

// examination is a namespace that is looked at without a scenario.
type examination struct {
	mesh.Mesh
	services []mesh.Service
	objects  []*rules.Object
	found    []Finding
}

// Examine says of a namespace, without a scenario, what a run in it would be refused
// for, and what it would warn of. It writes nothing. The error is that the mesh did not
// answer.
func Examine(ctx context.Context, m mesh.Mesh) ([]Finding, error) {
	e := &examination{Mesh: m}
	if err := e.rights(ctx); err != nil {
		return e.found, err
	}
	var err error
	if e.services, err = m.Services(ctx); err != nil {
		return e.found, err
	}
	if e.objects, err = m.Objects(ctx); err != nil {
		return e.found, err
	}
	for _, look := range []func(context.Context) error{e.endpoints, e.sidecars, e.rules, e.neighbours, e.runs, e.accessLogs} {
		if err := look(ctx); err != nil {
			return e.found, err
		}
	}
	return e.found, nil
}

// say adds what is to be said about a matter: that it is fine, if there is nothing else.
func (e *examination) say(about, fine string, wrong []error, warnings []string) {
	for _, err := range wrong {
		e.found = append(e.found, Finding{about, Wrong, err.Error()})
	}
	for _, words := range warnings {
		e.found = append(e.found, Finding{about, Warning, words})
	}
	if len(wrong)+len(warnings) == 0 {
		e.found = append(e.found, Finding{about, Fine, fine})
	}
}

// rights asks for those of a run, and whether Istio would take a rule: it is tried
// with a host that nobody has.
func (e *examination) rights(ctx context.Context) error {
	ref := func(kind string) rules.Ref {
		return rules.Ref{Kind: kind, Namespace: e.Info().Namespace, Name: "meshchaos-doctor"}
	}
	tried := []*rules.Object{
		{Ref: ref(rules.DestinationRule), APIVersion: "networking.istio.io/v1", Spec: &networking.DestinationRule{Host: "meshchaos-doctor"}},
		{Ref: ref(rules.VirtualService), APIVersion: "networking.istio.io/v1", Spec: &networking.VirtualService{
			Hosts: []string{"meshchaos-doctor"},
			Http:  []*networking.HTTPRoute{{Route: []*networking.HTTPRouteDestination{{Destination: &networking.Destination{Host: "meshchaos-doctor"}}}}},
		}},
	}
	var wrong []error
	for _, err := range []error{notAdmitted(ctx, e.Permits(ctx, mesh.Use{})), notAdmitted(ctx, e.Admit(ctx, tried))} {
		switch {
		case isRefused(err):
			wrong = append(wrong, apart(errors.Unwrap(err))...)
		case err != nil:
			return err
		}
	}
	var warnings []string
	if err := notAdmitted(ctx, e.Permits(ctx, mesh.Use{Gateway: true})); isRefused(err) && len(wrong) == 0 {
		warnings = append(warnings, "for load that enters at the ingress gateway: "+err.Error())
	}
	e.say("rights", "this user may do what a run needs, and Istio's webhook answers", wrong, warnings)
	return nil
}

// endpoints names the services that nobody is behind.
func (e *examination) endpoints(context.Context) error {
	var empty []string
	for _, s := range e.services {
		if s.Ready != nil && len(s.Ready) == 0 {
			empty = append(empty, s.Name)
		}
	}
	var wrong []error
	if len(e.services) == 0 {
		wrong = append(wrong, fmt.Errorf("the namespace %s has no service; name another by --namespace", e.Info().Namespace))
	}
	var warnings []string
	if len(empty) > 0 {
		warnings = append(warnings, "these services have no ready pod: "+strings.Join(empty, ", "))
	}
	e.say("services", fmt.Sprintf("%d, each with a ready pod", len(e.services)), wrong, warnings)
	return nil
}

func (e *examination) sidecars(ctx context.Context) error {
	wrong, warnings, err := e.Inspect(ctx, hostsOf(e.services))
	if err != nil {
		return err
	}
	if len(wrong) == 0 && !slices.ContainsFunc(e.services, func(s mesh.Service) bool { return s.Ready == nil || len(s.Ready) > 0 }) {
		warnings = append(warnings, "no ready pod is behind a service, so that nothing shows whether pods of this namespace get one")
	}
	e.say("sidecars", "every ready pod behind a service has one", wrong, warnings)
	return nil
}

// rules names the objects of the namespace that a run could not change.
func (e *examination) rules(ctx context.Context) error {
	wrong, err := marked(ctx, e.Mesh, e.objects)
	if err != nil {
		return err
	}
	for i, o := range e.objects {
		if err := notOurs(o, false); err != nil {
			wrong = append(wrong, err)
		}
		if other, host := rules.Rival(o, e.objects[:i]); other != nil {
			wrong = append(wrong, fmt.Errorf("%s and %s both have the host %s, of which sidecars follow only the first created (istio/istio#36621); merge them into one", other.Ref, o.Ref, host))
		}
		if other := rules.Twin(o, e.objects[:i]); other != nil {
			wrong = append(wrong, fmt.Errorf("%s and %s both have the host %s, and which policy wins depends on their age; merge them into one", other.Ref, o.Ref, rules.Hosts(o)[0]))
		}
	}
	fine := "there is none"
	if len(e.objects) > 0 {
		fine = plural.Of(len(e.objects), "object") + ", and no agent of GitOps and no controller keeps any as it is"
	}
	e.say("rules", fine, wrong, nil)
	return nil
}

// neighbours names the objects of other namespaces that are for the services.
func (e *examination) neighbours(ctx context.Context) error {
	others, all, err := e.Elsewhere(ctx, hostsOf(e.services))
	if err != nil {
		return err
	}
	var warnings []string
	if !all {
		warnings = append(warnings, unseenElsewhere)
	}
	for _, o := range others {
		warnings = append(warnings, fmt.Sprintf("%s is for %s, services of this namespace too; a run that writes a rule of that kind for them may be refused", o.Ref, strings.Join(rules.Hosts(o), ", ")))
	}
	e.say("neighbours", "no rule of another namespace is for the services of this one", nil, warnings)
	return nil
}

// runs names those that are under way, or have left something.
func (e *examination) runs(ctx context.Context) error {
	ledgers, err := e.Ledgers(ctx)
	if err != nil {
		return err
	}
	holders, err := e.Holders(ctx, nil)
	if err != nil {
		return err
	}
	for _, l := range ledgers {
		holders = append(holders, l.Holder(e.Info().Namespace))
	}
	var wrong []error
	var warnings []string
	for _, h := range holders {
		busy := &BusyError{h}
		if h.Alive() {
			warnings = append(warnings, busy.Error())
		} else {
			wrong = append(wrong, busy)
		}
	}
	e.say("runs", "none is under way, and none has left anything", wrong, warnings)
	return nil
}

// accessLogs says who writes none.
func (e *examination) accessLogs(ctx context.Context) error {
	proxies, err := e.Proxies(ctx)
	if err != nil {
		return err
	}
	off, _, err := new(evidence.Logging).Unlogged(ctx, proxies, e.services)
	var warnings []string
	switch {
	case err != nil:
		warnings = append(warnings, fmt.Sprintf("how the proxies log is not known: %v", err))
	case len(proxies) == 0:
		warnings = append(warnings, "there is no proxy")
	case len(off) > 0:
		var names []string
		for _, p := range off {
			names = append(names, p.Name)
		}
		warnings = append(warnings, "these proxies do not write a line for every request to stdout, and a run has them do so by a Telemetry while it lasts: "+strings.Join(names, ", "))
	}
	e.say("access logs", fmt.Sprintf("every proxy writes them, %d of %[1]d", len(proxies)), nil, warnings)
	return nil
}
