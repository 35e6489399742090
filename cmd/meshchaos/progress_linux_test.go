package main

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

func lasting(d time.Duration) loadgen.Duration { return loadgen.Duration{Duration: d} }

// jason and others are how far two cohorts are.
var (
	jason = loadgen.Progress{
		Cohort: "jason", Sent: 12, Planned: 40, Errors: 2, QPS: 5, Elapsed: lasting(4 * time.Second), P50: lasting(6012345 * time.Microsecond), P99: lasting(6100 * time.Millisecond),
		Ways: []loadgen.Way{{Error: "timeout", Count: 1}, {Status: 200, Count: 10}, {Status: 503, Count: 1}},
	}
	others = loadgen.Progress{Cohort: "others", Sent: 100, Elapsed: lasting(4 * time.Second), P50: lasting(2 * time.Millisecond), P99: lasting(9 * time.Millisecond), Ways: []loadgen.Way{{Status: 200, Count: 100}}}
)

// underWay is a run whose second step of three is under load.
func underWay(view *progress) {
	at := runner.At{Part: runner.PartBaseline}
	view.observe(runner.Event{Phase: "baseline", At: at})
	baseline := jason
	baseline.Sent, baseline.Planned, baseline.Ended, baseline.Ways = 13, 13, true, []loadgen.Way{{Status: 200, Count: 13}}
	view.observe(runner.Event{Load: &baseline})
	at = runner.At{Part: runner.PartLoad, Step: "half", Number: 2, Of: 3}
	view.observe(runner.Event{Phase: "load of step half", At: at})
	view.observe(runner.Event{Load: &jason, At: at})
	view.observe(runner.Event{Load: &others, At: at})
}

// times are those of a transcript, which differ.
var times = regexp.MustCompile(`(?m)^ *[0-9]+\.[0-9]s|, [0-9]+\.[0-9]s`)

func TestATerminalShowsWhatGoesOnAndKeepsALineForEachPhase(t *testing.T) {
	for _, columns := range []int{120, 80, 40} {
		t.Run(fmt.Sprint(columns), func(t *testing.T) {
			screen, tty := watch(t, columns)
			view := newProgress(tty)
			underWay(view)
			shown := screen.await(`others .*200: 100`)
			for _, want := range []string{"baseline: jason 13 of 13 (200: 13)\n", "[load]", "step 2 of 3: half", "load of step half", "12 of 40", "3 of 5 qps", "timeout: 1, 200: 10, 503: 1", "p50 6.01s  6s left", "p50 2ms, p99 9ms", "25 qps"} {
				if !strings.Contains(times.ReplaceAllString(shown, ""), want) && columns > 60 {
					t.Errorf("it does not show %q:\n%s", want, shown)
				}
			}
			for _, line := range strings.Split(shown, "\n") {
				if len([]rune(line)) >= columns {
					t.Errorf("%d columns of %d: %q", len([]rune(line)), columns, line)
				}
			}
			if bar := strings.Contains(shown, "[===         ]"); bar != (columns == 120) {
				t.Errorf("a bar is shown: %v\n%s", bar, shown)
			}
			view.observe(runner.Event{Phase: "load of step half, for 10s: until something", Again: true})
			screen.await(`until something`)
			view.end()
			fmt.Fprintln(tty, "the report")
			left := times.ReplaceAllString(screen.last(tty), "")
			want := " baseline: jason 13 of 13 (200: 13)\n load of step half: jason 12 of 40 (timeout: 1, 200: 10, 503: 1); others 100 (200: 100)\nthe report\n"
			if diff := cmp.Diff(unfolded(want), unfolded(left)); diff != "" {
				t.Errorf("what is left (-want +got):\n%s", diff)
			}
		})
	}
}

// unfolded is a transcript without the folds of a narrow terminal.
func unfolded(text string) string {
	return regexp.MustCompile(`\s+`).ReplaceAllString(text, " ")
}

func TestATerminalThatBecomesNarrowKeepsNothingOfWhatWasWide(t *testing.T) {
	screen, tty := watch(t, 100)
	fmt.Fprintln(tty, "what was there before")
	view := newProgress(tty)
	underWay(view)
	screen.await(`others .*200: 100`)
	screen.resize(40, 24)
	later := others
	later.Sent, later.Ways = 107, []loadgen.Way{{Status: 200, Count: 107}}
	view.observe(runner.Event{Load: &later})
	screen.await(`200: 107`)
	screen.resize(120, 8)
	later.Sent, later.Ways = 111, []loadgen.Way{{Status: 200, Count: 111}}
	view.observe(runner.Event{Load: &later})
	screen.await(`200: 111`)
	view.end()
	left := screen.last(tty)
	if !strings.HasPrefix(left, "what was there before\n") || strings.Contains(left, "left") || strings.Contains(left, "[load]") || strings.Count(left, "jason") != 2 {
		t.Errorf("what is left is\n%s", left)
	}
}

