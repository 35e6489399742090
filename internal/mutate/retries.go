package mutate

import (
	"fmt"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// retries switches the retries of a route off, or allows one more.
func retries(w written) []edit {
	var touches []touch
	w.http(func(at spot, entry *networking.HTTPRoute, before []*networking.HTTPRoute) {
		if entry.Retries == nil || had(before, entry, (*networking.HTTPRoute).GetRetries) {
			return
		}
		was := entry.Retries.Attempts
		add := func(id string, now int32) {
			touches = append(touches, touch{
				spot: at, id: id, what: fmt.Sprintf("the retries of %s are %d, not %d", w.host(at), now, was),
				do: func(o *rules.Object, index int, _ string) {
					if now == 0 { // beside which Istio takes no other setting
						entryOf(o, index).Retries = &networking.HTTPRetry{}
						return
					}
					entryOf(o, index).Retries.Attempts = now
				},
			})
		}
		if was > 0 {
			add("retries-off", 0)
		}
		add("retries-one-more", was+1)
	})
	return w.grouped(touches)
}
