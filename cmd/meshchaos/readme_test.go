package main

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/terminal"
)

var update = flag.Bool("update", false, "write the transcript of the README, and the goldens, anew")

const (
	readme  = "../../README.md"
	command = "$ meshchaos run delay-jason.yaml --seed 1\n"
)

// The README shows a run. What it prints differs from run to run in times alone, and in
// how many requests others send meanwhile.
func TestTheTranscriptOfTheReadmeIsThatOfARun(t *testing.T) {
	said, record := passed(t)
	var got strings.Builder
	got.WriteString(said)
	if err := terminal.Write(&got, record, terminal.Options{Width: 80}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, there := strings.Cut(string(text), command)
	shown, after, closed := strings.Cut(rest, "```\n")
	if !there || !closed {
		t.Fatalf("README.md has no transcript of %s", command)
	}
	if diff := cmp.Diff(timeless(shown), timeless(got.String())); diff != "" && !*update {
		t.Errorf("the transcript in README.md is of another program; go test ./cmd/meshchaos -run Readme -update makes it anew (-README +run):\n%s", diff)
	}
	if *update {
		if err := os.WriteFile(readme, []byte(before+command+got.String()+"```\n"+after), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var calls strings.Builder
	if err := terminal.Write(&calls, record, terminal.Options{Explain: true}); err != nil {
		t.Fatal(err)
	}
	tree := regexp.MustCompile("(?s)```\n(jason under the rule.*?)```\n").FindStringSubmatch(after)
	if tree == nil || !strings.Contains(timeless(calls.String()), timeless(tree[1])) {
		t.Errorf("the calls in README.md are not those of the run: %q", tree)
	}
}

// passed runs the scenario until it is a pass, which a machine that does other things
// may keep it from, and returns what it said meanwhile, and its record.
func passed(t *testing.T) (string, *report.Record) {
	t.Helper()
	for range 3 {
		dir := t.TempDir()
		cmd, progress, _ := start(t, "run", "delay-jason", "--seed", "1", "--report-dir", dir)
		var said strings.Builder
		for progress.Scan() {
			said.WriteString(progress.Text() + "\n")
		}
		if err := cmd.Wait(); err != nil {
			t.Logf("%v:\n%s", err, &said)
			continue
		}
		all, err := readRecords(nil, []string{filepath.Join(dir, recordFile)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return said.String(), all[0].record
	}
	t.Fatal("it passed in none of three runs")
	return "", nil
}

// timeless is a transcript without what differs from run to run; blanks stand for as
// many as there are.
func timeless(text string) string {
	// Where the sentence is folded depends on its numbers.
	text = regexp.MustCompile(`(?m)^PASS .*\n(\S.*\n)*`).ReplaceAllStringFunc(text, func(sentence string) string {
		return strings.ReplaceAll(sentence, "\n", " ")
	})
	for _, one := range []struct{ is, to string }{
		{`(?m)^ *[0-9.]+s   .*\n`, ""},                                             // how far a load has come, every few seconds
		{`(?m)^( +(?:jason|others|raters) +)([0-9]+) .*?( 200: [0-9]+)?$`, "$1 N"}, // a load: what of it must be so is expected below
		{`\b[0-9a-f]{8}\b`, "ID"},
		{`[0-9]+(\.[0-9]+)?(ns|µs|ms|s)\b`, "T"},
		{`\(0 of [0-9]+\)  99%: 0% to [0-9.]+%`, "(0 of N)  99%: 0% to S"},
		{`(others|raters)(.*) 200: [0-9]+`, "$1$2 200: N"},
		{`[0-9]+ pages of other users`, "N pages of other users"},
		{`over [0-9]+ requests`, "over N requests"},
		{`-{5,}`, "---"},
		{` +`, " "},
	} {
		text = regexp.MustCompile(one.is).ReplaceAllString(text, one.to)
	}
	return text
}
