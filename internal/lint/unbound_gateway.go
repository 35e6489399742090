package lint

import (
	"strings"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// unboundGateway warns of a match that names a gateway which the rule is not bound
// to: the list of a match narrows that of the rule down, and brings none along.
func unboundGateway(f *finder) {
	bound := strings.Join(rules.BoundTo(f.object), ", ")
	for _, block := range rules.Unbound(f.object) {
		for _, gateway := range block.Gateways {
			f.warn(block.Path+".gateways", "the rule is not bound to %s, only to %s, so the match is never asked there; add it to spec.gateways",
				strings.TrimPrefix(gateway, "/"), strings.TrimPrefix(bound, "/"))
		}
	}
}
