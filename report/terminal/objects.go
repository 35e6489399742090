package terminal

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
)

// objects print what was changed and whether it is back: in a line, and by name where
// something is not.
func (p *printer) objects(r *report.Record, wide bool) {
	all := summary.Objects(r)
	p.line("")
	text := summary.Restored(r)
	p.say("", "%s.", strings.ToUpper(text[:1])+text[1:])
	switch {
	case wide && len(all) > 0:
		p.changes(r, all)
	case slices.ContainsFunc(all, summary.Object.Lost):
		p.states(all)
	}
	p.lost(all)
}

// states print each object with what has become of it.
func (p *printer) states(all []summary.Object) {
	t := table{header: []string{"object", "changed by", "now"}, right: make([]bool, 3)}
	var entries []entry
	for _, o := range all {
		var stages []string
		for _, c := range o.Changes {
			stages = append(stages, report.StageName(c.Step))
		}
		by := strings.Join(stages, ", ")
		t.rows = append(t.rows, row{cells: []string{o.Name, by, p.state(o)}})
		entries = append(entries, entry{mark: p.state(o), title: o.Name, detail: "changed by " + by})
	}
	p.tableOr(t, entries)
}

// changes print each change, in the order of the run.
func (p *printer) changes(r *report.Record, all []summary.Object) {
	states := map[string]string{}
	for _, o := range all {
		states[o.Name] = p.state(o)
	}
	t := table{header: []string{"object", "changed by", "action", "live", "now"}, right: make([]bool, 5)}
	var entries []entry
	for _, c := range r.Changes {
		stage, live, state := report.StageName(c.Step), wordLive(c), states[c.Object]
		t.rows = append(t.rows, row{cells: []string{c.Object, stage, c.Action, live, state}})
		entries = append(entries, entry{mark: state, title: c.Object, detail: fmt.Sprintf("%s by %s; live: %s", c.Action, stage, live)})
	}
	p.tableOr(t, entries)
}

func (p *printer) tableOr(t table, entries []entry) {
	p.line("")
	if lines, ok := p.first(t); ok {
		p.text(lines)
	} else {
		p.stack(entries)
	}
}

func (p *printer) state(o summary.Object) string {
	switch o.State() {
	case summary.NotRestored:
		return p.paint(string(summary.NotRestored), red)
	case summary.ByOthers:
		return p.paint(string(summary.ByOthers), yellow)
	}
	return string(o.State())
}

func wordLive(c report.Change) string {
	if len(c.LiveIn) == 0 {
		return "-"
	}
	return fmt.Sprintf("in %s after %s", summary.Plural(int64(len(c.LiveIn)), "proxy"), c.Live.Round(time.Millisecond))
}

// WriteLost prints of each object that is not as it was what is wrong with it, and the
// manifest that was there, as kubectl takes it. It is of an undoing that leaves no report.
func WriteLost(w io.Writer, changes []report.Change, o Options) error {
	p := &printer{w: w, width: o.Width, color: o.Color}
	p.lost(summary.Objects(summary.Clean(&report.Record{Changes: changes})))
	return p.err
}

// lost prints of each object that is not as it was what is wrong with it, and the
// manifest that was there, on a line that can be copied: without --report-dir it stands
// nowhere else.
func (p *printer) lost(all []summary.Object) {
	for _, o := range all {
		if !o.Lost() {
			continue
		}
		p.line("")
		p.line("%s: %s", o.Name, p.state(o))
		for _, point := range o.Points() {
			p.fold("  ", "    ", point.Text)
			for _, one := range point.Sub {
				p.fold("    - ", "      ", summary.Short(one, mostOfOne))
			}
		}
		if before := o.Before(); before != "" {
			if words := o.ToWriteBack(); words != "" {
				p.fold("  ", "    ", words)
			}
			p.line("%s, as it was:", o.Name)
			p.line("%s", before)
		}
	}
}

// mostOfOne is how much of one difference is shown: a value may be a manifest by itself.
const mostOfOne = 120
