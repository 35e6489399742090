// Package lint warns of what Istio takes and then does not do as its author most
// likely meant. Each such trap is a file of this package, with its line in traps
// and its page in docs/lint.
//
// What Istio refuses is none of its business: that is rules.Check. The package
// may import internal/rules and internal/nearest.
package lint

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// Warning is a trap that an object is caught in.
type Warning struct {
	Trap    string    // the id
	Ref     rules.Ref // the object
	Path    string    // from the object's top, as in rules.FieldError
	Message string    // what is wrong and what to do, to be read without the path
	Dead    bool      // what stands there can never bite, which no scenario means to write
	By      string    // the path of what keeps it from biting; empty: it does so itself
}

// Around is what is known of what lies around objects. What is not known is no
// reason to warn.
type Around struct {
	Objects []*rules.Object // those that are linted, and others
	All     bool            // the namespaces of the objects have no others
	Closed  bool            // there are no other namespaces either

	// Ready are the labels of each ready pod of a service, by its fully qualified
	// host. A service that is missing, or has none, may have any number.
	Ready map[string][]map[string]string
}

// IDs returns the ids of all traps, in the order in which they are listed.
func IDs() []string {
	var ids []string
	for _, t := range traps() {
		ids = append(ids, t.id)
	}
	return ids
}

// Find returns the traps that objects are caught in, in the order of the objects,
// those that an annotation silences among them.
func Find(objects []*rules.Object, around Around) []Warning {
	var all []Warning
	for _, o := range objects {
		for _, t := range traps() {
			f := finder{object: o, around: around, trap: t}
			t.find(&f)
			all = append(all, f.found...)
		}
	}
	return all
}

// trap is one sort of mistake.
type trap struct {
	id   string // kebab-case
	dead bool   // what stands there can never bite
	wide bool   // whether an object is caught depends on what lies around it too
	find func(*finder)
}

// finder looks for one trap in one object.
type finder struct {
	object *rules.Object
	around Around
	trap   trap
	found  []Warning
}

func (f *finder) warn(path, format string, args ...any) { f.because("", path, format, args...) }

// because warns of what something else of the object keeps from biting.
func (f *finder) because(by, path, format string, args ...any) {
	f.found = append(f.found, Warning{
		Trap: f.trap.id, Ref: f.object.Ref, Path: path, Message: fmt.Sprintf(format, args...), Dead: f.trap.dead, By: by,
	})
}

// spoken is how a host is called: of an object whose file leaves the namespace to
// kubectl, by its name alone.
func spoken(host string) string {
	name, _, _ := strings.Cut(host, "..svc.")
	return name
}

// ready is how many ready pods of a host have the labels; 0: that is not known.
func (f *finder) ready(host string, labels map[string]string) int {
	n := 0
	for _, pod := range f.around.Ready[host] {
		chosen := true
		for _, key := range slices.Sorted(maps.Keys(labels)) {
			chosen = chosen && pod[key] == labels[key]
		}
		if chosen {
			n++
		}
	}
	return n
}
