package records_test

import (
	"testing"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/test/records"
)

func TestTheRecordsEndedAsTheirNamesSay(t *testing.T) {
	want := map[string]report.Verdict{"failing": report.Fail, "inconclusive": report.Inconclusive, "not-restored": report.Inconclusive}
	for _, name := range records.Names(t) {
		verdict := want[name]
		if verdict == "" {
			verdict = report.Pass
		}
		if r := records.Read(t, name); r.Verdict != verdict || r.Restored != (name != "not-restored") {
			t.Errorf("%s is %s, restored %v", name, r.Verdict, r.Restored)
		}
	}
}
