package lint

import (
	"slices"
	"strings"
)

// perTryTimeoutWithoutRetry warns of tries that are ended and not followed by
// another: a per-try timeout is a reset to Envoy, and the words that Istio retries
// on by default do not have it (istio/istio#55748).
func perTryTimeoutWithoutRetry(f *finder) {
	for path, entry := range f.entries() {
		r := entry.Retries
		if r.GetPerTryTimeout() == nil || r.Attempts < 1 {
			continue
		}
		retried := slices.ContainsFunc(strings.Split(r.RetryOn, ","), func(word string) bool {
			return word == "5xx" || word == "gateway-error" || word == "reset"
		})
		if !retried {
			f.warn(path+".retries.perTryTimeout", "a try that times out is retried only with 5xx, gateway-error or reset in retryOn (istio/istio#55748); add one of them")
		}
	}
}
