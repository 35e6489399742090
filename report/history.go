package report

// KindHistory heads the runs of scenarios over time.
const KindHistory = "History"

// History is the runs of scenarios over time.
type History struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Tool       Tool   `json:"tool"`
	Scenarios  []Past `json:"scenarios"` // in the order of their names
}

// Past is the runs of a scenario, the earliest first.
type Past struct {
	Scenario string  `json:"scenario"`
	Runs     []Night `json:"runs"`
	Trends   []Trend `json:"trends"`
}

// Night is one run, and what has changed since the one before it.
type Night struct {
	Side
	Unlike []string     `json:"unlike,omitempty"` // what was not the same as in the run before
	Moved  []Difference `json:"moved,omitempty"`  // the values that changed since, by a comparison of the two
}

// Trend is one value over the runs: of a load under the rule, or what an expectation
// observed.
type Trend struct {
	Of     string     `json:"of"` // p50, p99; failed: the share of the requests that did; or the expectation, and of a split the version
	Step   string     `json:"step,omitempty"`
	Cohort string     `json:"cohort,omitempty"` // empty: it is what an expectation observed
	Unit   Unit       `json:"unit"`
	Values []*float64 `json:"values"`          // one for each run; nil: it has none
	Moved  []int      `json:"moved,omitempty"` // the runs, counted from 0, in which it had moved since the one before
}
