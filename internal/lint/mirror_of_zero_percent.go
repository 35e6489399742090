package lint

import "fmt"

// mirrorOfZeroPercent warns of a mirror that is for no request.
func mirrorOfZeroPercent(f *finder) {
	warn := func(path string) {
		f.warn(path, "the percentage is 0, so nothing is mirrored; values go from above 0 to 100, and without one all is")
	}
	for path, entry := range f.entries() {
		old := entry.MirrorPercent //nolint:staticcheck // Istio still reads it
		switch {
		case entry.Mirror == nil:
		case entry.MirrorPercentage != nil && entry.MirrorPercentage.Value == 0:
			warn(path + ".mirrorPercentage")
		case entry.MirrorPercentage == nil && old != nil && old.Value == 0:
			warn(path + ".mirrorPercent")
		}
		for i, mirror := range entry.Mirrors {
			if mirror.Percentage != nil && mirror.Percentage.Value == 0 {
				warn(fmt.Sprintf("%s.mirrors[%d].percentage", path, i))
			}
		}
	}
}
