// Package markdown is the face of reports for a pull request and for the summary of a
// job of CI: Markdown as GitHub, GitLab and Gitea show it, which takes no more than 64 KB
// however large the run was. It may import report, report/summary
// and report/compare.
package markdown

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
)

// most is how many bytes are written at the most: a comment takes 65,536 characters.
const most = 64_000

// Write writes the report of a run, in the order of the page: the verdict and what is
// against it, what was asked and observed, the calls that explain it, the loads, the
// objects, what proves that each rule bit and is gone, the counts, and how it is repeated.
func Write(w io.Writer, r *report.Record) error {
	r = summary.Clean(r)
	p := &page{}
	p.head(r)
	foot := foot(r)
	p.left = most - p.out.Len() - len(foot) - reserve
	p.body(r)
	p.cut()
	p.out.WriteString(foot)
	_, err := io.WriteString(w, p.out.String())
	return err
}

// page is what is written, until there is no more room.
type page struct {
	out  strings.Builder
	left int // bytes that there is room for
	lack []string
}

// reserve is for the sentence that says what was cut.
const reserve = 1000

// head is the verdict, and of which run it is.
func (p *page) head(r *report.Record) {
	fmt.Fprintf(&p.out, "## %s: %s\n\n%s\n\n", summary.Outcome(r), text(r.Scenario.Name), text(summary.Verdict(r)))
	facts := []string{"run " + code(r.Run), text(summary.Where(r))}
	facts = append(facts, summary.Moment(r.Started), "took "+summary.Lasted(r))
	p.out.WriteString(strings.Join(facts, ", ") + "\n")
}

// body is all that may be cut.
func (p *page) body(r *report.Record) {
	p.points(summary.WhatProblems(r), "problem", summary.Problems(r), 8_000)
	p.points("Warnings", "warning", summary.Warnings(r), 4_000)
	p.earlier(r, 8_000)
	p.failures(r, 8_000)
	p.undecided(r, 6_000)
	p.expectations(r, 20_000)
	p.foremost(r, 12_000)
	p.loads(r, 10_000)
	p.objects(r, 16_000)
	p.bites(r, 6_000)
	p.states(r, 6_000)
	p.counts(r, 4_000)
}

// longestCommand is how many characters of a command line are shown.
const longestCommand = 2000

// foot is with what the run was made, and how it is repeated.
func foot(r *report.Record) string {
	var with []string
	if r.Mesh.Version != "" {
		with = append(with, text(r.Mesh.Version))
	}
	with = append(with, text(summary.Build(r)))
	if r.Seed != nil {
		with = append(with, fmt.Sprintf("seed %d", *r.Seed))
	}
	if r.Scenario.Digest != "" {
		with = append(with, "a scenario whose text is "+code(r.Scenario.Digest))
	}
	if of := r.Scenario.Revision; of != nil {
		words := "from a folder at revision " + code(of.Commit)
		if of.Modified {
			words += ", in which something is not as that has it"
		}
		with = append(with, words)
	}
	if who := summary.Who(r); who != "" {
		with = append(with, "run "+text(who))
	}
	words := "\n<details><summary>The words</summary>\n\n"
	for _, term := range summary.Terms() {
		words += fmt.Sprintf("- **%s**: %s\n", term.Word, term.Means)
	}
	words += closed
	return "\n### About this run\n\n" + strings.Join(with, ", ") + ".\n\n" +
		block("sh", summary.Short(summary.Command(r), longestCommand)) +
		"\nrepeats it. `report.json` beside this has every number, and `meshchaos judge` reaches the verdict again from it.\n" + words
}

// add adds pieces of one thing under a heading, as many as there is room for, in so many
// bytes at the most, and says whether there was any; what is left out is noted.
func (p *page) add(heading, what string, room int, pieces []string) (any bool) {
	if len(pieces) == 0 {
		return false
	}
	room = min(room, p.left) - len(heading)
	shown := 0
	for _, piece := range pieces {
		if room -= len(piece); room < 0 {
			break
		}
		shown++
	}
	if shown > 0 {
		whole := heading + strings.Join(pieces[:shown], "")
		p.out.WriteString(whole)
		p.left -= len(whole)
	}
	if missing := len(pieces) - shown; missing > 0 {
		p.lack = append(p.lack, fmt.Sprintf("%d of %s", missing, summary.Plural(int64(len(pieces)), what)))
	}
	return shown > 0
}

// enclose is add with what is to stand behind the pieces: behind none it would end what
// nothing has begun.
func (p *page) enclose(heading, end, what string, room int, pieces []string) {
	p.left -= len(end)
	if p.add(heading, what, room-len(end), pieces) {
		p.out.WriteString(end)
	} else {
		p.left += len(end)
	}
}

// cut says what was left out.
func (p *page) cut() {
	if more := len(p.lack) - mostListed; more > 0 {
		p.lack = append(p.lack[:mostListed], fmt.Sprintf("and more of %d further sections", more))
	}
	if len(p.lack) > 0 {
		fmt.Fprintf(&p.out, "\n**Cut, since this may not have more than 64 KB: %s. `report.json` has all of it.**\n", strings.Join(p.lack, ", "))
	}
}

