package evidence

import (
	"fmt"
	"slices"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/loadgen"
)

// removedFromSent counts the requests that got to an endpoint and had had the header
// that an entry takes away, as far as that is known, which it is of the load's own.
// Of what an application sent it is taken that it hands on what the load gives it.
func removedFromSent(w *Window, p pair, part rules.Part) answer {
	reached := loggedReached(w, p, part)
	switch {
	case reached.name == "" || reached.value == 0:
		return reached
	case !p.proxy.Client && !p.proxy.Gateway && w.sends(part.Removed()):
		return reached
	case !p.proxy.Client && !p.proxy.Gateway:
		return unknown(fmt.Sprintf("nothing tells whether the requests that %s sent had the header %s, which no cohort sends", p.proxy.Name, part.Removed()))
	}
	with := w.sentThat(p, func(r rules.Request) (bool, bool) {
		_, has, known := part.Removes(r, w.Objects)
		return has, known
	})
	if with.value == 0 {
		return with
	}
	without := w.sentThat(p, func(r rules.Request) (bool, bool) {
		goes, has, known := part.Removes(r, w.Objects)
		return !has && (goes || !known), true
	})
	return counted(reached.name, min(with.value, reached.value-min(reached.value, without.value)))
}

// sends says whether a cohort gives its requests a header.
func (w *Window) sends(header string) bool {
	return slices.ContainsFunc(w.Cohorts, func(c mesh.Cohort) bool {
		return slices.ContainsFunc(w.allSent(c, &loadgen.Result{}), func(s sentAs) bool { return s.Gives(header) })
	})
}
