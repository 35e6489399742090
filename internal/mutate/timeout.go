package mutate

import (
	"fmt"

	"google.golang.org/protobuf/types/known/durationpb"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// timeout halves and doubles a timeout.
func timeout(w written) []edit {
	var touches []touch
	w.http(func(at spot, entry *networking.HTTPRoute, before []*networking.HTTPRoute) {
		was := entry.GetTimeout().AsDuration()
		if was == 0 || had(before, entry, (*networking.HTTPRoute).GetTimeout) {
			return
		}
		for id, now := range halfAndDouble("timeout", was) {
			touches = append(touches, touch{
				spot: at, id: id, what: fmt.Sprintf("the timeout of %s is %s, not %s", w.host(at), now, was),
				do: func(o *rules.Object, index int, _ string) { entryOf(o, index).Timeout = durationpb.New(now) },
			})
		}
	})
	return w.grouped(touches)
}
