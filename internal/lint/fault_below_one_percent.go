package lint

// faultBelowOnePercent warns of a percentage that was probably meant as a fraction
// (istio/istio#39969).
func faultBelowOnePercent(f *finder) {
	for path, share := range f.shares() {
		if v := share.percentage.GetValue(); v > 0 && v < 1 {
			f.warn(path+".percentage", "the fault is for %v%% of the requests; values go from 0 to 100, so write %.4g if that is meant", v, 100*v)
		}
	}
}
