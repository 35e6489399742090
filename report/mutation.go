package report

import "time"

// KindMutation heads what became of the mutants of a scenario.
const KindMutation = "Mutation"

// Mutation is what became of a scenario's mutants, each the scenario with one thing
// wrong in its rules.
type Mutation struct {
	APIVersion string    `json:"apiVersion"`
	Kind       string    `json:"kind"`
	Tool       Tool      `json:"tool"`
	Scenario   Scenario  `json:"scenario"`
	Seed       uint64    `json:"seed,string"` // of every run
	Started    time.Time `json:"started"`
	Ended      time.Time `json:"ended"`
	Run        *Record   `json:"run"`     // of the scenario as it stands; unless it passed, no mutant was run
	Mutants    []Mutant  `json:"mutants"` // in the order of the rules
}

// Fate is what became of a mutant.
type Fate string

// The fates.
const (
	Killed   Fate = "killed"   // its run was no pass
	Survived Fate = "survived" // its run passed: the scenario does not establish what it seems to
	Excused  Fate = "excused"  // its run passed, and the file says why
	Unknown  Fate = "unknown"  // it could not be run to its end
)

// Mutant is one thing wrong, and who noticed.
type Mutant struct {
	ID     string  `json:"id"`
	Line   int     `json:"line"` // of the rule in the scenario file
	What   string  `json:"what"` // is wrong
	Fate   Fate    `json:"fate"`
	By     *Killer `json:"by,omitempty"`     // what killed it
	Wanted []Want  `json:"wanted,omitempty"` // expectations that would have, by what was observed; those of one that is excused cast doubt on the excuse
	Advice string  `json:"advice,omitempty"` // what to do where none would
	Excuse string  `json:"excuse,omitempty"` // of the file; of one that was killed it is wrong
	Reason string  `json:"reason,omitempty"` // why nothing is known of it
	Millis int64   `json:"ms"`               // how long its run took
}

// Want is an expectation that would have killed a mutant.
type Want struct {
	Expression string `json:"expression"`
	Step       string `json:"step,omitempty"` // among whose expectations it is to stand
}

// Killer is the first thing that kept a mutant's run from being a pass: an
// expectation that failed, else one that is inconclusive, else a problem.
type Killer struct {
	Expectation *Expectation `json:"expectation,omitempty"`
	Point       int          `json:"point,omitempty"` // of docs/verdicts.md, that has found the problem; 0: none of them
	Problem     string       `json:"problem,omitempty"`
}

// Count is how many mutants had a fate.
func (m *Mutation) Count(fate Fate) int {
	n := 0
	for _, one := range m.Mutants {
		if one.Fate == fate {
			n++
		}
	}
	return n
}

// Wrong says whether an excuse is one of a mutant that was killed.
func (m Mutant) Wrong() bool { return m.Fate == Killed && m.Excuse != "" }