func TestWhereNothingCanBeWrittenOverThereAreLines(t *testing.T) {
	screen, tty := watch(t, 80)
	t.Setenv("TERM", "dumb")
	view := newProgress(tty)
	underWay(view)
	view.end()
	left := times.ReplaceAllString(screen.last(tty), "")
	if strings.Contains(screen.raw, "\x1b") || !strings.HasPrefix(left, " baseline\n") || !strings.Contains(left, " load of step half\n") || !strings.Contains(left, "jason: 12 of 40 requests, 3 of 5 qps, timeout: 1, 200: 10, 503: 1") {
		t.Errorf("there was %q", screen.raw)
	}
}

func TestColoursAreOnlyWhereTheyAreWanted(t *testing.T) {
	for _, no := range []string{"", "1"} {
		screen, tty := watch(t, 80)
		t.Setenv("NO_COLOR", no)
		view := newProgress(tty)
		underWay(view)
		screen.await(`others .*200: 100`)
		view.end()
		screen.last(tty)
		if colours := strings.Contains(screen.raw, "\x1b[31m503: 1\x1b[0m"); colours != (no == "") || strings.Contains(screen.raw, "m") && no != "" && regexp.MustCompile("\x1b\\[[0-9;]*m").MatchString(screen.raw) {
			t.Errorf("NO_COLOR=%s: %q", no, screen.raw)
		}
	}
}

func TestALoadIsToldOfAfterThreeSecondsAndThenEveryTen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		view := newProgress(&out)
		view.phase("load under the rule")
		for range 125 {
			time.Sleep(200 * time.Millisecond)
			now := others
			now.Elapsed = lasting(time.Since(view.since))
			now.Sent = int64(now.Elapsed.Seconds() * 10)
			now.Ways, now.Duration = []loadgen.Way{{Status: 200, Count: now.Sent}}, lasting(time.Minute)
			view.observe(runner.Event{Load: &now})
		}
		view.end()
		want := "   0.0s load under the rule\n   3.0s   others: 30 requests, 10 qps, 200: 30, p50 2ms, 57s left\n  13.0s   others: 130 requests, 10 qps, 200: 130, p50 2ms, p99 9ms, 47s left\n  23.0s   others: 230 requests, 10 qps, 200: 230, p50 2ms, p99 9ms, 37s left\n"
		if out.String() != want {
			t.Errorf("told was\n%swant\n%s", &out, want)
		}
	})
}

func TestNobodyWaitsElevenSecondsForALine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		view := newProgress(&out)
		view.phase("recovery")
		for range 40 {
			time.Sleep(time.Second)
			lasted := time.Since(view.since)
			if lasted > 15*time.Second && lasted < 18*time.Second { // too short a load to be told of
				now := others
				now.Elapsed = lasting(lasted - 15*time.Second)
				view.observe(runner.Event{Load: &now})
			}
			if lasted >= 10*time.Second {
				view.observe(runner.Event{Phase: fmt.Sprintf("recovery, for %s", lasted), Again: true})
			}
		}
		view.end()
		want := "   0.0s recovery\n  11.0s recovery, for 11s\n  22.0s recovery, for 22s\n  33.0s recovery, for 33s\n"
		if out.String() != want {
			t.Errorf("told was\n%swant\n%s", &out, want)
		}
	})
}

