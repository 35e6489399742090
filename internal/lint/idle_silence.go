package lint

import "fmt"

// IdleSilence is the trap of a silence that silences nothing: what it was for has
// been mended, and the next one of its sort would go unheard.
const IdleSilence = "idle-silence"

// idleSilence warns of annotations. One for a trap that depends on what lies around
// the object may have a use elsewhere.
func idleSilence(f *finder) {
	for _, id := range silences(f.object) {
		for _, t := range traps() {
			if t.id != id || t.wide || id == IdleSilence {
				continue
			}
			other := finder{object: f.object, around: f.around, trap: t}
			if t.find(&other); len(other.found) == 0 {
				f.warn(fmt.Sprintf("metadata.annotations[%q]", Annotation+id), "it silences %s, and the object is not caught in that; take it out", id)
			}
		}
	}
}
