package rules

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

// Headers changes headers of the requests to services, and of the answers, in
// the proxies of their clients.
type Headers struct {
	Service      yamlnode.Names    `yaml:"service"`
	When         map[string]string `yaml:"when,omitempty" jsonschema_description:"Only requests with these headers."`
	SourceLabels map[string]string `yaml:"sourceLabels,omitempty" jsonschema_description:"Only requests of pods with these labels."`
	Gateways     yamlnode.Names    `yaml:"gateways,omitempty" jsonschema_description:"Only requests that enter by these gateways."`
	Request      HeaderOperations  `yaml:"request,omitempty" jsonschema_description:"As the service gets it."`
	Response     HeaderOperations  `yaml:"response,omitempty" jsonschema_description:"As the client gets it."`
}

// HeaderOperations are what is done to headers: first some are taken away, then
// some set, then some added.
type HeaderOperations struct {
	Set    map[string]string `yaml:"set,omitempty" jsonschema_description:"In the place of what there is."`
	Add    map[string]string `yaml:"add,omitempty" jsonschema_description:"Beside what there is."`
	Remove []string          `yaml:"remove,omitempty"`
}

// String implements Intent.
func (h *Headers) String() string { return "the headers of " + strings.Join(h.Service, ", ") }

// Services implements Intent.
func (h *Headers) Services() []string { return h.Service }

// Versions implements Intent: headers lead nowhere.
func (h *Headers) Versions() []string { return nil }

// Check implements Intent.
func (h *Headers) Check() error {
	if h.Request.empty() && h.Response.empty() {
		return errors.New("it changes no header; write request: {set: {x-name: value}}, or add, or remove")
	}
	if err := h.Request.check(); err != nil {
		return wrongKey("request", "request: %w", err)
	}
	if err := h.Response.check(); err != nil {
		return wrongKey("response", "response: %w", err)
	}
	return checkScope(h.Service, h.scope())
}

func (o *HeaderOperations) empty() bool { return len(o.Set)+len(o.Add)+len(o.Remove) == 0 }

func (o *HeaderOperations) check() error {
	seen := map[string]bool{}
	set, add := slices.Sorted(maps.Keys(o.Set)), slices.Sorted(maps.Keys(o.Add))
	for _, name := range slices.Concat(o.Remove, set, add) {
		lower := strings.ToLower(name)
		switch {
		case lower == "host":
			return errors.New("the host is no header to change here; take the intent rewrite with authority")
		case !headerName.MatchString(name):
			return fmt.Errorf("%q is not the name of a header; it takes letters, digits and -, and no space", name)
		case seen[lower]:
			return fmt.Errorf("the header %s stands twice; it is removed, set or added", lower)
		}
		seen[lower] = true
	}
	for _, values := range []map[string]string{o.Set, o.Add} {
		for _, name := range slices.Sorted(maps.Keys(values)) {
			switch value := values[name]; {
			case value == "":
				return fmt.Errorf("the header %s has no value, and Envoy leaves such out; give it one, or remove it", name)
			case strings.ContainsAny(value, "\x00\r\n"):
				return fmt.Errorf("the value of the header %s has a line break; write it in one line", name)
			}
		}
	}
	return nil
}

func (h *Headers) scope() scope { return scope{h.When, h.SourceLabels, h.Gateways} }

func (h *Headers) merge(d *draft, service Service) error {
	return d.edit(service, h.scope(), func(entry *networking.HTTPRoute) error {
		if entry.Headers == nil {
			entry.Headers = &networking.Headers{}
		}
		entry.Headers.Request = h.Request.onto(entry.Headers.Request)
		entry.Headers.Response = h.Response.onto(entry.Headers.Response)
		return nil
	})
}

// onto returns the operations of an entry with these among them. Of a header that
// is set or removed here nothing else is left to be done.
func (o *HeaderOperations) onto(have *networking.Headers_HeaderOperations) *networking.Headers_HeaderOperations {
	if o.empty() {
		return have
	}
	if have == nil {
		have = &networking.Headers_HeaderOperations{}
	}
	for _, name := range slices.Concat(o.Remove, slices.Collect(maps.Keys(o.Set))) {
		same := func(other string) bool { return strings.EqualFold(other, name) }
		have.Remove = slices.DeleteFunc(have.Remove, same)
		for _, values := range []map[string]string{have.Set, have.Add} {
			maps.DeleteFunc(values, func(other, _ string) bool { return same(other) })
		}
	}
	have.Remove = append(have.Remove, o.Remove...)
	have.Set, have.Add = union(have.Set, o.Set), union(have.Add, o.Add)
	return have
}