func TestWhatIsLeftOfALoadIsByWhatEndsItFirst(t *testing.T) {
	for name, c := range map[string]struct {
		p    loadgen.Progress
		want string
	}{
		"requests":                     {loadgen.Progress{Sent: 20, Planned: 50, Elapsed: lasting(2 * time.Second)}, "3s left"},
		"requests at a rate":           {loadgen.Progress{Sent: 20, Planned: 50, QPS: 3, Elapsed: lasting(2 * time.Second)}, "10s left"},
		"a duration":                   {loadgen.Progress{Sent: 20, Duration: lasting(time.Minute), Elapsed: lasting(2 * time.Second)}, "58s left"},
		"requests and a duration":      {loadgen.Progress{Sent: 20, Planned: 1000, Duration: lasting(10 * time.Second), Elapsed: lasting(2 * time.Second)}, "8s left"},
		"a duration and requests":      {loadgen.Progress{Sent: 20, Planned: 50, Duration: lasting(time.Minute), Elapsed: lasting(2 * time.Second)}, "3s left"},
		"another cohort":               {loadgen.Progress{Sent: 20, Elapsed: lasting(2 * time.Second)}, ""},
		"requests none of which ended": {loadgen.Progress{Planned: 5, Elapsed: lasting(2 * time.Second)}, ""},
		"nothing any more":             {loadgen.Progress{Sent: 5, Planned: 5, Ended: true}, "ended"},
	} {
		var l pace
		l.add(c.p)
		if got := l.remaining(); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestTheRateIsThatOfLate(t *testing.T) {
	var l pace
	for i := range 51 { // a tenth of a second each; a hundred a second, and then ten
		sent := int64(min(i, 20)*10 + max(i-20, 0))
		l.add(loadgen.Progress{Sent: sent, Elapsed: lasting(time.Duration(i) * 100 * time.Millisecond)})
	}
	if rate := l.rate(); rate < 9.9 || rate > 10.1 {
		t.Errorf("it is %v", rate)
	}
}

func TestMutantsThatEndWhileTheyAreDrawnKeepNobodyWaiting(t *testing.T) {
	screen, tty := watch(t, 80)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range 10 {
			p := &mutantProgress{progress: newProgress(tty)}
			p.begin(100)
			for range 99 {
				p.done(report.Mutant{Fate: report.Survived})
			}
			p.end()
		}
	}()
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Fatal("what is drawn waits for the mutants, and they for it")
	}
	if left := screen.last(tty); strings.Count(left, "100 mutants, ") != 10 || strings.Contains(left, "survived") {
		t.Errorf("what is left is\n%s", left)
	}
}

func TestRunsBesideEachOtherAreEachOnALineOfTheirOwn(t *testing.T) {
	screen, tty := watch(t, 80)
	all := []*scenarios.Scenario{{Name: "first"}, {Name: "second"}}
	release := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		beside(all, 2, streams{out: tty, err: tty}, func(s *scenarios.Scenario, to streams) outcome {
			to.tell("load of " + s.Name)
			<-release
			fmt.Fprintf(to.out, "the report of %s\n", s.Name)
			return outcome{name: s.Name, word: "pass"}
		})
	}()
	screen.await(`(?m)^  first +load of first, for \d+s$`)
	screen.await(`(?m)^  second +load of second, for \d+s$`)
	close(release)
	<-ended
	left := screen.last(tty)
	if strings.Contains(left, "load of") || strings.Count(left, "the report of") != 2 || strings.Count(left, "has ended: pass") != 2 {
		t.Errorf("what is left is\n%s", left)
	}
}

// What runs beside each other print is held back until it is their turn, and folded for the
// terminal all the same.
func TestWhatRunsBesideEachOtherPrintIsFoldedByWords(t *testing.T) {
	screen, tty := watch(t, 40)
	to := streams{out: tty, err: io.Discard}
	beside([]*scenarios.Scenario{{Name: "a"}, {Name: "b"}}, 2, to, func(s *scenarios.Scenario, to streams) outcome {
		remark(to.out, wrote("out/of-"+s.Name, []string{"report.json", "report.html"}))
		return outcome{}
	})
	want := "wrote report.json, report.html into\n  out/of-a\nwrote report.json, report.html into\n  out/of-b\n"
	if diff := cmp.Diff(want, screen.last(tty)); diff != "" {
		t.Errorf("it shows (-want +got):\n%s", diff)
	}
}

// How long a phase has lasted is not taken for how long it is to last: as it begins, nothing of
// it stands there, and a load that ends by its requests says how many those are.
func TestAPhaseThatBeginsDoesNotSayThatItIsForNoTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		view := newProgress(io.Discard)
		first := func() (line string) {
			for _, p := range view.lines(200)[0] {
				line += p.text
			}
			return line
		}
		view.phase(wordPhase(loadgen.Plan{HTTP: &loadgen.HTTP{URL: "http://shop/"}, Requests: 400}))
		if got := first(); !strings.HasSuffix(unfolded(got), " load of http://shop/ by 400 requests") {
			t.Errorf("as it begins: %q", got)
		}
		time.Sleep(3 * time.Second)
		if got := first(); !strings.HasSuffix(unfolded(got), " load of http://shop/ by 400 requests, for 3s") {
			t.Errorf("three seconds later: %q", got)
		}
		if got := wordPhase(loadgen.Plan{HTTP: &loadgen.HTTP{URL: "http://shop/"}}); got != "load of http://shop/" {
			t.Errorf("without a number: %q", got)
		}
	})
}
