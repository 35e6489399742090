package scenarios

import "github.com/meshchaos/meshchaos/internal/lint"

// The traps of a scenario; those of Istio's objects are of internal/lint. Each has
// a page in docs/lint.
const (
	tooFewRequests = "too-few-requests" // for what is to be established
	versionsAlike  = "versions-alike"   // an answer of one shows the other

	// RuleWithoutCohort is that of a rule which no cohort passes through. It shows when
	// a run is planned.
	RuleWithoutCohort = "rule-without-cohort"
)

// Traps returns the ids of all traps that a scenario can be caught in.
func Traps() []string {
	return append(lint.IDs(), tooFewRequests, versionsAlike, RuleWithoutCohort)
}
