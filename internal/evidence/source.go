package evidence

import (
	"maps"
	"slices"

	"github.com/meshchaos/meshchaos/internal/mesh"
)

// asked is what is to be counted: of a service, or of one version of it.
type asked struct {
	service mesh.Service
	version string // empty: all
}

// answer is what a source says of one proxy. Without a name it says nothing, and
// why.
type answer struct {
	value uint64
	name  string // of the source, as the record has it
	why   string
}

func counted(name string, value uint64) answer { return answer{value: value, name: name} }
func unknown(why string) answer                { return answer{why: why} }

// source is one way to learn of one proxy what is asked: a quantity, or how often
// a part of a rule bit.
type source[A any] func(*Window, pair, A) answer

// read asks the sources in their order and adds the first that answers. Where
// none does it is false, with the reasons.
func read[A any](w *Window, t *tally, p pair, a A, sources []source[A]) (ok bool, why []string) {
	for _, ask := range sources {
		said := ask(w, p, a)
		if said.name != "" {
			t.add(said.name, p.proxy.Name, said.value)
			return true, nil
		}
		if said.why != "" && !slices.Contains(why, said.why) {
			why = append(why, said.why)
		}
	}
	return false, why
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
