package rules

import (
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

func redirect(set func(*Redirect)) *Redirect {
	r := &Redirect{Service: yamlnode.Names{"ratings"}}
	set(r)
	return r
}

func TestARedirectTakesThePlaceOfTheDestinations(t *testing.T) {
	toNew := func(r *Redirect) { r.URI = "/new" }
	for name, test := range map[string]struct {
		http string
		set  func(*Redirect)
		want string
	}{
		"of all":         {`[{name: a, ` + toV1 + `}, {` + toV2 + `}]`, toNew, `[{name: a, redirect: {uri: /new}}, {redirect: {uri: /new}}]`},
		"of jason alone": {`[{` + toV1 + `}]`, func(r *Redirect) { r.When, r.URI = jason, "/new" }, `[{` + isJason("") + `, redirect: {uri: /new}}, {` + toV1 + `}]`},
		"all of it": {
			`[{` + toV1 + `, headers: {response: {set: {a: b}}}}]`,
			func(r *Redirect) { r.Authority, r.Scheme, r.Port, r.RedirectCode = "shop.example", "https", 8443, 307 },
			`[{headers: {response: {set: {a: b}}}, redirect: {authority: shop.example, scheme: https, port: 8443, redirectCode: 307}}]`,
		},
		"in the place of another": {`[{redirect: {uri: /old, redirectCode: 302}}]`, toNew, `[{redirect: {uri: /new}}]`},
	} {
		t.Run(name, func(t *testing.T) {
			change := mergeOne(t, ratings(test.http), redirect(test.set))
			compareHTTP(t, change, test.want)
			if refused := Check([]*Object{change.After}); len(refused) > 0 {
				t.Errorf("Istio refuses it: %v", refused)
			}
		})
	}
}

func TestARedirectIsRefusedWithTheReason(t *testing.T) {
	toNew := func(r *Redirect) { r.URI = "/new" }
	beside := func(field string) string { return ratings(`[{` + toV1 + `, ` + field + `}]`) }
	for name, test := range map[string]struct {
		objects string
		set     func(*Redirect)
		want    string
	}{
		"nowhere":             {"", func(r *Redirect) { r.RedirectCode = 302 }, "it leads nowhere else"},
		"a code of Istio's":   {"", func(r *Redirect) { r.URI, r.RedirectCode = "/", 304 }, "redirectCode is 304"},
		"a scheme":            {"", func(r *Redirect) { r.Scheme = "ftp" }, "write http or https"},
		"a port":              {"", func(r *Redirect) { r.Port = 65536 }, "65536 is not a port"},
		"a URL for a host":    {"", func(r *Redirect) { r.Authority = "http://a" }, "authority takes a host"},
		"beside an answer":    {ratings(`[{directResponse: {status: 200}}]`), toNew, "directResponse"},
		"beside a fault":      {beside(delay), toNew, "spec.http[0] has a fault"},
		"beside a rewrite":    {beside(`rewrite: {uri: /}`), toNew, "has a rewrite"},
		"beside a timeout":    {beside(`timeout: 1s`), toNew, "has a timeout"},
		"beside retries":      {beside(`retries: {attempts: 1}`), toNew, "has retries"},
		"beside headers":      {beside(`headers: {request: {set: {a: b}}}`), toNew, "has headers of requests"},
		"beside a mirror":     {beside(`mirror: {host: a}`), toNew, "has a mirror"},
		"beside some mirrors": {beside(`mirrors: [{destination: {host: a}}]`), toNew, "has a mirror"},
		"of TCP":              {"", func(r *Redirect) { r.Service, r.URI = yamlnode.Names{"tcp-echo"}, "/" }, "opaque TCP"},
	} {
		t.Run(name, func(t *testing.T) {
			mergeRefused(t, test.objects, redirect(test.set), test.want)
		})
	}
}

func TestNothingIsDoneToWhatARedirectTook(t *testing.T) {
	to := redirect(func(r *Redirect) { r.URI = "/new" })
	if _, err := Merge(nil, bookinfo, "default", []Intent{to, timeout(nil, time.Second)}); err == nil || !strings.Contains(err.Error(), "spec.http[0] redirects") {
		t.Errorf("a timeout after a redirect: %v", err)
	}
}
