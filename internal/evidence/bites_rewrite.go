package evidence

import "github.com/meshchaos/meshchaos/internal/rules"

// rewrittenOfSent counts the requests that got to an endpoint rewritten: of those
// that the load sent itself, not those of which the rewrite makes what they were. What
// an application asks for is not known, and taken to be what the rewrite is for.
func rewrittenOfSent(w *Window, p pair, part rules.Part) answer {
	reached := loggedReached(w, p, part)
	if reached.name == "" || !p.proxy.Client && !p.proxy.Gateway {
		return reached
	}
	asBefore := w.sentThat(p, func(r rules.Request) (bool, bool) {
		goes, changed, known := part.Rewrites(r, w.Objects)
		return goes && known && !changed, true
	})
	if asBefore.value == 0 {
		return reached
	}
	return counted(reached.name, reached.value-min(reached.value, asBefore.value))
}