// The kinds of parts of headers.
const (
	PartRequestHeaders  = "request-headers"  // requests that got to an endpoint with what it sets or adds
	PartRequestRemoved  = "request-removed"  // requests that got to an endpoint and had had what it takes away
	PartResponseHeaders = "response-headers" // answers with what it sets or adds
	PartResponseRemoved = "response-removed" // answers that had what it takes away, which nothing shows
)

func headersParts() []entryPart {
	return []entryPart{
		{
			PartKind: PartKind{Name: PartRequestHeaders, None: "no request that got to an endpoint with them", Remedy: "let a cohort send requests that it matches, and nothing else answer them; or take it out"},
			in: headersIn(func(at Part, h *networking.Headers) []Part {
				return at.field(PartRequestHeaders, "headers.request", setsOrAdds(h.GetRequest()))
			}),
		},
		{
			PartKind: PartKind{Name: PartRequestRemoved, None: "no request that got to an endpoint and had had it", Remedy: "let a cohort send requests with it; or take it out"},
			in:       headersIn(removedParts),
		},
		{
			PartKind: PartKind{Name: PartResponseHeaders, None: "no answer that had them", Remedy: "let a cohort send requests that it matches, and wait for the answer; or take it out"},
			in: headersIn(func(at Part, h *networking.Headers) []Part {
				return at.field(PartResponseHeaders, "headers.response", setsOrAdds(h.GetResponse()))
			}),
		},
		{
			PartKind: PartKind{Name: PartResponseRemoved, None: "nothing that shows it", Remedy: "set it to a value instead, or take it out"},
			in: headersIn(func(at Part, h *networking.Headers) []Part {
				return at.field(PartResponseRemoved, "headers.response.remove", len(h.GetResponse().GetRemove()) > 0)
			}),
		},
	}
}

// headersIn returns the parts of an entry's headers, and of those of each of its
// destinations that gets requests: of several, in the requests that it got.
func headersIn(of func(at Part, h *networking.Headers) []Part) func(Part, *networking.HTTPRoute) []Part {
	return func(whole Part, entry *networking.HTTPRoute) []Part {
		parts := of(whole, entry.GetHeaders())
		for i, to := range entry.Route {
			if len(entry.Route) > 1 && to.GetWeight() == 0 {
				continue
			}
			at := whole
			at.direct(to)
			for _, p := range of(at, to.GetHeaders()) {
				p.Path = fmt.Sprintf("%s.route[%d]%s", whole.Whole, i, strings.TrimPrefix(p.Path, whole.Whole))
				parts = append(parts, p)
			}
		}
		return parts
	}
}

// setsOrAdds says whether operations do more than take away, or nothing.
func setsOrAdds(of *networking.Headers_HeaderOperations) bool {
	return of != nil && (len(of.Set)+len(of.Add) > 0 || len(of.Remove) == 0)
}

// removedParts are the headers of requests that are taken away: who had one shows
// nothing of the others.
func removedParts(at Part, h *networking.Headers) []Part {
	var parts []Part
	for i, name := range h.GetRequest().GetRemove() {
		for _, p := range at.field(PartRequestRemoved, fmt.Sprintf("headers.request.remove[%d]", i), true) {
			p.removed = name
			parts = append(parts, p)
		}
	}
	return parts
}

// Removed is the header of requests that a part takes away; empty: it is none that
// does.
func (p Part) Removed() string { return p.removed }

// Removes says whether a request of the load goes by the part's entry, and whether
// with the header that it takes away. Known is false if the one or the other cannot
// be told.
func (p Part) Removes(r Request, inForce []*Object) (goes, has, known bool) {
	entry, known := p.takes(r, inForce)
	if entry == nil {
		return false, false, known
	}
	has, known = r.has(p.removed, inForce)
	return true, has, known
}