func (p *page) points(heading, what string, all []summary.Problem, room int) {
	var pieces []string
	for _, one := range all {
		piece := "- " + text(one.What) + "\n"
		for _, object := range one.Objects[:min(len(one.Objects), mostListed)] {
			piece += "  - " + code(object) + "\n"
		}
		if more := len(one.Objects) - mostListed; more > 0 {
			piece += fmt.Sprintf("  - and %d more\n", more)
		}
		for _, more := range one.More {
			piece += "  - " + text(more) + "\n"
		}
		pieces = append(pieces, piece)
	}
	p.add("\n### "+heading+"\n\n", what, room, pieces)
}

// mostListed is how many objects are named of which the same is said.
const mostListed = 10

// failures are the expectations that failed, each in a sentence.
func (p *page) failures(r *report.Record, room int) {
	var pieces []string
	for _, e := range r.Expectations {
		if e.Verdict != report.Fail {
			continue
		}
		piece := fmt.Sprintf("- **FAIL** %s: %s", expectation(e), text(summary.Observation(r, e)))
		if reason := summary.Telling(e); reason != "" {
			piece += "; " + text(reason)
		}
		pieces = append(pieces, piece+"\n")
	}
	p.add("\n### What failed\n\n", "failure", room, pieces)
}

func (p *page) undecided(r *report.Record, room int) {
	var pieces []string
	for _, u := range summary.Inconclusive(r) {
		which := fmt.Sprintf("%d of %s", len(u.Expectations), summary.Plural(int64(len(r.Expectations)), "expectation"))
		if len(u.Expectations) == 1 {
			which = expectation(u.Expectations[0])
		}
		pieces = append(pieces, fmt.Sprintf("- **inconclusive** %s: %s\n", which, text(u.Reason)))
	}
	p.add("\n### What could not be judged\n\n", "reason", room, pieces)
}

// expectation names one, with its step.
func expectation(e report.Expectation) string {
	if e.Step == "" {
		return code(e.Expression)
	}
	return code(e.Expression) + " in step " + text(e.Step)
}

func (p *page) expectations(r *report.Record, room int) {
	steps := slices.ContainsFunc(r.Expectations, func(e report.Expectation) bool { return e.Step != "" })
	columns := []string{"verdict", "expectation", "observed", "asked", "samples>", "source"}
	if steps {
		columns = slices.Insert(columns, 1, "step")
	}
	var pieces []string
	for _, e := range r.Expectations {
		verdict := string(e.Verdict)
		if e.Verdict != report.Pass {
			verdict = "**" + text(strings.ToUpper(verdict)) + "**"
		}
		cells := []string{verdict, code(e.Expression), observed(r, e), text(e.Limit), fmt.Sprint(e.Samples), text(summary.Source(e.Source))}
		if steps {
			cells = slices.Insert(cells, 1, text(e.Step))
		}
		pieces = append(pieces, row(cells...))
	}
	p.add("\n### What was asked, and what was observed\n\n"+header(columns...), "expectation", room, pieces)
}

// observed is what was, with its interval.
func observed(r *report.Record, e report.Expectation) string {
	words := cmp.Or(text(e.Observed), "-")
	if interval := summary.Confident(r, e); interval != "" {
		words += "; " + text(interval)
	}
	if e.KnownBug != "" {
		words += ", as known: " + text(e.KnownBug)
	}
	return words
}

const headCalls = "\n### The calls that explain it\n"

// foremost are the calls that explain the verdict, or a sentence that says that there are none.
func (p *page) foremost(r *report.Record, room int) {
	switch all := summary.Foremost(r); {
	case len(all) > 0:
		p.calls(all, room)
	case len(summary.Trees(r)) > 0:
		p.add(headCalls, "sentence", room, []string{"\nNone of the load under the rule is explained; `report.html` has those of the other windows.\n"})
	default:
		p.add(headCalls, "sentence", room, []string{"\n" + summary.NoCalls + "\n"})
	}
}

// calls are the trees of requests.
func (p *page) calls(trees []summary.Tree, room int) {
	var pieces []string
	for _, tree := range trees {
		pieces = append(pieces, "\n"+calls(tree))
	}
	p.add(headCalls, "explained request", room, pieces)
}

// calls is the tree of one request.
func calls(tree summary.Tree) string {
	var lines strings.Builder
	columns := tabwriter.NewWriter(&lines, 0, 0, 2, ' ', 0)
	for _, c := range tree.Calls() {
		fmt.Fprintf(columns, "%s%s\t%s\t%s\t%s\t%s\n", strings.Repeat("  ", c.Depth), c.To, c.Took, c.Status, c.Flags, c.Upstream)
	}
	_ = columns.Flush() // into memory
	var trimmed strings.Builder
	for line := range strings.Lines(lines.String()) {
		trimmed.WriteString(summary.Short(strings.TrimRight(line, " \n"), mostShown) + "\n")
	}
	out := text(tree.Title()) + ":\n"
	if trimmed.Len() > 0 {
		out += "\n" + block("", trimmed.String())
	}
	if tree.Note != "" {
		out += "\n(" + text(tree.Note) + ")\n"
	}
	return out
}

