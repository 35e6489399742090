package lint

// zeroLimit warns of a limit of a connection pool that is written as 0. Istio's
// numbers have no other way to say that they are not set.
func zeroLimit(f *finder) {
	for _, path := range f.object.ZeroLimits() {
		f.warn(path, "Istio takes 0 as unset, which is no limit; write 1 for the least limit")
	}
}
