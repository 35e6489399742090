package lint

// faultWithOldPercent warns of the spelling of percentage that Istio has given up
// and still takes.
func faultWithOldPercent(f *finder) {
	for path, share := range f.shares() {
		if share.percentage == nil && share.old != 0 {
			f.warn(path+".percent", "percent is deprecated; write percentage: {value: %d}", share.old)
		}
	}
}
