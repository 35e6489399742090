package runner

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/nearest"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/scenarios"
)

// there is what a mesh has behind the names that rules and load name.
type there struct {
	namespace string   // of the run
	further   []string // that the mesh spans beside it
	services  []mesh.Service
	workloads []string                // that load may be from; nil: nobody has looked
	nobody    []scenarios.NoEndpoints // where the scenario means to send to nobody
	closed    bool
	beyond    Beyond
	dropped   []subset // that a stage takes away though something leads there
}

// rule says what an object names that is not there, and that the object before
// it did not name: what it had already is none of the run's.
func (t there) rule(before, after *rules.Object, objects []*rules.Object) error {
	var named []rules.Target
	if before != nil {
		named = rules.Targets(before)
	}
	var wrong []error
	for _, target := range rules.Targets(after) {
		had := slices.ContainsFunc(named, func(n rules.Target) bool {
			n.Path = target.Path
			return n == target
		})
		if had {
			continue
		}
		awaited := target.For && t.added(after, target.Host)
		if err := t.target(target, objects); err != nil && !awaited {
			wrong = append(wrong, wrongField(after.Ref, target.Path, "%w", err))
		}
	}
	if len(wrong) == 0 { // else it is known already what the rest comes of
		wrong = append(wrong, t.gateways(before, after, objects), t.delegates(before, after, objects), t.exported(before, after), t.followed(before, after), t.stillLed(before, after, objects))
	}
	return errors.Join(wrong...)
}

// added says whether proxies follow a VirtualService for a host that nobody has:
// Istio serves it on the ports of the rule's other hosts, or if nobody has any of
// them, on port 80. A name within the cluster is none of these: it is misspelt.
func (t there) added(o *rules.Object, host string) bool {
	misspelt := strings.HasSuffix(strings.TrimSuffix(host, "."), ".svc.cluster.local") ||
		slices.ContainsFunc(t.services, func(s mesh.Service) bool { return s.Host == t.qualified(host) })
	if t.closed || misspelt || o.Kind != rules.VirtualService {
		return false
	}
	return t.beyond.Web || slices.ContainsFunc(rules.Hosts(o), func(other string) bool {
		_, err := t.service(other)
		return err == nil
	})
}

func (t there) target(target rules.Target, objects []*rules.Object) error {
	service, err := t.service(target.Host)
	if err != nil && !target.For && t.meant(target.Host, "") {
		return nil
	}
	if err == nil && service == nil && t.beyond.Known && target.Path == "spec.host" && strings.HasPrefix(target.Host, "*") {
		return fmt.Errorf("the host %s is a wildcard, and no proxy shows which policies come of it; name a service", target.Host)
	}
	if service == nil {
		return err
	}
	if target.Port != 0 {
		if err := hasPort(service, fmt.Sprint(target.Port)); err != nil {
			return err
		}
	}
	if !target.Sent || t.meant(service.Host, target.Subset) {
		return nil
	}
	if target.Subset == "" {
		return hasPods(service)
	}
	labels, ok := rules.Labels(objects, target.Host, target.Subset)
	if !ok {
		return fmt.Errorf("no DestinationRule of %s has the subset %s; add it to one, or correct the name", service.Name, target.Subset)
	}
	if service.Ready == nil || t.meant(service.Host, labels["version"]) || anyReady(service, labels) {
		return nil
	}
	return fmt.Errorf("the subset %s of %s has no ready pod (%s); %s; %s", target.Subset, service.Name, rules.WordPairs(labels), wordReady(service, labels), sayNobody(service, target.Subset))
}

// service returns the service of a host; nil without an error for a host of which
// nobody here knows whether it is there, and for a wildcard of some that are.
func (t there) service(host string) (*mesh.Service, error) {
	for _, all := range [][]mesh.Service{t.services, t.beyond.Services} {
		if i := slices.IndexFunc(all, func(s mesh.Service) bool { return s.Host == host }); i >= 0 {
			return &all[i], nil
		}
	}
	short, namespace, _ := rules.InCluster(host)
	overlaps := func(s mesh.Service) bool { return rules.Overlap(s.Host, host) }
	switch {
	case t.spans(namespace):
		return nil, fmt.Errorf("the namespace %s has no service %q; %s", namespace, short, t.another(rules.Short(host, t.namespace)))
	case !t.beyond.Known, slices.ContainsFunc(t.services, overlaps), slices.ContainsFunc(t.beyond.Services, overlaps):
		return nil, nil
	}
	first, _, _ := strings.Cut(host, ".")
	return nil, fmt.Errorf("the mesh knows no host %q: no service and no ServiceEntry has it; %s", host, nearest.Hint(first, t.names()))
}

// another names the service that is most likely meant, or says how a namespace is named
// that may have it: without --namespace it is the kubeconfig's.
func (t there) another(name string) string {
	hint := nearest.Hint(name, t.names())
	if t.closed || nearest.Word(name, t.names()) != "" {
		return hint
	}
	return hint + "; is it in another namespace (--namespace)?"
}

// qualified is the fully qualified name of a host that the scenario names.
func (t there) qualified(host string) string {
	return rules.Qualified(host, t.namespace, t.further...)
}

// spans says whether the services of a namespace are all known.
func (t there) spans(namespace string) bool {
	return namespace != "" && (namespace == t.namespace || slices.Contains(t.further, namespace))
}

func (t there) names() []string {
	names := make([]string, len(t.services))
	for i, s := range t.services {
		names[i] = s.Name
	}
	return names
}

// ports are those of the service of a host; none of one that nobody here knows.
func (t there) ports(host string) []int {
	service, err := t.service(host)
	if err != nil || service == nil {
		return nil
	}
	var ports []int
	for _, p := range service.Ports {
		ports = append(ports, p.Number)
	}
	return ports
}

