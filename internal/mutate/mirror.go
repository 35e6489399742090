package mutate

import (
	"fmt"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// mirror sends no copies, and those to another version.
func mirror(w written) []edit {
	var touches []touch
	w.http(func(at spot, entry *networking.HTTPRoute, before []*networking.HTTPRoute) {
		if entry.Mirror == nil && len(entry.Mirrors) == 0 || had(before, entry, mirrorOf) {
			return
		}
		touches = append(touches, touch{
			spot: at, id: "mirror-off", what: "no copies of the requests to " + w.host(at) + " are sent",
			do: func(o *rules.Object, index int, _ string) {
				e := entryOf(o, index)
				e.Mirror, e.Mirrors, e.MirrorPercentage = nil, nil, nil
			},
		})
		if version := w.versionOf(entry.Mirror); entry.Mirror != nil && version != "" {
			for _, other := range w.otherVersions(entry.Mirror.Host, version) {
				touches = append(touches, touch{
					spot: at, id: "mirror-to-" + other, service: entry.Mirror.Host, version: other,
					what: fmt.Sprintf("the copies are sent to %s, not %s", other, version),
					do:   func(o *rules.Object, index int, subset string) { entryOf(o, index).Mirror.Subset = subset },
				})
			}
		}
	})
	return w.grouped(touches)
}

// mirrorOf is an entry with nothing but its mirrors.
func mirrorOf(e *networking.HTTPRoute) *networking.HTTPRoute {
	return &networking.HTTPRoute{Mirror: e.Mirror, Mirrors: e.Mirrors, MirrorPercentage: e.MirrorPercentage}
}
