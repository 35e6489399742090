package report

import "github.com/meshchaos/meshchaos/loadgen"

// Unit is what an amount is of. It is loadgen's, as the types below: a load is ended by
// what it has measured itself.
type Unit = loadgen.Unit

// Measure is an amount that was observed.
type Measure = loadgen.Measure

// Part is how many of how many requests were so.
type Part = loadgen.Part

// Bound is what an amount was to keep to.
type Bound = loadgen.Bound

// The units.
const (
	Number  = loadgen.Number
	Seconds = loadgen.Seconds
	Share   = loadgen.Share
)

// Conclusion is what a pass shows: a sentence of the scenario, with what was observed in
// it.
type Conclusion struct {
	Step    string   `json:"step,omitempty"`
	Line    int      `json:"line,omitempty"` // in the scenario file
	Text    string   `json:"text"`
	Amounts []Amount `json:"amounts"` // in the order in which they stand in it
}

// Amount is one of the amounts of a sentence.
type Amount struct {
	Expression string  `json:"expression"` // what stands for it in the scenario
	Words      string  `json:"words"`      // what stands in the sentence
	Measure    Measure `json:"measure"`
	Samples    int64   `json:"samples"` // how many requests it stands on
	Source     string  `json:"source,omitempty"`
}
