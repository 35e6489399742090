package config

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

// Redirect is where a route sends the client instead.
type Redirect struct {
	Status    int
	Scheme    string // empty: the request's
	Authority string // empty: the request's host
	Port      uint32 // 0: none is written
	Path      string // in place of the path; empty: see Prefix
	Prefix    string // in place of what the route's match has of the path; empty: as it is
}

// redirectCodes are those that Istio carries out; it ignores a redirect of another.
var redirectCodes = []uint32{0, http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect}

// usualPort is that which goes without saying in a host, by scheme.
var usualPort = map[string]string{"http": ":80", "https": ":443"}

// RouteRedirect is that of an HTTP route; nil if it has none.
func RouteRedirect(at Place, r *networking.HTTPRoute) *Redirect {
	in := r.GetRedirect()
	if in == nil {
		return nil
	}
	out := &Redirect{
		Status: cmp.Or(int(in.GetRedirectCode()), http.StatusMovedPermanently),
		Scheme: in.GetScheme(), Authority: in.GetAuthority(), Path: in.GetUri(), Prefix: in.GetPrefixRewrite(), Port: in.GetPort(),
	}
	if _, derived := in.GetRedirectPort().(*networking.HTTPRedirect_DerivePort); derived && in.GetDerivePort() == networking.HTTPRedirect_FROM_REQUEST_PORT {
		out.Port = uint32(at.port)
	}
	if usual := map[string]uint32{"http": 80, "https": 443}; out.Port == usual[cmp.Or(out.Scheme, "http")] {
		out.Port = 0
	}
	return out
}

// Location is where a request that came by a scheme for a path of a host is sent, as
// Envoy's newUri has it. The query is kept, unless Path has one of its own.
func (d *Redirect) Location(by, host, path string, match StringMatch) string {
	scheme, port := cmp.Or(d.Scheme, by), ""
	if d.Port != 0 {
		port = fmt.Sprintf(":%d", d.Port)
	}
	_, query := cutQuery(path)
	switch {
	case strings.Contains(d.Path, "?"):
		path = d.Path
	case d.Path != "":
		path = d.Path + query
	case d.Prefix != "":
		path = withPrefix(path, match, d.Prefix)
	}
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	if d.Authority != "" {
		host = d.Authority
	} else if name := hostname(host); port != "" || scheme != by && host == name+usualPort[by] {
		host = name // Another port, or that of another scheme, takes its place.
	}
	return scheme + "://" + host + port + path
}

// CheckRedirect refuses what Istio refuses, or ignores, in the redirect of a route.
func CheckRedirect(path string, r *networking.HTTPRoute, refuse Refuse) {
	in, path := r.GetRedirect(), path+".redirect"
	switch {
	case in == nil:
		return
	case in.GetUri() == "" && in.GetPrefixRewrite() == "" && in.GetAuthority() == "" && in.GetRedirectPort() == nil && in.GetScheme() == "":
		refuse(path, "it leads nowhere else; give it uri, prefixRewrite, authority, port or scheme")
	case in.GetUri() != "" && in.GetPrefixRewrite() != "":
		refuse(path, "uri cannot stand beside prefixRewrite; take one of them")
	}
	if !slices.Contains(redirectCodes, in.GetRedirectCode()) {
		refuse(path+".redirectCode", "Istio ignores a redirect by %d; write 301, 302, 303, 307 or 308", in.GetRedirectCode())
	}
	if s := in.GetScheme(); s != "" && s != "http" && s != "https" {
		refuse(path+".scheme", "it is %q; write http or https", s)
	}
	if in.GetPort() > 65535 {
		refuse(path+".port", "%d is not a port; it must be from 1 to 65535", in.GetPort())
	}
	for i, m := range r.GetMatch() {
		if _, prefix := m.GetUri().GetMatchType().(*networking.StringMatch_Prefix); in.GetPrefixRewrite() != "" && m.GetUri() != nil && !prefix {
			refuse(path+".prefixRewrite", "match[%d] has a uri that is no prefix; write it as one, or take redirect.uri", i)
		}
	}
}
