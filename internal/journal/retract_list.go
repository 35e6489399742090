package journal

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"
)

// list retracts from a list whose elements are told apart; ok is false for any
// other.
func (r *retraction) list(path string, v sides[any]) (out any, ok bool) {
	all := true
	lists := each(v, func(value any) []any {
		list, one := value.([]any)
		all = all && (one || value == (any)(absent{}))
		return list
	})
	if !all {
		return nil, false
	}
	var kept []any
	switch {
	case strings.HasSuffix(path, ".subsets"), strings.HasSuffix(path, ".portLevelSettings"):
		kept, ok = r.keyed(path, lists)
	case path == "spec.http", path == "spec.tcp", path == "spec.tls":
		kept, ok = r.entries(path, lists), true
	}
	if ok && len(kept) == 0 && v.was == (any)(absent{}) {
		return v.was, true
	}
	return kept, ok
}

// keyOf is what tells a subset from others, or a port's settings.
func keyOf(element any) string {
	fields, _ := element.(map[string]any)
	if name, ok := fields["name"].(string); ok {
		return name
	}
	port, _ := fields["port"].(map[string]any)
	if number, ok := port["number"].(json.Number); ok {
		return number.String()
	}
	return ""
}

// keyed retracts from a list of elements that have a key of their own, in the order
// of theirs. What comes back stands behind them.
func (r *retraction) keyed(path string, lists sides[[]any]) ([]any, bool) {
	all := true
	by := each(lists, func(list []any) map[string]any {
		elements := map[string]any{}
		for _, element := range list {
			elements[keyOf(element)] = element
		}
		_, unnamed := elements[""]
		all = all && !unnamed && len(elements) == len(list)
		return elements
	})
	if !all {
		return nil, false
	}
	var out []any
	done := map[string]bool{}
	for _, element := range slices.Concat(lists.theirs, lists.was) {
		key := keyOf(element)
		if done[key] {
			continue
		}
		done[key] = true
		if left := r.value(fmt.Sprintf("%s[%s]", path, key), fields(by, key)); left != (any)(absent{}) {
			out = append(out, left)
		}
	}
	return out, true
}

// entry is an entry of a VirtualService.
type entry struct {
	tree any
	name string
	does proto.Message // all that it says but for its name
}

// entriesOf reads the entries at a path of an object's spec, which stand in its manifest
// too.
func entriesOf(spec proto.Message, path string, manifest []any) []entry {
	all := make([]entry, len(manifest))
	vs := spec.(*networking.VirtualService)
	for i, tree := range manifest {
		all[i].tree = tree
		switch path {
		case "spec.http":
			does := proto.CloneOf(vs.Http[i])
			all[i].name, does.Name = does.Name, ""
			all[i].does = does
		case "spec.tcp":
			all[i].does = vs.Tcp[i]
		default:
			all[i].does = vs.Tls[i]
		}
	}
	return all
}

// entries retracts from the entries of a VirtualService, in the order of theirs.
func (r *retraction) entries(path string, lists sides[[]any]) []any {
	was, ours, theirs := entriesOf(r.specs.was, path, lists.was), entriesOf(r.specs.ours, path, lists.ours), entriesOf(r.specs.theirs, path, lists.theirs)
	e := entries{
		retraction: r, path: path, was: was, meant: lists.meant, ours: ours, theirs: theirs,
		became: align(len(ours), len(theirs), func(o, t int) bool {
			return ours[o].name != "" && ours[o].name == theirs[t].name || proto.Equal(ours[o].does, theirs[t].does)
		}),
		slots: make([][]any, len(theirs)),
	}
	for t := range theirs {
		e.slots[t] = []any{theirs[t].tree}
	}
	from := align(len(was), len(ours), func(w, o int) bool { return proto.Equal(was[w].does, ours[o].does) })
	for t := range theirs {
		if !slices.Contains(e.became, t) {
			e.moved(t, from)
		}
	}
	w, o := 0, 0
	for next := 0; next <= len(was); next++ {
		switch {
		case next == len(was):
			e.block(w, next, o, len(ours))
		case from[next] >= 0:
			e.block(w, next, o, from[next])
			e.renamed(next, from[next])
			w, o = next+1, from[next]+1
		}
	}
	return slices.Concat(append([][]any{e.front}, e.slots...)...)
}

// entries is what becomes of theirs.
type entries struct {
	*retraction
	path              string
	was, ours, theirs []entry
	meant             []any
	became            []int   // of each of ours the one of theirs; -1: none
	front             []any   // what comes before all of theirs
	slots             [][]any // what takes the place of each of theirs
}

