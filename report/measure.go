package report

import "github.com/meshchaos/meshchaos/loadgen"

// What is measured is so while a load runs, too, and ends it: so these are loadgen's.
type (
	// Unit is what a Measure is counted in.
	Unit = loadgen.Unit
	// Measure is a number with its unit.
	Measure = loadgen.Measure
	// Part is so many of so many.
	Part = loadgen.Part
	// Bound is an operator with the measure that it compares with.
	Bound = loadgen.Bound
)

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
