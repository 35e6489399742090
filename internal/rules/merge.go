package rules

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/nearest"
)

// newAPIVersion is that of the objects that Merge creates.
const newAPIVersion = "networking.istio.io/v1"

// managedBy is the label by which objects that Merge created are found.
const managedBy = "app.kubernetes.io/managed-by"

// Merge works intents, in their order, into the objects that own the hosts, and
// returns the changes in the order to write them: DestinationRules before the
// VirtualServices that name their subsets. Undo them in reverse.
//
// Sidecars do not merge VirtualServices of one host (istio/istio#36621), so the
// one that has the host is edited; a new one, meshchaos-SERVICE, is made only
// where there is none. What cannot be edited without touching the requests of
// another host, or without the outcome being in doubt, is refused with the
// reason: an owner with several hosts or delegates, two owners, a wildcard.
//
// An intent with when or sourceLabels puts, before each http entry of the owner, a
// copy whose every match is ANDed with them and that is otherwise the same, and
// edits the copy; without either it edits the entries. One with gateways edits the
// entries that lead to the service in the VirtualService bound to each of them.
//
// A Route replaces the destinations. It makes a subset named after the version and
// with the sole label version where the DestinationRule has none of that name. A
// Breaker sets its fields in the DestinationRule's connectionPool and
// outlierDetection, and in those of its subsets, which would otherwise hide them.
//
// A service that is opaque TCP takes none that is about requests: a Route, or a
// Fault. The objects are all those in force in the namespace, the services all
// that it has; both may be of further namespaces, whose services an intent names as
// reviews.shop. A rule for one of these is made in its own namespace, where what owns its
// host is looked for. The objects are not touched.
func Merge(objects []*Object, services []Service, namespace string, intents []Intent) ([]Change, error) {
	d := draft{services: services, home: namespace}
	for _, o := range objects {
		d.objects = append(d.objects, o.Clone())
	}
	for _, intent := range intents {
		if err := d.merge(intent); err != nil {
			return nil, fmt.Errorf("merging %s: %w", intent, err)
		}
	}
	return changes(objects, d.objects), nil
}

// Service is a service that rules are for.
type Service struct {
	Name      string // short: ratings
	Namespace string // empty: that of the run
	TCP       bool   // none of its ports is HTTP, as Istio's protocol selection has it
}

// draft is the objects in force while intents are merged into them.
type draft struct {
	services  []Service
	home      string // the namespace of the run
	namespace string // that of the service whose rules are merged
	objects   []*Object
}

func (d *draft) merge(intent Intent) error {
	if err := intent.Check(); err != nil {
		return err
	}
	for _, name := range intent.Services() {
		service, err := d.service(name)
		if err != nil {
			return err
		}
		d.namespace = cmp.Or(service.Namespace, d.home)
		if err := intent.merge(d, service); err != nil {
			return err
		}
	}
	return nil
}

func inObject(o *Object, err error) error {
	if err != nil {
		return fmt.Errorf("editing %s: %w", o.Ref, err)
	}
	return nil
}

// service returns a service by its short name, if it is of the run's namespace, as
// name.namespace, or by its fully qualified name.
func (d *draft) service(name string) (Service, error) {
	short, namespace := splitName(name)
	namespace = cmp.Or(namespace, d.home)
	var names []string
	for _, s := range d.services {
		if cmp.Or(s.Namespace, d.home) != namespace {
			continue
		}
		if s.Name == short {
			return s, nil
		}
		names = append(names, s.Name)
	}
	if len(names) == 0 {
		return Service{}, fmt.Errorf("finding the service %q: of the namespace %s no service is known", name, namespace)
	}
	err := fmt.Errorf("the namespace %s has no service %q; it has %s", namespace, name, strings.Join(names, ", "))
	if meant := nearest.Word(short, names); meant != "" {
		err = fmt.Errorf("%w; did you mean %s?", err, meant)
	}
	return Service{}, err
}

