package summary

// Term is a word of reports, and what it means there.
type Term struct{ Word, Means string }

// Terms are the words that a reader of a report may not know, as docs/reports.md has them.
func Terms() []Term {
	return []Term{
		{"given", "what the scenario puts in force before the first load and takes back last"},
		{"step", "one of several rules that a scenario applies one after the other, each with a load"},
		{"cohort", "one of the loads that are driven beside each other, by the name that the scenario gives it"},
		{"window", "a stretch of the run with load: the baseline before the rule, the load under the rule while it is in force (of several steps, step NAME), the recovery when it is undone"},
		{"bite", "a rule bites where requests are seen on which it had its effect; one that never did proves nothing"},
		{"qps", "requests a second: how many were reached, of how many were asked for"},
		{"p50, p90, p99", "the response time that 50, 90, 99 % of the requests did not exceed"},
	}
}
