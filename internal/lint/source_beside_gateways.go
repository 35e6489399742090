package lint

import "fmt"

// sourceBesideGateways warns of a match that asks where a request comes from and
// names gateways: Istio then does not ask.
func sourceBesideGateways(f *finder) {
	for path, entry := range f.entries() {
		for i, match := range entry.Match {
			if len(match.Gateways) > 0 && (len(match.SourceLabels) > 0 || match.SourceNamespace != "") {
				f.warn(fmt.Sprintf("%s.match[%d].gateways", path, i), "Istio ignores sourceLabels and sourceNamespace in a match that has gateways; leave out the one or the other")
			}
		}
	}
}
