package lint

// perTryTimeoutTooLong warns of a per-try timeout that the timeout of the whole is
// over before. Envoy ignores it (the router's documentation,
// x-envoy-upstream-rq-per-try-timeout-ms).
func perTryTimeoutTooLong(f *finder) {
	for path, entry := range f.entries() {
		each := entry.Retries.GetPerTryTimeout()
		if each != nil && entry.Timeout != nil && each.AsDuration() >= entry.Timeout.AsDuration() {
			f.warn(path+".retries.perTryTimeout", "Envoy ignores a perTryTimeout that is not below the timeout; make it shorter")
		}
	}
}
