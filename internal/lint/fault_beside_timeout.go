package lint

// faultBesideTimeout warns of an entry whose fault is expected to try out its own
// timeout or retries. The fault filter stands before the router, which is what
// counts the time and tries again (istio/istio#13705, #20928).
func faultBesideTimeout(f *finder) {
	for path, entry := range f.entries() {
		delayed := entry.GetFault().GetDelay() != nil && (entry.Timeout != nil || entry.Retries.GetPerTryTimeout() != nil)
		aborted := entry.GetFault().GetAbort() != nil && entry.Retries.GetAttempts() > 0
		if delayed || aborted {
			f.warn(path+".fault", "a delay is not charged to the timeout beside it, and an abort is never retried (istio/istio#13705); to try those, put the fault on a service that this one calls")
		}
	}
}
