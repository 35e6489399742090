package lint

import "github.com/meshchaos/meshchaos/internal/rules"

// unreachableEntry warns of an entry behind one that takes all that it matches:
// the first entry that matches wins.
func unreachableEntry(f *finder) {
	for _, hidden := range rules.HiddenEntries(f.object) {
		f.because(hidden.By, hidden.Path, "nothing reaches it, since %s before it takes all that it matches; put the narrower entry first", hidden.By)
	}
}
