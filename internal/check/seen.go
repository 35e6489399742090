package check

// seen is what a window made possible: what is said of requests that were never
// sent could not have come out otherwise.
type seen struct {
	made    map[Load]int64   // the requests that were sent
	counted map[string]int64 // the most that a quantity of the proxies could have been, by its text
}

// sent is how many requests a load was; 0: it is not over.
func (s *seen) sent(l Load) int64 {
	if s == nil {
		return 0
	}
	return s.made[l]
}

// most is the most that a quantity of the proxies could have been; 0: nobody
// knows.
func (s *seen) most(n Need) int64 {
	if s == nil {
		return 0
	}
	return s.counted[n.text()]
}
