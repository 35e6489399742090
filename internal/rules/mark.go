package rules

import (
	"fmt"
	"regexp"

	networking "istio.io/api/networking/v1alpha3"
)

// MarkPrefix begins every mark, of any run.
const MarkPrefix = "meshchaos-"

var markOf = regexp.MustCompile(`(^|\.)` + MarkPrefix + `[^.]*$`)

// Mark puts a mark into the name of every http entry of a VirtualService, in
// the place of an earlier mark: reviews-default becomes
// reviews-default.meshchaos-7f3a-1-2-0, where meshchaos-7f3a-1-2 is the mark and 0
// the entry's number. Istio makes it the name of the Envoy route, the only part
// of a proxy's routes that tells which generation of a rule it runs. A mark
// begins with meshchaos- and has no dot. Objects without http entries are left
// as they are.
func Mark(o *Object, mark string) {
	vs, ok := o.Spec.(*networking.VirtualService)
	if !ok {
		return
	}
	for i, entry := range vs.Http {
		name := markOf.ReplaceAllString(entry.Name, "")
		if name != "" {
			name += "."
		}
		entry.Name = fmt.Sprintf("%s%s-%d", name, mark, i)
	}
}
