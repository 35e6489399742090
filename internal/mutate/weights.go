package mutate

import (
	"fmt"
	"strings"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// moved is by how many points weights are moved: as far as a split has to notice,
// unless it says how far.
const moved = 10

// weights moves a part of what one version is given to the next, either way, and
// swaps what two are given.
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
		rest := was[2:]
		if was[0] >= moved {
			add("weights-moved", append([]int32{was[0] - moved, was[1] + moved}, rest...)...)
		}
		if was[1] >= moved {
			add("weights-moved-back", append([]int32{was[0] + moved, was[1] - moved}, rest...)...)
		}
		add("weights-swapped", append([]int32{was[1], was[0]}, rest...)...)
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
