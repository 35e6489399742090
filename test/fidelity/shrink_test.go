//go:build e2e

package fidelity

import (
	"fmt"
	"slices"
	"testing"
)

// mostShrunk is of how many rule sets in a run the smallest that differ are looked
// for: a few show what is wrong.
const mostShrunk = 3

// smaller are the rule sets that lack n calls of a set or, if that is one, another
// thing.
func (s ruleSet) smaller(n int) (all []ruleSet) {
	for i := 0; i < len(s.calls); i += n {
		smaller := s
		smaller.calls = without(s.calls, i, min(n, len(s.calls)-i))
		all = append(all, smaller)
	}
	if n > 1 {
		return all
	}
	for i, fields := range s.entries {
		if len(s.entries) > 1 {
			smaller := s
			smaller.entries = without(s.entries, i, 1)
			all = append(all, smaller)
		}
		for j := range fields[:len(fields)-1] {
			smaller := s
			smaller.entries = slices.Clone(s.entries)
			smaller.entries[i] = without(fields, j, 1)
			all = append(all, smaller)
		}
	}
	for i := range s.policy {
		smaller := s
		smaller.policy = without(s.policy, i, 1)
		all = append(all, smaller)
	}
	return all
}

func without[T any](all []T, at, n int) []T { return slices.Delete(slices.Clone(all), at, at+n) }

// shrink looks for the smallest rule set that still differs: all that lack one
// thing are tried beside each other, and then what lacks one thing of the first
// that differs. Calls go first, many at once: with few, all else is quick to try.
func (c *cluster) shrink(t *testing.T, set ruleSet, differing *trial) *trial {
	t.Helper()
	name, n := differing.service, max(1, len(set.calls)/2)
	for round := 0; ; round++ {
		smaller := set.smaller(n)
		var trials []*trial
		for i, s := range smaller {
			trials = append(trials, c.prepare(t, s.comparison(differing.Name), fmt.Sprintf("%s-%d-%d", name, round, i)))
		}
		c.run(t, trials, atOnce)
		at := slices.IndexFunc(trials, func(tr *trial) bool { return len(tr.differences()) > 0 })
		switch {
		case at >= 0:
			set, differing = smaller[at], trials[at]
		case n == 1:
			return differing
		}
		n = max(1, min(n, len(set.calls))/2)
	}
}
