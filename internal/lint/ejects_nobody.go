package lint

import (
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// defaultMaxEjectionPercent is Envoy's.
const defaultMaxEjectionPercent = 10

// ejectsNobody warns of an outlier detection that may not eject the first endpoint:
// since 1.28 Envoy ejects only while what is ejected then is no more than
// maxEjectionPercent (istio/istio#17004, #20135, #45128). Where the number of
// endpoints is not known, a percentage that somebody wrote is taken as meant. And of
// one that counts no failures, whatever it allows (istio/istio#8846).
func ejectsNobody(f *finder) {
	for path, p := range f.policies() {
		if p.outlier == nil || p.outlier.MaxEjectionPercent < 0 {
			continue
		}
		if countsNothing(p.outlier) {
			f.warn(path+".outlierDetection.consecutive5xxErrors", "0 switches it off, and nothing else is counted, so that nothing is ever ejected; write how many failures in a row are enough, or take the outlierDetection out")
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

// countsNothing says whether Envoy's five answers 5xx are switched off, and no other
// failures are counted instead.
func countsNothing(o *networking.OutlierDetection) bool {
	local := o.SplitExternalLocalOriginErrors && (o.ConsecutiveLocalOriginFailures == nil || o.ConsecutiveLocalOriginFailures.Value > 0)
	return o.Consecutive_5XxErrors != nil && o.Consecutive_5XxErrors.Value == 0 && o.GetConsecutiveGatewayErrors().GetValue() == 0 && !local
}
