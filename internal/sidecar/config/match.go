package config

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/re2"
)

// How a string is compared.
const (
	MatchPresent = "present_match" // Istio's {}
	MatchExact   = "exact"
	MatchPrefix  = "prefix"
	MatchRegex   = "safe_regex"
)

// StringMatch compares one string.
type StringMatch struct {
	Kind       string
	Value      string
	Regex      *regexp.Regexp
	IgnoreCase bool
}

// HeaderMatch compares a request's header; the names :method and :authority
// stand for what HTTP/2 calls so. One of several values is enough, as in Envoy
// since 1.39, which had compared them joined by commas.
type HeaderMatch struct {
	StringMatch
	Name   string
	Invert bool
}

// RouteMatch is the condition of a route: all of its parts hold.
type RouteMatch struct {
	Path    StringMatch // of the path without query
	Headers []HeaderMatch
	Source  Source // whose route it is
}

// everything matches every request.
func everything() RouteMatch {
	return RouteMatch{Path: StringMatch{Kind: MatchPrefix, Value: "/"}}
}

func newStringMatch(m *networking.StringMatch) (StringMatch, error) {
	switch t := m.GetMatchType().(type) {
	case *networking.StringMatch_Exact:
		return StringMatch{Kind: MatchExact, Value: t.Exact}, nil
	case *networking.StringMatch_Prefix:
		return StringMatch{Kind: MatchPrefix, Value: t.Prefix}, nil
	case *networking.StringMatch_Regex:
		if t.Regex == "*" { // no expression: Istio reads it as {}
			return StringMatch{Kind: MatchPresent}, nil
		}
		re, err := re2.Whole(t.Regex)
		if err != nil {
			return StringMatch{}, fmt.Errorf("%q is no RE2 expression: %w", t.Regex, err)
		}
		return StringMatch{Kind: MatchRegex, Value: t.Regex, Regex: re}, nil
	default:
		return StringMatch{Kind: MatchPresent}, nil
	}
}

func (m StringMatch) matches(s string) bool {
	switch m.Kind {
	case MatchExact:
		return s == m.Value || m.IgnoreCase && strings.EqualFold(s, m.Value)
	case MatchPrefix:
		return strings.HasPrefix(s, m.Value) ||
			m.IgnoreCase && len(s) >= len(m.Value) && strings.EqualFold(s[:len(m.Value)], m.Value)
	case MatchRegex:
		return m.Regex.MatchString(s)
	default:
		return true
	}
}

func (m HeaderMatch) matches(r *http.Request) bool {
	values := HeaderValues(r, m.Name)
	if len(values) == 0 && m.Invert && m.Kind != MatchPresent {
		values = []string{""} // Istio has it so for withoutHeaders.
	}
	return slices.ContainsFunc(values, m.StringMatch.matches) != m.Invert
}

// HeaderValues are the values of a request's header, whose name may be one of
// HTTP/2's own, :method or :authority.
func HeaderValues(r *http.Request, name string) []string {
	switch name {
	case ":method":
		return []string{r.Method}
	case ":authority", "host":
		return []string{r.Host}
	case "content-length":
		if r.ContentLength > 0 { // package http keeps it beside the headers.
			return []string{strconv.FormatInt(r.ContentLength, 10)}
		}
		return nil
	}
	return r.Header.Values(name)
}

func (m RouteMatch) matches(r *http.Request) bool {
	if !m.Path.matches(r.URL.EscapedPath()) {
		return false
	}
	for _, h := range m.Headers {
		if !h.matches(r) {
			return false
		}
	}
	return true
}

// VirtualHost finds the virtual host of a Host header: the exact domain before
// the longest wildcard before *. nil: there is none.
func (c *RouteTable) VirtualHost(host string) *VirtualHost {
	host = strings.ToLower(hostname(host))
	var found *VirtualHost
	best := -1
	for _, v := range c.VirtualHosts {
		for _, domain := range v.Domains {
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

// Route finds the first route that a request matches, nil if there is none.
func (v *VirtualHost) Route(r *http.Request) *Route {
	for _, route := range v.Routes {
		if route.Match.matches(r) {
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
