package lint

import networking "istio.io/api/networking/v1alpha3"

// faultWithoutEffect warns of a delay that does not say how long, and of an abort
// that does not say with what: Istio takes them and injects nothing.
func faultWithoutEffect(f *finder) {
	for path, entry := range f.entries() {
		if d := entry.GetFault().GetDelay(); d != nil && d.HttpDelayType == nil {
			f.warn(path+".fault.delay", "the delay has no fixedDelay, so it delays nothing; give one, such as 7s")
		}
		if abortsNothing(entry.GetFault().GetAbort()) {
			f.warn(path+".fault.abort", "the abort has no httpStatus, so it aborts nothing; give one, such as 503")
		}
	}
}

func abortsNothing(abort *networking.HTTPFaultInjection_Abort) bool {
	return abort != nil && abort.ErrorType == nil
}
