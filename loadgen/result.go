package loadgen

// Count is how many requests had an outcome for which match is true.
func (r *Result) Count(match func(Outcome) bool) int64 {
	var count int64
	for _, o := range r.Outcomes {
		if match(o) {
			count += o.Count
		}
	}
	return count
}

// Statuses counts the whole HTTP answers by status.
func (r *Result) Statuses() map[int]int64 {
	counts := map[int]int64{}
	for _, o := range r.Outcomes {
		if o.Status != 0 {
			counts[o.Status] += o.Count
		}
	}
	return counts
}

// Versions counts the whole answers by version, those that showed none under
// the empty string.
func (r *Result) Versions() map[string]int64 {
	counts := map[string]int64{}
	for _, o := range r.Outcomes {
		if o.Error == "" {
			counts[o.Version] += o.Count
		}
	}
	return counts
}

// ActualQPS is the rate of requests a second, from the start of the load until
// the last answer. Where nothing was sent there is none: ok is false.
func (r *Result) ActualQPS() (qps float64, ok bool) {
	if r.Sent == 0 || r.Elapsed <= 0 {
		return 0, false
	}
	return float64(r.Sent) / r.Elapsed.Seconds(), true
}

// OffSchedule is how many requests an open loop owed by the end of the load and
// did not begin on time, and how many it owed. In a closed loop nothing is owed.
func (r *Result) OffSchedule() (off, owed int64) {
	if r.TargetQPS == 0 {
		return 0, 0
	}
	return r.Late + r.Missed, r.Sent + r.Missed
}
