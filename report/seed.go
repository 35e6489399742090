package report

import (
	"fmt"
	"hash/fnv"
)

// LoadSeed is what the requests of a cohort are drawn by in a window, where its plan has no
// seed of its own: it comes of the run's, so that a run that is repeated by that asks for
// the same, and no two loads do; 0: the run has none, and each load draws its own.
func (r *Record) LoadSeed(w *Window, cohort string) int64 {
	if r.Seed == nil {
		return 0
	}
	hash := fnv.New64a()
	_, _ = fmt.Fprintf(hash, "%d %q %q %q", *r.Seed, w.Name, w.Step, cohort) // which never fails
	const bits = 52                                                          // of those that every reader of JSON keeps
	return 1 + int64(hash.Sum64()>>(64-bits))
}
