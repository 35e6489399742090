package terminal

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/report"
)

// changes prints what was written and whether it is back.
func (p *printer) changes(r *report.Record) error {
	p.line("")
	if len(r.Changes) == 0 {
		p.line("Nothing was changed.")
		return p.err
	}
	text, err := p.changeTable(r)
	if err != nil {
		return fmt.Errorf("printing the changes: %w", err)
	}
	if p.fits(text) {
		p.text(text)
	} else {
		p.changeStack(r)
	}
	p.lost(r.Changes)
	kept := slices.ContainsFunc(r.Changes, func(c report.Change) bool { return c.Kept })
	switch {
	case r.Restored && kept:
		p.say("", "Nothing of this run is left: the proxies run what they ran, but for what somebody else did meanwhile.")
	case r.Restored:
		p.say("", "Everything is as it was: the objects equal what was there, and the proxies run it.")
	}
	return p.err
}

// WriteLost prints of each object that is not as it was what is wrong with it, and the
// manifest that was there, as kubectl takes it. It is of an undoing that leaves no report.
func WriteLost(w io.Writer, changes []report.Change) error {
	p := &printer{w: w}
	p.lost(changes)
	return p.err
}

// lost prints of each object that is not as it was what is wrong with it, and the
// manifest that was there: without --report-dir it stands nowhere else.
func (p *printer) lost(changes []report.Change) {
	said := map[string]bool{}
	for _, c := range changes {
		if c.Restored && !c.Kept || said[c.Object] {
			continue
		}
		said[c.Object] = true // what was there before the run is in its first change
		p.line("%s: %s", c.Object, c.Proof)
		if len(c.Before) > 0 {
			p.line("%s, as it was: %s", c.Object, writable(c.Before))
		}
	}
}

// writable is a manifest without the version that the next write of it would have
// to find there.
func writable(manifest json.RawMessage) string {
	var object, metadata map[string]json.RawMessage
	if json.Unmarshal(manifest, &object) != nil || json.Unmarshal(object["metadata"], &metadata) != nil {
		return string(manifest)
	}
	for _, of := range []string{"creationTimestamp", "generation", "resourceVersion", "uid"} {
		delete(metadata, of)
	}
	text, err := json.Marshal(metadata)
	if err != nil {
		return string(manifest)
	}
	object["metadata"] = text
	if text, err = json.Marshal(object); err != nil {
		return string(manifest)
	}
	return string(text)
}

func (p *printer) changeTable(r *report.Record) (string, error) {
	var text strings.Builder
	table := newTable(&text)
	table.Header("changed", "for", "action", "live", "now")
	for _, c := range r.Changes {
		if err := table.Append(c.Object, wordStage(c), c.Action, wordLive(c), p.wordState(r, c)); err != nil {
			return "", err
		}
	}
	err := table.Render()
	return text.String(), err
}

func wordStage(c report.Change) string {
	if c.Step == "" {
		return "apply"
	}
	return c.Step
}

func wordLive(c report.Change) string {
	if len(c.LiveIn) == 0 {
		return "-"
	}
	return fmt.Sprintf("in %d proxies after %s", len(c.LiveIn), time.Duration(c.LiveMs)*time.Millisecond)
}

// wordState says how an object is after the run. Whether there was one before it
// is in the first of its changes: a later one finds what the run itself made.
func (p *printer) wordState(r *report.Record, c report.Change) string {
	first := slices.IndexFunc(r.Changes, func(other report.Change) bool { return other.Object == c.Object })
	switch {
	case !c.Restored:
		return p.paint("NOT RESTORED", red)
	case c.Kept:
		return "changed by others"
	case r.Changes[first].Before == nil:
		return "gone again"
	}
	return "as before"
}
