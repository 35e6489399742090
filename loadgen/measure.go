package loadgen

// Unit is what an amount is of.
type Unit string

// The units.
const (
	Number  Unit = "number"
	Seconds Unit = "seconds"
	Share   Unit = "share" // of 1
)

// Measure is an amount that was observed.
type Measure struct {
	Of    string  `json:"of,omitempty"` // of a split: the version; of comparisons that are joined: which of them observed it
	Value float64 `json:"value"`
	Unit  Unit    `json:"unit"`
	Least bool    `json:"least,omitempty"` // it is this at least, and may be more
	Part  *Part   `json:"part,omitempty"`  // of a share of requests
}

// Part is how many of how many were so, and between which shares that would be with
// other requests of the same kind, with a confidence of 99 % (Clopper and Pearson).
type Part struct {
	Count int64   `json:"count"`
	Total int64   `json:"total"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// Bound is what an amount was to keep to.
type Bound struct {
	Of       string   `json:"of,omitempty"`   // as Measure has it
	Operator string   `json:"operator"`       // of the observed amount: <, <=, >, >=, ==, !=
	Value    *float64 `json:"value"`          // in the observed amount's unit; nil: another quantity was asked for that is not known
	Name     string   `json:"name,omitempty"` // of that quantity, as it is written; empty: a constant
}

// Cap is what an amount was to keep to that exceeded it.
func Cap(limit float64) []Bound { return []Bound{{Operator: "<=", Value: &limit}} }
