package config

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

// HeaderEdit changes headers: first it removes, then it sets, then it adds.
type HeaderEdit struct {
	Remove   []string
	Set, Add []Header // each sorted by name
}

// Header is a header's name and value.
type Header struct{ Name, Value string }

// Apply changes h. Like Envoy it leaves out what has an empty value.
func (e *HeaderEdit) Apply(h http.Header) {
	for _, name := range e.Remove {
		h.Del(name)
	}
	for _, s := range e.Set {
		if s.Value != "" {
			h.Set(s.Name, s.Value)
		}
	}
	for _, a := range e.Add {
		if a.Value != "" {
			h.Add(a.Name, a.Value)
		}
	}
}

func (e *HeaderEdit) empty() bool { return len(e.Remove)+len(e.Set)+len(e.Add) == 0 }

// HeaderEdits are what an entry or a destination changes.
type HeaderEdits struct {
	Request, Response HeaderEdit
	Authority         string // in place of the request's; empty: as it is
}

// Headers are what a route changes in headers, its destinations' part included.
type Headers struct {
	Route HeaderEdits
	// Destinations are those of the route's targets, before the route's own are
	// applied. It is nil if there is one target: its are then among the route's.
	Destinations []HeaderEdits
}

// Target is what is applied beside the route's own where a target was drawn; nil:
// nothing.
func (h *Headers) Target(i int) *HeaderEdits {
	if h.Destinations == nil {
		return nil
	}
	return &h.Destinations[i]
}

// RouteHeaders are those of an HTTP route; nil if it changes none.
func RouteHeaders(r *networking.HTTPRoute) *Headers {
	h := &Headers{Route: headerEdits(r.GetHeaders())}
	changes := changed(r.GetHeaders())
	for _, d := range r.GetRoute() {
		changes = changes || changed(d.GetHeaders())
	}
	switch destinations := r.GetRoute(); {
	case !changes:
		return nil
	case len(destinations) == 1:
		h.Route.join(headerEdits(destinations[0].GetHeaders()))
	default:
		for _, d := range destinations {
			if d.GetWeight() > 0 {
				h.Destinations = append(h.Destinations, headerEdits(d.GetHeaders()))
			}
		}
	}
	return h
}

func changed(h *networking.Headers) bool {
	e := headerEdits(h)
	return !e.Request.empty() || !e.Response.empty() || e.Authority != ""
}

func headerEdits(h *networking.Headers) HeaderEdits {
	return HeaderEdits{
		Request: headerEdit(h.GetRequest()), Response: headerEdit(h.GetResponse()),
		Authority: cmp.Or(authority(h.GetRequest().GetSet()), authority(h.GetRequest().GetAdd())),
	}
}

// join adds a sole destination's edits to its entry's, as Istio does.
func (e *HeaderEdits) join(of HeaderEdits) {
	e.Request.join(of.Request)
	e.Response.join(of.Response)
	e.Authority = cmp.Or(e.Authority, of.Authority)
}

func (e *HeaderEdit) join(of HeaderEdit) {
	e.Remove = append(e.Remove, of.Remove...)
	e.Set = append(e.Set, of.Set...)
	e.Add = append(e.Add, of.Add...)
}

func headerEdit(o *networking.Headers_HeaderOperations) HeaderEdit {
	return HeaderEdit{Remove: slices.Clone(o.GetRemove()), Set: headerList(o.GetSet()), Add: headerList(o.GetAdd())}
}

func headerList(values map[string]string) []Header {
	var list []Header
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !isAuthority(name) {
			list = append(list, Header{name, strings.ReplaceAll(values[name], "%%", "%")})
		}
	}
	return list
}

// isAuthority says whether a name stands for the request's host.
func isAuthority(name string) bool {
	return strings.EqualFold(name, ":authority") || strings.EqualFold(name, "host")
}

func authority(values map[string]string) string {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if isAuthority(name) {
			return values[name]
		}
	}
	return ""
}

// readByRouter are the headers of a request that Envoy's router takes for a part of
// the route, and takes away: source/common/router/router.cc.
var readByRouter = []string{
	"x-envoy-retry-on", "x-envoy-retry-grpc-on", "x-envoy-max-retries", "x-envoy-retriable-status-codes", "x-envoy-retriable-header-names",
	"x-envoy-upstream-rq-timeout-ms", "x-envoy-upstream-rq-per-try-timeout-ms", "x-envoy-upstream-rq-timeout-alt-response",
	"x-envoy-hedge-on-per-try-timeout", "x-envoy-upstream-alt-stat-name",
}

// CheckHeaders refuses the variables of Envoy in what headers are set to, and what
// its router would read.
func CheckHeaders(path string, r *networking.HTTPRoute, refuse Refuse) {
	checkHeaders(path+".headers", r.GetHeaders(), refuse)
	for i, d := range r.GetRoute() {
		checkHeaders(fmt.Sprintf("%s.route[%d].headers", path, i), d.GetHeaders(), refuse)
	}
}

func checkHeaders(path string, h *networking.Headers, refuse Refuse) {
	check := func(path string, values map[string]string, toRouter bool) {
		for _, name := range slices.Sorted(maps.Keys(values)) {
			at := fmt.Sprintf("%s[%s]", path, name)
			if toRouter && slices.Contains(readByRouter, strings.ToLower(name)) {
				refuse(at, "Envoy's router would do what it says; write it as timeout or retries")
			}
			if strings.Contains(strings.ReplaceAll(values[name], "%%", ""), "%") {
				refuse(at, "the embedded mesh does not implement Envoy's variables; write the value, a %% in it twice, or run with --mesh istio")
			}
		}
	}
	check(path+".request.set", h.GetRequest().GetSet(), true)
	check(path+".request.add", h.GetRequest().GetAdd(), true)
	check(path+".response.set", h.GetResponse().GetSet(), false)
	check(path+".response.add", h.GetResponse().GetAdd(), false)
}
