package lint

import (
	"github.com/meshchaos/meshchaos/internal/rules"
)

// defaultMaxEjectionPercent is Envoy's.
const defaultMaxEjectionPercent = 10

// ejectsNobody warns of an outlier detection that may not eject the first endpoint:
// since 1.28 Envoy ejects only while what is ejected then is no more than
// maxEjectionPercent (istio/istio#17004, #20135, #45128). Where the number of
// endpoints is not known, a percentage that somebody wrote is taken as meant.
func ejectsNobody(f *finder) {
	for path, p := range f.policies() {
		if p.outlier == nil || p.outlier.MaxEjectionPercent < 0 {
			continue
		}
		percent, by := int(p.outlier.MaxEjectionPercent), ""
		if percent == 0 {
			percent, by = defaultMaxEjectionPercent, " (the default)"
		}
		path += ".outlierDetection.maxEjectionPercent"
		endpoints := f.ready(rules.Hosts(f.object)[0], p.labels)
		least := (99 + percent) / percent
		switch {
		case endpoints == 0 && by != "":
			f.warn(path, "with %d%%%s nothing is ejected from a service of fewer than %d endpoints; 100 lets the last one go too", percent, by, least)
		case 0 < endpoints && endpoints < least:
			f.warn(path, "with %d%%%s nothing is ejected from fewer than %d endpoints, and %s has %d; 100 lets the last one go too", percent, by, least, rules.Hosts(f.object)[0], endpoints)
		}
	}
}
