package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

// Redirect answers requests to services with a redirect, in the proxies of their
// clients. It takes the place of the destinations of their http entries.
type Redirect struct {
	Service      yamlnode.Names    `yaml:"service"`
	When         map[string]string `yaml:"when,omitempty" jsonschema_description:"Only requests with these headers."`
	SourceLabels map[string]string `yaml:"sourceLabels,omitempty" jsonschema_description:"Only requests of pods with these labels."`
	Gateways     yamlnode.Names    `yaml:"gateways,omitempty" jsonschema_description:"Only requests that enter by these gateways."`
	URI          string            `yaml:"uri,omitempty" jsonschema_description:"In the place of the path."`
	Authority    string            `yaml:"authority,omitempty" jsonschema_description:"In the place of the host."`
	Scheme       string            `yaml:"scheme,omitempty" jsonschema:"enum=http,enum=https"`
	Port         uint32            `yaml:"port,omitempty" jsonschema:"minimum=1,maximum=65535"`
	RedirectCode uint32            `yaml:"redirectCode,omitempty" jsonschema:"enum=301,enum=302,enum=303,enum=307,enum=308" jsonschema_description:"Default 301."`
}

// redirectCodes are the statuses that Istio redirects with; of any other it
// ignores the redirect.
var redirectCodes = []uint32{301, 302, 303, 307, 308}

// String implements Intent.
func (r *Redirect) String() string { return "the redirect of " + strings.Join(r.Service, ", ") }

// Services implements Intent.
func (r *Redirect) Services() []string { return r.Service }

// Versions implements Intent: a redirect sends to nobody.
func (r *Redirect) Versions() []string { return nil }

// Check implements Intent.
func (r *Redirect) Check() error {
	switch {
	case r.URI == "" && r.Authority == "" && r.Scheme == "" && r.Port == 0:
		return errors.New("it leads nowhere else; write uri, authority, scheme or port")
	case strings.ContainsAny(r.URI, " \x00\r\n"):
		return wrongKey("uri", "uri takes a path without spaces, not %q; correct it", r.URI)
	case strings.ContainsAny(r.Authority, " /\x00\r\n"):
		return wrongKey("authority", "authority takes a host without spaces, not %q; correct it", r.Authority)
	case r.Scheme != "" && r.Scheme != "http" && r.Scheme != "https":
		return wrongKey("scheme", "scheme is %q; write http or https", r.Scheme)
	case r.Port > 65535:
		return wrongKey("port", "%d is not a port; it must be from 1 to 65535", r.Port)
	case r.RedirectCode != 0 && !slices.Contains(redirectCodes, r.RedirectCode):
		return wrongKey("redirectCode", "redirectCode is %d, of which Istio ignores the redirect; write 301, 302, 303, 307 or 308", r.RedirectCode)
	}
	return checkScope(r.Service, r.scope())
}

func (r *Redirect) scope() scope { return scope{r.When, r.SourceLabels, r.Gateways} }

func (r *Redirect) merge(d *draft, service Service) error {
	return d.editAny(service, r.scope(), func(entry *networking.HTTPRoute) error {
		if entry.DirectResponse != nil {
			return endsHere(entry)
		}
		if beside := besideRedirect(entry); beside != "" {
			return fmt.Errorf("has %s, of which nothing would be left beside a redirect; leave the one or the other out, or apply a VirtualService of your own", beside)
		}
		entry.Route, entry.Redirect = nil, r.redirect()
		return nil
	})
}

// besideRedirect names what an entry does with requests that it sends on; empty:
// nothing.
func besideRedirect(entry *networking.HTTPRoute) string {
	switch {
	case entry.Fault != nil:
		return "a fault"
	case entry.Rewrite != nil:
		return "a rewrite"
	case entry.Timeout != nil:
		return "a timeout"
	case entry.Retries != nil:
		return "retries"
	case entry.GetHeaders().GetRequest() != nil:
		return "headers of requests"
	case entry.Mirror != nil || len(entry.Mirrors) > 0:
		return "a mirror"
	}
	return ""
}

func (r *Redirect) redirect() *networking.HTTPRedirect {
	to := &networking.HTTPRedirect{Uri: r.URI, Authority: r.Authority, Scheme: r.Scheme, RedirectCode: r.RedirectCode}
	if r.Port != 0 {
		to.RedirectPort = &networking.HTTPRedirect_Port{Port: r.Port}
	}
	return to
}

// PartRedirect is the kind of part of a redirect: requests that the proxy
// answered with it.
const PartRedirect = "redirect"

func redirectParts() []entryPart {
	return []entryPart{{
		PartKind: PartKind{Name: PartRedirect, None: "no request that it redirected", Remedy: "let a cohort send requests that it matches and that no entry above it takes, and a redirectCode be one that Istio knows; or take it out"},
		in: func(whole Part, entry *networking.HTTPRoute) []Part {
			return whole.field(PartRedirect, "redirect", entry.Redirect != nil)
		},
	}}
}
