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
