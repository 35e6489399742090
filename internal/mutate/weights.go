package mutate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// moved is by how many points weights are moved: as far as a split has to notice,
// unless it says how far.
const moved = 10

// weights moves a part of what one version is given to the next, either way, and
// swaps what the two are given.
func weights(w written) []edit {
	var touches []touch
	w.splits(func(at spot, s split) {
		all := s.weights()
		if len(all) < 2 {
			return
		}
		var was []int32
		for _, weight := range all {
			was = append(was, *weight)
		}
		add := func(id string, now ...int32) {
			touches = append(touches, touch{
				spot: at, id: id, what: fmt.Sprintf("the weights of %s are %s, not %s", short(s.to()[0].Host), wordWeights(now), wordWeights(was)),
				do: func(o *rules.Object, index int, _ string) {
					for i, weight := range splitAt(o, at.list, index).weights() {
						*weight = now[i]
					}
				},
			})
		}
		for i := range len(was) - 1 {
			pair := ""
			if i > 0 {
				pair = fmt.Sprintf("route[%d]/", i)
			}
			with := func(first, second int32) []int32 {
				now := slices.Clone(was)
				now[i], now[i+1] = first, second
				return now
			}
			if was[i] >= moved {
				add(pair+"weights-moved", with(was[i]-moved, was[i+1]+moved)...)
			}
			if was[i+1] >= moved {
				add(pair+"weights-moved-back", with(was[i]+moved, was[i+1]-moved)...)
			}
			add(pair+"weights-swapped", with(was[i+1], was[i])...)
		}
	})
	return w.grouped(touches)
}

func wordWeights(all []int32) string {
	var words []string
	for _, weight := range all {
		words = append(words, fmt.Sprint(weight))
	}
	return strings.Join(words, "/")
}
