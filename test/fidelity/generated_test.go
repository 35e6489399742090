//go:build e2e

package fidelity

import (
	"cmp"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// generatedSets is how many rule sets are made: MESHCHAOS_FIDELITY, else 30.
func generatedSets(t *testing.T) int {
	n, err := strconv.Atoi(cmp.Or(os.Getenv("MESHCHAOS_FIDELITY"), "30"))
	if err != nil {
		t.Fatalf("MESHCHAOS_FIDELITY: %v", err)
	}
	return n
}

// The parts that a generated entry is put together from. A request has few paths
// and headers, so that rules meet.
var (
	someMatches = []string{
		``, `"match": [{"uri": {"prefix": "/a"}}]`, `"match": [{"uri": {"exact": "/a/b"}}]`, `"match": [{"uri": {"regex": "/[ab].*"}}]`,
		`"match": [{"headers": {"user": {"exact": "jason"}}}]`, `"match": [{"headers": {"user": {}}, "uri": {"prefix": "/b"}}]`, `"match": [{"method": {"exact": "POST"}}, {"uri": {"exact": "/"}}]`,
		`"match": [{"uri": {"prefix": "/"}, "withoutHeaders": {"user": {"exact": "jason"}}}]`, `"match": [{"headers": {"user": {"regex": "j.*n"}}}]`, `"match": [{"port": 8000, "uri": {"prefix": "/a/"}}]`,
	}
	someFaults  = []string{``, ``, ``, `"fault": {"abort": {"httpStatus": 503, "percentage": {"value": 100}}}`, `"fault": {"abort": {"httpStatus": 404}}`, `"fault": {"delay": {"fixedDelay": "0.01s", "percentage": {"value": 100}}}`}
	someRetries = []string{``, ``, `"retries": {"attempts": 2, "retryOn": "5xx", "backoff": "1ms"}`, `"retries": {"attempts": 0}`, `"retries": {"attempts": 1, "retryOn": "gateway-error,reset", "backoff": "1ms"}`, `"retries": {"attempts": 3, "retryOn": "404,409", "backoff": "1ms"}`}
	someHeaders = []string{``, ``, `"headers": {"request": {"set": {"user": "other", "x": "1"}}}`, `"headers": {"request": {"add": {"user": "more"}, "remove": ["x"]}, "response": {"add": {"y": "2"}}}`, `"headers": {"response": {"set": {"y": "3"}, "remove": ["content-type"]}}`, `"headers": {"request": {"set": {"host": "other"}}}`}
	someRewrite = []string{``, ``, `"rewrite": {"uri": "/new"}`, `"rewrite": {"authority": "elsewhere"}`, `"rewrite": {"uri": "/"}`, `"rewrite": {"uriRegexRewrite": {"match": "^/a(.*)$", "rewrite": "/z\\1"}}`}
	someMirrors = []string{``, ``, ``, `"mirror": {"host": "$web", "subset": "v2"}`}
	someRoutes  = []string{v1, v2, v1, v2, `"route": [{"destination": {"host": "$web", "subset": "v9"}}]`, `"route": [{"destination": {"host": "$web", "subset": "v8"}}]`}
	redirects   = []string{`"redirect": {"uri": "/new"}`, `"redirect": {"authority": "new.example.com", "redirectCode": 308}`, `"redirect": {"scheme": "https", "port": 8443}`}
)

// someEntry is an http entry of a VirtualService.
func someEntry(t *rapid.T) string {
	draw := func(from []string) string { return rapid.SampledFrom(from).Draw(t, "part") }
	parts := []string{draw(someMatches)}
	if rapid.IntRange(0, 7).Draw(t, "redirects") == 0 {
		parts = append(parts, draw(redirects))
	} else {
		for _, from := range [][]string{someFaults, someRetries, someHeaders, someRewrite, someMirrors, someRoutes} {
			parts = append(parts, draw(from))
		}
	}
	var given []string
	for _, p := range parts {
		if p != "" {
			given = append(given, p)
		}
	}
	return "{" + strings.Join(given, ", ") + "}"
}

// someComparison is up to three entries, and twenty calls under them.
func someComparison(t *rapid.T) *comparison {
	entries := rapid.SliceOfN(rapid.Custom(someEntry), 1, 3).Draw(t, "entries")
	c := &comparison{HTTP: strings.Join(entries, ", ")}
	for range 20 {
		c.Calls = append(c.Calls, call{
			Method:  rapid.SampledFrom([]string{"GET", "GET", "POST", "HEAD"}).Draw(t, "method"),
			Path:    rapid.SampledFrom([]string{"/", "/a", "/a/b", "/ab?c=d", "/b", "/a/../b", "/c"}).Draw(t, "path"),
			Headers: rapid.SampledFrom([]string{"", "user:jason", "user:other", "x:0"}).Draw(t, "headers"),
			Do:      rapid.SampledFrom([]string{"", "", "status=503", "status=503 times=1", "status=404", "status=409 times=1", "close times=1", "header=y:0"}).Draw(t, "do"),
		})
	}
	return c
}

// TestGeneratedRulesAreCarriedOutAsEnvoyDoes makes the same rule sets in each run.
func TestGeneratedRulesAreCarriedOutAsEnvoyDoes(t *testing.T) {
	c := startCluster(t)
	sets := rapid.Custom(someComparison)
	var trials []*trial
	for i := range generatedSets(t) {
		set := sets.Example(i)
		set.Name = fmt.Sprintf("rule set %d", i)
		trials = append(trials, c.prepare(t, set, fmt.Sprintf("gen%03d", i)))
	}
	c.run(t, trials, atOnce)
	c.repeat(t, trials)
	for _, tr := range trials {
		t.Run(tr.Name, tr.hold)
	}
}
