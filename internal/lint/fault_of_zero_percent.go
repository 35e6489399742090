package lint

// faultOfZeroPercent warns of a fault that is for no request.
func faultOfZeroPercent(f *finder) {
	for path, share := range f.shares() {
		if share.percentage != nil && share.percentage.Value == 0 {
			f.warn(path+".percentage", "the percentage is 0, so the fault never bites; values go from above 0 to 100")
		}
	}
}
