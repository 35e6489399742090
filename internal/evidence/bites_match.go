package evidence

import (
	"fmt"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// matchedBySent counts the requests of the load that one of several matches of an
// entry was for: a log tells entries apart, and not their matches.
func matchedBySent(w *Window, p pair, part rules.Part) answer {
	by, why := w.byPart(p, part, func(logged) bool { return true })
	switch {
	case why != "":
		return unknown(why)
	case by == 0:
		return counted(logSource+" by route name", 0)
	case !p.proxy.Client && !p.proxy.Gateway:
		return unknown(fmt.Sprintf("nothing tells which of the matches of %s the requests met that %s sent; give it an entry of its own", part.Whole, p.proxy.Name))
	}
	said := w.sentThat(p, func(r rules.Request) (bool, bool) { return part.Takes(r, w.Objects) })
	if said.name == "" {
		said.why += "; give it an entry of its own"
	}
	return said
}
