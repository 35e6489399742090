package lint

// faultWithoutPercentage warns of a fault that says nothing of how many requests it
// is for: Istio takes that for 0 % (istio/istio#36303).
func faultWithoutPercentage(f *finder) {
	for path, share := range f.shares() {
		if share.percentage == nil && share.old == 0 {
			f.warn(path, "the fault has no percentage, which means 0%%, so it never bites (istio/istio#36303); write percentage: {value: 100} for all requests")
		}
	}
}