// renamed gives an entry that the run has only named its name back.
func (e *entries) renamed(w, o int) {
	if t := e.became[o]; t >= 0 && e.theirs[t].name == e.ours[o].name {
		left := sides[any]{e.was[w].tree, e.meant[w], e.ours[o].tree, e.theirs[t].tree}
		e.slots[t] = []any{e.value(fmt.Sprintf("%s[%d]", e.path, t), left)}
	}
}

// moved retracts from one of theirs that does not stand where one of ours did, but is
// one: somebody else has put it elsewhere, or doubled it.
func (e *entries) moved(t int, from []int) {
	name := func(o entry) bool { return o.name != "" && o.name == e.theirs[t].name }
	o := slices.IndexFunc(e.ours, name)
	for i := 0; o < 0 && i < len(e.ours); i++ { // one that is where it was is not this one
		if e.became[i] < 0 && proto.Equal(e.ours[i].does, e.theirs[t].does) {
			o = i
		}
	}
	if o < 0 {
		return
	}
	switch w := slices.Index(from, o); {
	case w >= 0 && !name(e.ours[o]): // as was, too
	case w >= 0:
		left := sides[any]{e.was[w].tree, e.meant[w], e.ours[o].tree, e.theirs[t].tree}
		e.slots[t] = []any{e.value(fmt.Sprintf("%s[%d]", e.path, t), left)}
	case e.added(o, from) && proto.Equal(e.ours[o].does, e.theirs[t].does):
		e.slots[t] = nil
	default:
		e.overlap(fmt.Sprintf("%s[%d]", e.path, t))
	}
}

// added says whether one of ours took the place of nothing.
func (e *entries) added(o int, from []int) bool {
	before, behind := -1, len(e.was)
	for w, at := range from {
		switch {
		case at >= 0 && at < o:
			before = w
		case at > o && behind == len(e.was):
			behind = w
		}
	}
	return behind == before+1
}

// block puts was[w0:w1] back in the place of ours[o0:o1].
func (e *entries) block(w0, w1, o0, o1 int) {
	was, became := e.was[w0:w1], e.became[o0:o1]
	gone := !slices.ContainsFunc(became, func(t int) bool { return t >= 0 })
	switch {
	case gone && e.haveAll(was):
	case gone && o0 == o1 && o0 == 0:
		e.front = trees(was)
	case gone && o0 == o1 && e.became[o0-1] >= 0:
		before := e.became[o0-1]
		e.slots[before] = append(e.slots[before], trees(was)...)
	case !gone && e.untouched(o0, o1, len(was) > 0):
		for _, t := range became {
			e.slots[t] = nil
		}
		e.slots[became[0]] = trees(was)
	default:
		e.overlap(e.place(became))
	}
}

// haveAll says whether entries are there all the same.
func (e *entries) haveAll(was []entry) bool {
	return !slices.ContainsFunc(was, func(w entry) bool {
		return !slices.ContainsFunc(e.theirs, func(t entry) bool { return proto.Equal(t.does, w.does) })
	})
}

// untouched says whether somebody else has left ours[o0:o1] as they were, and, if
// something is to take their place, nothing between them.
func (e *entries) untouched(o0, o1 int, together bool) bool {
	for o := o0; o < o1; o++ {
		t := e.became[o]
		if t < 0 || !proto.Equal(e.theirs[t].does, e.ours[o].does) || together && o > o0 && t != e.became[o-1]+1 {
			return false
		}
	}
	return true
}

// place words where a block stands.
func (e *entries) place(became []int) string {
	for _, t := range became {
		if t >= 0 {
			return fmt.Sprintf("%s[%d]", e.path, t)
		}
	}
	return e.path
}

func trees(all []entry) []any {
	out := make([]any, len(all))
	for i, one := range all {
		out[i] = one.tree
	}
	return out
}

// align pairs as many as possible of n elements with others of m, in their order: a
// longest common subsequence. It returns the other of each, -1 for none.
func align(n, m int, same func(i, j int) bool) []int {
	length := make([][]int, n+1)
	for i := range length {
		length[i] = make([]int, m+1)
	}
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			length[i][j] = max(length[i+1][j], length[i][j+1])
			if same(i, j) {
				length[i][j] = max(length[i][j], length[i+1][j+1]+1)
			}
		}
	}
	pairs := slices.Repeat([]int{-1}, n)
	for i, j := 0, 0; i < n && j < m; {
		switch {
		case same(i, j) && length[i][j] == length[i+1][j+1]+1:
			pairs[i] = j
			i, j = i+1, j+1
		case length[i][j] == length[i+1][j]:
			i++
		default:
			j++
		}
	}
	return pairs
}
