package terminal

import (
	"strings"
	"testing"
	"time"

	"github.com/olekukonko/tablewriter/pkg/twwidth"

	"github.com/meshchaos/meshchaos/report/summary"
	"github.com/meshchaos/meshchaos/test/records"
)

// endings are those of the records, and of scenarios without one.
func endings(t *testing.T) []summary.Ended {
	t.Helper()
	var all []summary.Ended
	for _, name := range records.Names(t) {
		r := records.Read(t, name)
		all = append(all, summary.Ended{Name: name, Record: r, Why: summary.Why(r), Took: r.Ended.Sub(r.Started)})
	}
	return append(all, summary.Ended{Name: "typo", Word: "refused", Why: "typo.yaml:3:5: no service reviwes\x1b[2J; there is reviews", Took: time.Second}, summary.Ended{Name: "late", Word: "not begun", Why: "the command was interrupted before"})
}

func TestSeveralScenariosAreSummedUpAsShown(t *testing.T) {
	for name, options := range map[string]Options{"several-80": {Width: 80}, "several-200": {Width: 200}, "several-color": {Width: 80, Color: true}} {
		var out strings.Builder
		if err := WriteSeveral(&out, endings(t), options); err != nil {
			t.Fatal(err)
		}
		hold(t, name, out.String())
		for line := range strings.Lines(out.String()) {
			if twwidth.Width(strings.TrimSuffix(line, "\n")) > options.Width || strings.HasSuffix(line, " \n") {
				t.Errorf("%s: %q", name, line)
			}
		}
	}
}

// A file that is no scenario stands there by its name, whoever gave it that.
func TestANameActsOnNoTerminal(t *testing.T) {
	var out strings.Builder
	if err := WriteSeveral(&out, []summary.Ended{{Name: "typo\x1b[2J.yaml", Word: "refused"}}, Options{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "refused  typo.yaml  -\n") {
		t.Errorf("it is %q", &out)
	}
}

func TestWhatIsNoPassComesFirst(t *testing.T) {
	var out strings.Builder
	if err := WriteSeveral(&out, endings(t), Options{}); err != nil {
		t.Fatal(err)
	}
	at := -1
	for _, name := range []string{"not-restored", "failing", "inconclusive", "typo", "late", "breaker-httpbin", "delay-jason-istio"} {
		next := strings.Index(out.String(), "  "+name+" ")
		if next <= at {
			t.Errorf("%s stands before what is graver:\n%s", name, &out)
		}
		at = next
	}
}
