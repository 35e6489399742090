package rules

import (
	"testing"
	"time"

	networking "istio.io/api/networking/v1alpha3"
	"pgregory.net/rapid"

	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

func timeout(when map[string]string, after time.Duration) *Timeout {
	return &Timeout{Service: yamlnode.Names{"ratings"}, When: when, After: yamlnode.Duration{Duration: after}}
}

func TestATimeoutIsSetInTheEntriesOfItsRequests(t *testing.T) {
	for name, test := range map[string]struct {
		http string
		when map[string]string
		want string
	}{
		"of all":  {`[{name: a, ` + toV1 + `, timeout: 3s}, {` + toV2 + `}]`, nil, `[{name: a, ` + toV1 + `, timeout: 0.5s}, {` + toV2 + `, timeout: 0.5s}]`},
		"of some": {`[{` + toV1 + `, timeout: 3s}]`, jason, `[{` + isJason("") + `, ` + toV1 + `, timeout: 0.5s}, {` + toV1 + `, timeout: 3s}]`},
		"beside retries": {
			`[{` + toV1 + `, retries: {attempts: 2, retryOn: 5xx}}]`, nil,
			`[{` + toV1 + `, retries: {attempts: 2, retryOn: 5xx}, timeout: 0.5s}]`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			compareHTTP(t, mergeOne(t, ratings(test.http), timeout(test.when, 500*time.Millisecond)), test.want)
		})
	}
}

func TestATimeoutIsRefusedWithTheReason(t *testing.T) {
	for name, test := range map[string]struct {
		objects string
		intent  *Timeout
		want    string
	}{
		"no time":       {"", timeout(nil, 0), "write after: 500ms"},
		"microseconds":  {"", timeout(nil, 1500*time.Microsecond), "after is 1.5ms; it must be whole milliseconds"},
		"on a redirect": {ratings(`[{redirect: {uri: /}}]`), timeout(nil, time.Second), "spec.http[0] redirects"},
		"of TCP":        {"", &Timeout{Service: yamlnode.Names{"tcp-echo"}, After: yamlnode.Duration{Duration: time.Second}}, "opaque TCP"},
	} {
		t.Run(name, func(t *testing.T) {
			mergeRefused(t, test.objects, test.intent, test.want)
		})
	}
}

func TestATimeoutReachesItsRequestsAndNoOthers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		objects := generated(t)
		before := objects[0].Spec.(*networking.VirtualService)
		of := intentGen.Draw(t, "another").scope()
		intent := timeout(of.when, 7777*time.Millisecond)
		intent.SourceLabels = of.source
		changes, err := Merge(objects, bookinfo, "default", []Intent{intent})
		if err != nil { // no request can tell
			for _, r := range allRequests() {
				if r.in(of) && routed(before, r) != nil {
					t.Fatalf("%v, though %v is taken", err, r)
				}
			}
			return
		}
		after := changes[0].After.Spec.(*networking.VirtualService)
		for _, r := range allRequests() {
			entry := routed(after, r)
			if want := r.in(of); entry != nil && want != (entry.Timeout.AsDuration() == intent.After.Duration) {
				t.Fatalf("%v has the timeout %v, and is meant: %v", r, entry.Timeout.AsDuration(), want)
			}
		}
	})
}