// virtualService returns the VirtualService that sidecars follow for a service,
// a new one if there is none.
func (d *draft) virtualService(service string) (*Object, error) {
	host := FQDN(service, d.namespace)
	var owner *Object
	for _, o := range d.objects {
		vs, ok := o.Spec.(*networking.VirtualService)
		if !ok || o.Namespace != d.namespace || !inSidecars(vs) {
			continue
		}
		for _, h := range Hosts(o) {
			switch {
			case !covers(h, host):
			case h != host:
				return nil, fmt.Errorf("%s has the wildcard host %s, which stands for other services too; apply a VirtualService of your own instead", o.Ref, h)
			case owner != nil:
				return nil, fmt.Errorf("%s and %s both have the host %s, of which sidecars follow only the first created (istio/istio#36621); merge them into one", owner.Ref, o.Ref, host)
			default:
				owner = o
			}
		}
	}
	if owner == nil {
		return d.create(VirtualService, service, &networking.VirtualService{
			Hosts: []string{service},
			Http:  []*networking.HTTPRoute{{Route: []*networking.HTTPRouteDestination{{Destination: &networking.Destination{Host: service}}}}},
		})
	}
	return owner, inObject(owner, editable(owner))
}

// editable says why a VirtualService cannot be edited for one host alone.
func editable(o *Object) error {
	vs := o.Spec.(*networking.VirtualService)
	if hosts := Hosts(o); len(hosts) > 1 {
		return fmt.Errorf("it has several hosts (%s), and all would be changed; give the service a VirtualService of its own", strings.Join(hosts, ", "))
	}
	if len(vs.Http) == 0 {
		return errors.New("it has no http entries to edit, only tcp or tls; apply a VirtualService of your own instead")
	}
	for i, entry := range vs.Http {
		if entry.GetDelegate() != nil {
			return fmt.Errorf("its spec.http[%d] delegates to %s, where others may delegate too; apply a VirtualService of your own instead", i, entry.Delegate.Name)
		}
	}
	return nil
}

// destinationRule returns the DestinationRule of a service, a new one if there
// is none.
func (d *draft) destinationRule(service string) (*Object, error) {
	host := FQDN(service, d.namespace)
	var owner *Object
	for _, o := range d.objects {
		rule, ok := o.Spec.(*networking.DestinationRule)
		if !ok || o.Namespace != d.namespace || !covers(FQDN(rule.Host, d.namespace), host) {
			continue
		}
		switch {
		case FQDN(rule.Host, d.namespace) != host:
			return nil, fmt.Errorf("%s has the wildcard host %s, whose policy a rule for %s alone would hide; give the service a DestinationRule of its own", o.Ref, rule.Host, service)
		case rule.WorkloadSelector != nil:
			return nil, fmt.Errorf("%s has a workloadSelector, so that only some clients follow it; apply a DestinationRule of your own instead", o.Ref)
		case owner != nil:
			return nil, fmt.Errorf("%s and %s both have the host %s, and which policy wins depends on their age; merge them into one", owner.Ref, o.Ref, host)
		}
		owner = o
	}
	if owner == nil {
		return d.create(DestinationRule, service, &networking.DestinationRule{Host: service})
	}
	return owner, nil
}

// create adds an object for a service that has none of the kind.
func (d *draft) create(kind, service string, spec proto.Message) (*Object, error) {
	o := &Object{
		Ref:        Ref{Kind: kind, Namespace: d.namespace, Name: "meshchaos-" + service},
		APIVersion: newAPIVersion,
		Labels:     map[string]string{managedBy: "meshchaos"},
		Spec:       spec,
	}
	if Find(d.objects, o.Ref) != nil {
		return nil, fmt.Errorf("creating %s: there is one already, and it does not own the host %s; rename or delete it", o.Ref, service)
	}
	d.objects = append(d.objects, o)
	return o, nil
}

// changes lists the objects that differ from what they were, in the order to
// write them.
func changes(before, after []*Object) []Change {
	var out []Change
	for _, o := range after {
		was := Find(before, o.Ref)
		switch {
		case was == nil:
			out = append(out, Change{After: o})
		case !Equal(was, o):
			o.Manifest, o.ResourceVersion = nil, ""
			out = append(out, Change{Before: was, After: o})
		}
	}
	slices.SortStableFunc(out, InWritingOrder)
	return out
}
