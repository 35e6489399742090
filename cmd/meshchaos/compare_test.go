package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/compare"
	"github.com/meshchaos/meshchaos/test/records"
)

// A bound that was loosened is held against what the later run observed, as the one before.
func TestABoundThatWasChangedIsJudgedByTheLaterRun(t *testing.T) {
	for asked, want := range map[string]report.Became{"jason.min >= 5.8s": report.Changed, "jason.min >= 6.5s": report.Regressed} {
		before, now := records.Read(t, "delay-jason"), records.Read(t, "delay-jason")
		before.Expectations[0].Expression = asked
		c := compare.Compare(compare.Pair{Before: compare.Run{Record: before}, Now: runOf(source{record: now})})
		if c.Regressed != (want == report.Regressed) {
			t.Errorf("%s: regressed %v", asked, c.Regressed)
		}
		of := func(v report.Difference) bool { return v.Of == asked && v.Became == want && v.Now.Words != "" }
		if !slices.ContainsFunc(c.Scenarios[0].Values, of) {
			t.Errorf("%s: it is not %s among %+v", asked, want, c.Scenarios[0].Values)
		}
	}
}

// What differs and was not tested is not passed over: the table says how it is seen.
func TestATableTellsOfWhatItDoesNotShow(t *testing.T) {
	one, other := filepath.Join("..", "..", "test", "records", "delay-jason.json"), filepath.Join("..", "..", "test", "records", "delay-jason-istio.json")
	const hint = "-o wide shows what differs"
	for _, asked := range []struct {
		args []string
		want bool
	}{
		{[]string{"compare", one, other}, true}, {[]string{"compare", one, other, "-o", "wide"}, false}, {[]string{"compare", one, one}, false},
	} {
		var stdout, stderr strings.Builder
		execute(t.Context(), asked.args, &stdout, &stderr)
		if told := strings.Contains(stdout.String(), hint); told != asked.want || !strings.Contains(stdout.String(), "1 scenario compared") {
			t.Errorf("%q: %t; %s%s", asked.args, told, &stdout, &stderr)
		}
	}
}

// What is wrong in the words of who wrote a command, and none of Go.
func TestWhatCompareIsGivenWrongIsSaid(t *testing.T) {
	dir := t.TempDir()
	list := filepath.Join(dir, "list.json")
	if err := os.WriteFile(list, []byte("[1]"), 0o600); err != nil {
		t.Fatal(err)
	}
	record := filepath.Join("..", "..", "test", "records", "delay-jason.json")
	for _, one := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{"compare", record, list}, exitUsage, "line 1, column 1: a report has no array there"},
		{[]string{"compare", "", record}, exitUsage, "its name is empty"},
		{[]string{"history", ""}, exitUsage, "its name is empty"},
		{[]string{"run", "delay-jason", "--baseline", ""}, exitUsage, "reading --baseline: reading a report: its name is empty"},
		{[]string{"run", "delay-jason", "--baseline", dir}, exitUsage, "there is no report.json"},
		{[]string{"compare", record, record}, exitPass, "are reports of the same run of delay-jason"},
	} {
		var stdout, stderr strings.Builder
		status := execute(t.Context(), one.args, &stdout, &stderr)
		if said := stderr.String(); status != one.status || !strings.Contains(said, one.says) || strings.Contains(said, "Go value") {
			t.Errorf("%q: %d: %s", one.args, status, said)
		}
	}
}
