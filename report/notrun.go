package report

// KindNotRun heads what stands in the place of a record where a scenario has none.
const KindNotRun = "NotRun"

// NotRun is a scenario of a command that has no record.
type NotRun struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Scenario   Unread `json:"scenario"`
	Became     string `json:"became"` // refused, not run or not begun
	Error      string `json:"error"`  // why
}

// Unread is what is known of a scenario that may not have been read.
type Unread struct {
	Name string `json:"name"` // that of the file where its own is not known
	File string `json:"file"`
}

// NotRunOf says of a scenario why it was not run.
func NotRunOf(name, file, became, why string) NotRun {
	return NotRun{APIVersion, KindNotRun, Unread{name, file}, became, why}
}