func (p *page) loads(r *report.Record, room int) {
	var pieces []string
	all := summary.Rows(r)
	for _, l := range all {
		window := text(summary.When(l.Window))
		if l.Window.Cut != "" {
			window += ", cut off"
		}
		pieces = append(pieces, row(window, text(l.Name()), text(l.Requests()), text(l.QPS()), l.P50.String(), l.P90.String(), l.P99.String(), l.Max.String(), text(l.Statuses()), text(l.Failures())))
	}
	p.add("\n### The loads in numbers\n\n"+header("window", "cohort", "requests>", "qps>", "p50>", "p90>", "p99>", "max>", "statuses", "errors"), "load", room, pieces)
	var said []string
	for _, l := range all {
		for _, words := range []string{l.Messages(), l.Other()} {
			if words != "" {
				said = append(said, "- "+text(words)+"\n")
			}
		}
	}
	p.add("\n", "message", room, said)
	if slices.ContainsFunc(all, summary.Load.Untold) {
		p.add("", "note", room, []string{"\n`-`: " + summary.TooFewToTell + ".\n"})
	}
}

func (p *page) objects(r *report.Record, room int) {
	words := summary.Restored(r)
	all := summary.Objects(r)
	p.add("\n### The objects before, during and after\n\n", "sentence", room, []string{text(strings.ToUpper(words[:1])+words[1:]) + ".\n"})
	var lost, diffs []string
	for _, o := range all {
		if o.Lost() {
			lost = append(lost, notAsItWas(o))
		}
		for i, diff := range o.Diffs() {
			c := o.Changes[i]
			if diff != "" {
				diffs = append(diffs, fmt.Sprintf("\n%s, %s for %s:\n\n", code(o.Name), text(c.Action), text(report.StageWords(c.Step)))+block("diff", diff))
			}
		}
		if diff := o.Left(); diff != "" {
			diffs = append(diffs, fmt.Sprintf("\n%s, before and after the run:\n\n", code(o.Name))+block("diff", diff))
		}
	}
	p.add("", "object that is not as it was", room, lost)
	p.enclose(opened, closed, "diff", min(room, p.left-ofProofs), diffs)
}

// ofProofs is the room that the diffs leave to what stands behind them, which proves more.
const ofProofs = 16_000

// notAsItWas says of an object what is wrong with it, and what was there.
func notAsItWas(o summary.Object) string {
	piece := fmt.Sprintf("\n%s: **%s**\n\n", code(o.Name), text(string(o.State())))
	for _, point := range o.Points() {
		piece += "- " + text(point.Text) + "\n"
		for _, sub := range point.Sub {
			piece += "  - " + text(sub) + "\n"
		}
	}
	before := o.Before()
	if before == "" {
		return piece
	}
	if words := o.ToWriteBack(); words != "" {
		piece += "\n" + text(words) + ".\n"
	}
	return piece + "\nAs it was:\n\n" + block("json", before)
}

// The objects as diffs are folded where that can be.
const (
	opened = "\n<details><summary>The objects, as diffs</summary>\n"
	closed = "\n</details>\n"
)

// roomOfOne is how many bytes a section of one of several scenarios has.
const roomOfOne = 4000

// Index writes what became of several scenarios: all of them, then more of what is no
// pass.
func Index(w io.Writer, all []summary.Ended) error {
	p := &page{}
	all = summary.CleanEnded(all)
	fmt.Fprintf(&p.out, "## %s\n", text(summary.Endings(all)))
	if whence := summary.Whence(all); whence != "" {
		fmt.Fprintf(&p.out, "\n%s\n", text(whence))
	}
	p.left = most - p.out.Len() - reserve
	all = summary.GravestFirst(all)
	var rows []string
	for _, e := range all {
		ending := e.Ending()
		if !e.Passed() {
			ending = "**" + text(ending) + "**"
		}
		rows = append(rows, row(ending, text(e.Name), text(e.Told()), e.Lasted()))
	}
	p.add("\n"+header("verdict", "scenario", "outcome", "took>"), "scenario", most/2, rows)
	p.inDetail(all)
	p.cut()
	_, err := io.WriteString(w, p.out.String())
	return err
}

// inDetail is what stands in the way of each that is no pass, as long as there is room.
func (p *page) inDetail(all []summary.Ended) {
	skipped := 0
	for _, e := range all {
		if e.Record == nil || e.Passed() {
			continue
		}
		r := e.Record
		heading := fmt.Sprintf("\n## %s: %s\n", e.Ending(), text(r.Scenario.Name))
		if p.left < len(heading)+roomOfOne {
			skipped++
			continue
		}
		p.left -= len(heading)
		p.out.WriteString(heading)
		p.points(summary.WhatProblems(r), "problem", summary.Problems(r), roomOfOne)
		p.failures(r, roomOfOne)
		p.undecided(r, roomOfOne)
		p.calls(summary.Explaining(r), roomOfOne)
	}
	if skipped > 0 {
		p.lack = append([]string{"what " + summary.Plural(int64(skipped), "scenario") + " shows"}, p.lack...)
	}
}
