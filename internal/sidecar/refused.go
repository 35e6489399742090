package sidecar

import (
	"net/http"
	"strings"
)

// What Envoy's codec of HTTP/1 takes at the most of the head of a request, and of
// headers in an answer (Http1ProtocolOptions, max_request_headers_kb and
// max_headers_count, which Istio leaves as they are).
const (
	mostHeaders = 100
	longestHead = 60 << 10 // bytes
)

// refused answers what Envoy's codec, or its connection manager, refuses before a route
// is chosen, and says whether it has. What net/http refuses does not come here.
func (s *stream) refused() bool {
	if details := unacceptable(s.r); details != "" {
		s.unread = true
		status := http.StatusRequestHeaderFieldsTooLarge
		if details == "low_version" { // As without accept_http_10, which Istio leaves off.
			status = http.StatusUpgradeRequired
		}
		s.reply(status, http.StatusText(status), "DPE", details)
		s.answer.header.Set("Connection", "close")
		return true
	}
	path, _, _ := strings.Cut(s.r.RequestURI, "?")
	switch {
	case s.r.RequestURI == "*":
		s.reply(http.StatusNotFound, "", "", "absolute_path_rejected")
	case strings.Contains(path, "%00"):
		s.reply(http.StatusBadRequest, "", "", "path_normalization_failed")
		s.answer.header.Set("Connection", "close")
	default:
		return false
	}
	return true
}

// unacceptable is why the codec does not read a request, in the words of its log; empty:
// it does.
func unacceptable(r *http.Request) string {
	count, size := 1, len(r.Method)+len(r.RequestURI)+len("host")+len(r.Host)
	for name, values := range r.Header {
		for _, v := range values {
			count++
			size += len(name) + len(v)
		}
	}
	switch {
	case !r.ProtoAtLeast(1, 1):
		return "low_version"
	case size > longestHead:
		return "http1.headers_too_large"
	case count > mostHeaders:
		return "http1.too_many_headers"
	}
	return ""
}

// upgrades says whether a request asks for another protocol that Envoy would refuse to
// pass on. Istio has it pass on WebSocket; that of HTTP/2 it takes for none.
func upgrades(h http.Header) bool {
	to := h.Get("Upgrade")
	return to != "" && !strings.EqualFold(to, "websocket") && !strings.EqualFold(to, "h2c") && hasToken(h, "Connection", "upgrade")
}

// hasToken says whether a header, a list, has a token.
func hasToken(h http.Header, name, token string) bool {
	for _, value := range h.Values(name) {
		for part := range strings.SplitSeq(value, ",") {
			part, _, _ = strings.Cut(part, ";")
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}
