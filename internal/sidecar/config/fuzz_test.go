package config_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/sidecar"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

// FuzzRoute establishes that whatever Istio takes as a match is compiled, that no
// request makes the matcher panic, and that it takes the route which Istio's
// reference has it take, told here in other words.
func FuzzRoute(f *testing.F) {
	const exact, prefix, regex, present = 0, 1, 2, 3
	f.Add(uint8(prefix), "/rat", "/ratings/0?a=b", false, uint8(exact), "jason", "jason", false, "GET")
	f.Add(uint8(exact), "/Ratings", "/ratings", true, uint8(present), "", "any", false, "")
	f.Add(uint8(regex), "/r.*s|/a", "/a/b", false, uint8(regex), "^j.*$", "jane\njason", false, "POST")
	f.Add(uint8(prefix), "/a%2Fb", "/a%2fb/c", false, uint8(prefix), "ja", "", true, "GET")
	f.Add(uint8(present), "", "//", false, uint8(present), "", "", true, "")
	f.Add(uint8(regex), `(?i)\Q/A\E[^/]*`, "/a", true, uint8(regex), `\p{Lu}|`, "É", true, "get")
	f.Fuzz(func(t *testing.T, pathKind uint8, pathText, path string, anyCase bool, headerKind uint8, headerText, header string, without bool, method string) {
		uri, err := url.ParseRequestURI(path)
		if err != nil || !strings.HasPrefix(path, "/") {
			t.Skip("no path of a request")
		}
		block := &networking.HTTPMatchRequest{Uri: stringMatch(pathKind, pathText), IgnoreUriCase: anyCase}
		headers := map[string]*networking.StringMatch{"x": stringMatch(headerKind, headerText)}
		if without {
			block.WithoutHeaders = headers
		} else {
			block.Headers = headers
		}
		if method != "" {
			block.Method = stringMatch(exact, method)
		}
		object := &rules.Object{
			Ref: rules.Ref{Kind: rules.VirtualService, Namespace: "default", Name: "web"}, APIVersion: "networking.istio.io/v1",
			Spec: &networking.VirtualService{Hosts: []string{"web"}, Http: []*networking.HTTPRoute{{
				Match: []*networking.HTTPMatchRequest{block}, Route: []*networking.HTTPRouteDestination{{Destination: &networking.Destination{Host: "web"}}},
			}}},
		}
		if len(rules.Check([]*rules.Object{object})) > 0 {
			t.Skip("Istio would refuse it")
		}
		compiled, err := sidecar.Compile(config.Mesh{Services: []config.Service{sidecartest.Service("web", 8000, false)}}, []*rules.Object{object})
		if err != nil {
			t.Fatalf("compiling what Istio takes: %v", err)
		}
		request := &http.Request{Method: http.MethodGet, URL: uri, Host: "web", Header: http.Header{}}
		if header != "" {
			request.Header.Set("X", header)
		}
		want := meets(block.Uri, uri.EscapedPath(), anyCase) && (method == "" || method == http.MethodGet)
		switch {
		case without && headerKind%4 == present:
			want = want && header == ""
		case without:
			want = want && !meets(headers["x"], header, false)
		default:
			want = want && header != "" && meets(headers["x"], header, false)
		}
		table := compiled.HTTP[8000]
		if got := table.VirtualHost("web:8000").Route(request) != nil; got != want {
			t.Fatalf("%v of %s with x: %q: taken %v", block, uri.EscapedPath(), header, got)
		}
		if host := table.VirtualHost(pathText); host != nil && host != table.VirtualHost("web") && !strings.Contains(strings.Join(host.Domains, " "), "*") {
			t.Fatalf("the Host header %q is one of %v", pathText, host.Domains)
		}
	})
}

// stringMatch is one of the four kinds.
func stringMatch(kind uint8, text string) *networking.StringMatch {
	switch kind % 4 {
	case 0:
		return &networking.StringMatch{MatchType: &networking.StringMatch_Exact{Exact: text}}
	case 1:
		return &networking.StringMatch{MatchType: &networking.StringMatch_Prefix{Prefix: text}}
	case 2:
		return &networking.StringMatch{MatchType: &networking.StringMatch_Regex{Regex: text}}
	}
	return &networking.StringMatch{}
}

// meets says whether a text is as a match asks, by the words of Istio's reference.
func meets(match *networking.StringMatch, text string, anyCase bool) bool {
	fold := func(s string) string { return s }
	if anyCase {
		fold = strings.ToLower
	}
	switch kind := match.MatchType.(type) {
	case *networking.StringMatch_Exact:
		return fold(text) == fold(kind.Exact)
	case *networking.StringMatch_Prefix:
		return strings.HasPrefix(fold(text), fold(kind.Prefix))
	case *networking.StringMatch_Regex: // of the whole text; its case is never ignored
		longest := regexp.MustCompile(kind.Regex)
		longest.Longest()
		at := longest.FindStringIndex(text)
		return at != nil && at[0] == 0 && at[1] == len(text)
	}
	return true
}