// meant says whether the scenario says that nobody is behind a host, or behind
// a subset of it.
func (t there) meant(host, subset string) bool {
	return slices.ContainsFunc(t.nobody, func(n scenarios.NoEndpoints) bool {
		return t.qualified(n.Service) == host && (n.Subset == "" || n.Subset == subset)
	})
}

// load says what a cohort calls that is not there, the objects being those of its
// step. A longer name may be of another namespace.
func (t there) load(cohort mesh.Cohort, objects []*rules.Object) error {
	host, port, err := cohort.Plan.Address()
	if err != nil {
		return nil // Validate has seen to the address
	}
	if cohort.From == mesh.FromGateway {
		err = t.entrance(port, objects)
	} else {
		err = errors.Join(t.address(t.qualified(host), port), t.opens(cohort, host, port))
	}
	if err != nil {
		return fmt.Errorf("checking the load %s: %w", cohort.Name, err)
	}
	return nil
}

// opens says that no WebSocket comes through to the address that a cohort opens some at.
func (t there) opens(cohort mesh.Cohort, host, port string) error {
	service, _ := t.service(t.qualified(host))
	if service == nil || cohort.Plan.HTTP == nil || !cohort.Plan.HTTP.IsWebSocket() {
		return nil
	}
	for _, p := range service.Ports {
		if p.NoWebSocket && strconv.Itoa(p.Number) == port {
			return fmt.Errorf("this mesh speaks HTTP/2 to %s:%d, and carries WebSocket over HTTP/1.1 alone; call a port whose name begins with http", service.Name, p.Number)
		}
	}
	return nil
}

// lender says that there is no workload of which a cohort takes the labels and the
// service account.
func (t there) lender(cohort mesh.Cohort) error {
	workload := cohort.Borrows()
	if workload == "" || t.workloads == nil || slices.Contains(t.workloads, workload) {
		return nil
	}
	choice := append([]string{mesh.FromClient, mesh.FromGateway}, t.workloads...)
	return fmt.Errorf("checking the load %s: the namespace %s has no workload %q with a ready pod and a sidecar; %s",
		cohort.Name, t.namespace, workload, nearest.Hint(workload, choice))
}

// address says what is not there of an address that the load workload calls.
func (t there) address(host, port string) error {
	service, err := t.service(host)
	_, namespace, _ := rules.InCluster(host)
	own := t.spans(namespace)
	switch {
	case t.closed && err != nil && !own:
		return fmt.Errorf("this mesh has no %s, and no world outside; it has %s", host, strings.Join(t.names(), ", "))
	case t.closed && err != nil:
		return err
	case service == nil && (!own || t.meant(host, "")):
		return nil
	case err != nil:
		return err
	}
	return errors.Join(hasPort(service, port), t.reached(service))
}

func (t there) reached(service *mesh.Service) error {
	if t.meant(service.Host, "") {
		return nil
	}
	return hasPods(service)
}

// untrue says which entries of noEndpoints name somebody who is there.
func (t there) untrue(objects []*rules.Object) error {
	var wrong []error
	for _, n := range t.nobody {
		host := t.qualified(n.Service)
		i := slices.IndexFunc(t.services, func(s mesh.Service) bool { return s.Host == host })
		if i < 0 || slices.Contains(t.dropped, subset{host, n.Subset}) {
			continue
		}
		labels, ok := rules.Labels(objects, host, n.Subset)
		if !ok && n.Subset != "" {
			labels = map[string]string{"version": n.Subset}
		}
		if anyReady(&t.services[i], labels) {
			wrong = append(wrong, n.Wrong(fmt.Errorf("%s has a ready pod (%s); take the entry out", n.Service, cmp.Or(rules.WordPairs(labels), "any"))))
		}
	}
	return errors.Join(wrong...)
}

func hasPort(service *mesh.Service, port string) error {
	if slices.ContainsFunc(service.Ports, func(p mesh.Port) bool { return fmt.Sprint(p.Number) == port }) {
		return nil
	}
	return fmt.Errorf("the service %s has no port %s; it has %s", service.Name, port, wordPorts(service))
}

func hasPods(service *mesh.Service) error {
	if service.Ready == nil || len(service.Ready) > 0 {
		return nil
	}
	return fmt.Errorf("the service %s has no ready pod; %s", service.Name, sayNobody(service, ""))
}

// anyReady says whether a pod with the labels is ready.
func anyReady(service *mesh.Service, labels map[string]string) bool {
	return slices.ContainsFunc(service.Ready, func(pod map[string]string) bool { return rules.Selects(labels, pod) })
}

func wordPorts(service *mesh.Service) string {
	words := make([]string, len(service.Ports))
	for i, p := range service.Ports {
		words[i] = fmt.Sprint(p.Number)
	}
	return cmp.Or(strings.Join(words, ", "), "none")
}

// wordReady words what ready pods have for the labels that a subset asks for.
func wordReady(service *mesh.Service, labels map[string]string) string {
	var words []string
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		values := map[string]bool{}
		for _, pod := range service.Ready {
			if value := pod[key]; value != "" {
				values[value] = true
			}
		}
		words = append(words, key+": "+cmp.Or(strings.Join(slices.Sorted(maps.Keys(values)), ", "), "none"))
	}
	return "those that are ready have " + cmp.Or(strings.Join(words, "; "), "no labels")
}

// sayNobody is how to say that requests are to be answered by nobody.
func sayNobody(service *mesh.Service, subset string) string {
	entry := "service: " + service.Name
	if subset != "" {
		entry += ", subset: " + subset
	}
	return "if nobody is to be there, say so: noEndpoints: [{" + entry + "}]"
}
