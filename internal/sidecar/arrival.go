package sidecar

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// What Envoy's connection manager does to a request before its route is chosen:
// source/common/http/conn_manager_utility.cc and path_utility.cc.

// arrive makes of a request what the rest of the proxy sees of it.
func (s *stream) arrive() {
	if s.webSocket {
		keepUpgrade(s.r.Header, removeHopHeaders)
	} else {
		removeHopHeaders(s.r.Header)
	}
	join(s.r.Header)
	s.locate()
	identify(s.r.Header, s.proxy.options.Gateway)
	distrust(s.r.Header)
	if s.inbound {
		s.peer().vouch(s.r.Header)
	}
	dropFragment(s.r)
	normalize(s.r)
}

// untrusted are the headers that Envoy takes from within a mesh's own edge alone.
// What a workload sends is not that.
var untrusted = []string{
	"X-Envoy-Internal", "X-Envoy-Retriable-Status-Codes", "X-Envoy-Retriable-Header-Names", "X-Envoy-Ip-Tags",
	"X-Envoy-Retry-On", "X-Envoy-Retry-Grpc-On", "X-Envoy-Max-Retries", "X-Envoy-Upstream-Alt-Stat-Name",
	"X-Envoy-Upstream-Rq-Timeout-Ms", "X-Envoy-Upstream-Rq-Per-Try-Timeout-Ms", "X-Envoy-Upstream-Rq-Timeout-Alt-Response",
	"X-Envoy-Expected-Rq-Timeout-Ms", "X-Envoy-Force-Trace", "X-Envoy-Original-Url", "X-Envoy-Hedge-On-Per-Try-Timeout",
	"X-Envoy-Decorator-Operation", "X-Forwarded-Client-Cert", "X-Envoy-Upstream-Stream-Duration-Ms",
}

// joined are headers of which Envoy has one at the most: several become one, with commas.
var joined = []string{"Accept", "Content-Type", requestID, "User-Agent", forwardedFor, forwardedProto}

func join(h http.Header) {
	for _, name := range joined {
		if len(h.Values(name)) > 1 {
			h.Set(name, joinedValues(h, name))
		}
	}
}

// distrust takes away what only the mesh's own edge may say.
func distrust(h http.Header) {
	for _, name := range untrusted {
		h.Del(name)
	}
}

// dropFragment takes what is behind a # out of a request's path. Envoy by itself would
// refuse it; Istio has it do this (http_reject_path_with_fragment in its bootstrap).
func dropFragment(r *http.Request) {
	target, _, there := strings.Cut(r.RequestURI, "#")
	if !there {
		return
	}
	if u, err := url.ParseRequestURI(target); err == nil {
		r.RequestURI, r.URL = target, u
	}
}

// normalize makes of the request's path what Istio's default, BASE, makes of it:
// dot segments are resolved, what is escaped without need is not, a backslash is a
// slash. Slashes that follow each other stay.
func normalize(r *http.Request) {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	if !strings.HasPrefix(path, "/") {
		path = r.URL.EscapedPath()
	}
	if path == "" && r.Method != http.MethodConnect { // http://host
		r.URL.Path = "/"
	}
	normal := normalPath(path)
	if path == "" || normal == path {
		return
	}
	if r.URL.RawQuery != "" || r.URL.ForceQuery {
		normal += "?" + r.URL.RawQuery
	}
	if u, err := url.ParseRequestURI(normal); err == nil {
		r.URL = u
	}
}

func normalPath(path string) string {
	if !strings.ContainsAny(path, `%\.`) || !strings.HasPrefix(path, "/") {
		return path
	}
	path = dotParameters.ReplaceAllString(path, "/$1")
	path = strings.ReplaceAll(unescaped(path), `\`, "/")
	var kept []string
	segments := strings.Split(path[1:], "/")
	for i, segment := range segments {
		last := i == len(segments)-1
		switch segment {
		case ".", "..":
			if segment == ".." && len(kept) > 0 {
				kept = kept[:len(kept)-1]
			}
			if last {
				kept = append(kept, "")
			}
		default:
			kept = append(kept, segment)
		}
	}
	return "/" + strings.Join(kept, "/")
}

// dotParameters are parameters of a dot segment, which Envoy drops since 1.40.
var dotParameters = regexp.MustCompile(`/(\.\.?);[^/]*`)

// unescaped decodes the characters that need no escaping (RFC 3986, 2.3).
func unescaped(path string) string {
	var out strings.Builder
	for i := 0; i < len(path); i++ {
		if path[i] == '%' && i+2 < len(path) {
			if c, err := url.PathUnescape(path[i : i+3]); err == nil && unreserved(c[0]) {
				out.WriteString(c)
				i += 2
				continue
			}
		}
		out.WriteByte(path[i])
	}
	return out.String()
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
}
