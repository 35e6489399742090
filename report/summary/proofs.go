package summary

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/meshchaos/meshchaos/report"
)

// What is said where a run has nothing by which a rule or a count could be proved.
const (
	NoBites  = "No window tells whether a rule bit."
	NoCounts = "No window has counts of both."
)

// Bite is how often a part of a rule was seen to have an effect in a window.
type Bite struct {
	report.Bite
	Window *report.Window
}

// Bites are those of a run, window by window.
func Bites(r *report.Record) []Bite {
	var all []Bite
	for i := range r.Windows {
		for _, b := range r.Windows[i].Bites {
			all = append(all, Bite{b, &r.Windows[i]})
		}
	}
	return all
}

// SeenBy words by what it is seen: delay of ratings.
func (b Bite) SeenBy() string {
	if b.Service == "" {
		return b.Kind
	}
	return b.Kind + " of " + b.Service
}

// Times words how often it was seen: 10 of at most 19.
func (b Bite) Times() string {
	words := known(b.Count)
	if b.Most != nil {
		words += " of at most " + known(b.Most)
	}
	if note := b.Note(); note != "" {
		words += " (" + note + ")"
	}
	return words
}

// Note says why it cannot have been seen; empty: it could.
func (b Bite) Note() string {
	if b.Idle {
		return "no request was to the service"
	}
	return ""
}

// Told is where that is from, or why nothing shows it.
func (b Bite) Told() string { return cmp.Or(b.Source, b.Absent) }

// Counted is what clients sent to one port beside what the proxy of the load counted.
type Counted struct {
	report.Reconciliation
	Window *report.Window
}

// Reconciled are those of a run, window by window.
func Reconciled(r *report.Record) []Counted {
	var all []Counted
	for i := range r.Windows {
		for _, c := range r.Windows[i].Reconciled {
			all = append(all, Counted{c, &r.Windows[i]})
		}
	}
	return all
}

// Counted words what the proxy counted.
func (c Counted) Counted() string { return known(c.Proxy) }

// Equal says whether both counted the same.
func (c Counted) Equal() bool { return c.Proxy != nil && *c.Proxy == c.Client }

// Agreed words whether both counted the same.
func (c Counted) Agreed() string {
	if c.Equal() {
		return "yes"
	}
	return "no"
}

// Points are the statements of what is known of the object's state.
func (o Object) Points() []Point {
	return Points(cmp.Or(o.Proof(), "nobody has seen that it is as it was"))
}

// KnownBy is the first of them: of an object that is as it was, how that is known.
func (o Object) KnownBy() string { return strings.TrimSuffix(o.Points()[0].Text, ":") }

// known words a count that may not be known.
func known(n *int64) string {
	if n == nil {
		return "-"
	}
	return strconv.FormatInt(*n, 10)
}
