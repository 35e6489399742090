package sidecar

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

// How a string is compared.
const (
	matchPresent = "present_match" // Istio's {}
	matchExact   = "exact"
	matchPrefix  = "prefix"
	matchRegex   = "safe_regex"
)

// stringMatch compares one string.
type stringMatch struct {
	kind       string
	value      string
	regex      *regexp.Regexp
	ignoreCase bool
}

// headerMatch compares a request's header; the names :method and :authority
// stand for what HTTP/2 calls so. Several values are compared joined by commas.
type headerMatch struct {
	stringMatch
	name   string
	invert bool
}

// routeMatch is the condition of a route: all of its parts hold.
type routeMatch struct {
	path    stringMatch // of the path without query
	headers []headerMatch
}

// everything matches every request.
func everything() routeMatch {
	return routeMatch{path: stringMatch{kind: matchPrefix, value: "/"}}
}

func newStringMatch(m *networking.StringMatch) (stringMatch, error) {
	switch t := m.GetMatchType().(type) {
	case *networking.StringMatch_Exact:
		return stringMatch{kind: matchExact, value: t.Exact}, nil
	case *networking.StringMatch_Prefix:
		return stringMatch{kind: matchPrefix, value: t.Prefix}, nil
	case *networking.StringMatch_Regex:
		// Envoy matches the whole string.
		re, err := regexp.Compile(`\A(?:` + t.Regex + `)\z`)
		if err != nil {
			return stringMatch{}, fmt.Errorf("%q is no RE2 expression: %w", t.Regex, err)
		}
		return stringMatch{kind: matchRegex, value: t.Regex, regex: re}, nil
	default:
		return stringMatch{kind: matchPresent}, nil
	}
}

func (m stringMatch) matches(s string) bool {
	switch m.kind {
	case matchExact:
		return s == m.value || m.ignoreCase && strings.EqualFold(s, m.value)
	case matchPrefix:
		return strings.HasPrefix(s, m.value) ||
			m.ignoreCase && len(s) >= len(m.value) && strings.EqualFold(s[:len(m.value)], m.value)
	case matchRegex:
		return m.regex.MatchString(s)
	default:
		return true
	}
}

func (m headerMatch) matches(r *http.Request) bool {
	value, present := headerValue(r, m.name)
	return (present && m.stringMatch.matches(value)) != m.invert
}

func headerValue(r *http.Request, name string) (string, bool) {
	switch name {
	case ":method":
		return r.Method, true
	case ":authority", "host":
		return r.Host, true
	}
	return joinedHeader(r, name), len(r.Header.Values(name)) > 0
}

// joinedHeader is a header as Envoy sees it: several of a name are one.
func joinedHeader(r *http.Request, name string) string {
	return strings.Join(r.Header.Values(name), ",")
}

func (m routeMatch) matches(r *http.Request) bool {
	if !m.path.matches(r.URL.EscapedPath()) {
		return false
	}
	for _, h := range m.headers {
		if !h.matches(r) {
			return false
		}
	}
	return true
}

// virtualHost finds the virtual host of a Host header: the exact domain before
// the longest wildcard before *. nil: there is none.
func (c *routeConfig) virtualHost(host string) *virtualHost {
	host = strings.ToLower(hostname(host))
	var found *virtualHost
	best := -1
	for _, v := range c.virtualHosts {
		for _, domain := range v.domains {
			rank := -1
			switch suffix, wild := strings.CutPrefix(domain, "*"); {
			case domain == host:
				return v
			case wild && strings.HasSuffix(host, suffix) && len(host) > len(suffix):
				rank = len(suffix)
			}
			if rank > best {
				found, best = v, rank
			}
		}
	}
	return found
}

// route finds the first route that a request matches, nil if there is none.
func (v *virtualHost) route(r *http.Request) *route {
	for _, route := range v.routes {
		if route.match.matches(r) {
			return route
		}
	}
	return nil
}

// hostname is a Host header without its port.
func hostname(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		return host[:i]
	}
	return host
}
