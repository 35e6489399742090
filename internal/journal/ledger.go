package journal

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// Ledger is what a run has changed in a mesh, and is about to: all that it takes to
// undo it, by whoever reads it.
type Ledger struct {
	Run      string    `json:"run"`      // its id
	Scenario string    `json:"scenario"` // the name
	By       string    `json:"by"`       // who runs it: user@machine
	Started  time.Time `json:"started"`
	Deadline time.Time `json:"deadline"`          // a run that is alive pushes it on before
	Further  []string  `json:"further,omitempty"` // the namespaces that the run spans beside its own
	Claims   []Claim   `json:"claims,omitempty"`
	Entries  []*Entry  `json:"entries"` // in the order of their first write
}

// Entry is one object that a run writes. Nil stands for an object that is not there.
type Entry struct {
	Ref rules.Ref
	Was *rules.Object // before the run
	Is  *rules.Object // as the run left it, or found it, the last time it knew
	// Next is what a write that may have taken place meanwhile leaves there, if
	// Writing says that there is one.
	Next    *rules.Object
	Writing bool
	// Ran is what the run had made of the object when it began to take that back, and
	// what proxies may run until they were seen to follow; nil: none does.
	Ran *rules.Object
}

// Find returns the entry of an object, nil if there is none.
func (l *Ledger) Find(ref rules.Ref) *Entry {
	if i := slices.IndexFunc(l.Entries, func(e *Entry) bool { return e.Ref == ref }); i >= 0 {
		return l.Entries[i]
	}
	return nil
}

// InOrder compares two ledgers by when their runs began; of two that began at once
// the one whose id comes first is the first.
func InOrder(a, b *Ledger) int {
	return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.Run, b.Run))
}

// Open returns the entry of an object, a new one of an object that was so before the
// run if there is none.
func (l *Ledger) Open(ref rules.Ref, was *rules.Object) *Entry {
	if e := l.Find(ref); e != nil {
		return e
	}
	e := &Entry{Ref: ref, Was: was, Is: was}
	l.Entries = append(l.Entries, e)
	return e
}

// Strike takes an entry out, of an object that the run has not written after all.
func (l *Ledger) Strike(ref rules.Ref) {
	l.Entries = slices.DeleteFunc(l.Entries, func(e *Entry) bool { return e.Ref == ref })
}

// Made is what the run has made of an object, of which somebody else may have made
// what is there now: what it left there the last time it knew, or what it was about
// to write, whichever differs less from what is there. Where it had taken its rule out
// already, and just that is there again, somebody else has put it back.
func (e *Entry) Made(now *rules.Object) *rules.Object {
	switch {
	case e.Writing && rules.Equal(e.Next, now):
		return e.Next
	case e.Ran != nil && now != nil && !rules.Equal(e.Is, now) && proto.Equal(e.Ran.Spec, now.Spec):
		return e.Ran
	case e.Writing && now != nil && differences(e.Next, now) < differences(e.Is, now):
		return e.Next
	}
	return e.Is
}

// differences is in how many fields an object is another than it is now.
func differences(o, now *rules.Object) int {
	if o == nil {
		return math.MaxInt
	}
	return len(rules.Diff(o, now))
}

// stored is an Entry as it is written.
type stored struct {
	Kind      string          `json:"kind"`
	Namespace string          `json:"namespace"`
	Name      string          `json:"name"`
	Was       json.RawMessage `json:"was,omitempty"`
	Is        json.RawMessage `json:"is,omitempty"`
	Next      json.RawMessage `json:"next,omitempty"`
	Ran       json.RawMessage `json:"ran,omitempty"`
	Writing   bool            `json:"writing,omitempty"`
}

// MarshalJSON implements json.Marshaler. Objects are kept to the letter, as the mesh
// returned them.
func (e *Entry) MarshalJSON() ([]byte, error) {
	s := stored{Kind: e.Ref.Kind, Namespace: e.Ref.Namespace, Name: e.Ref.Name, Writing: e.Writing}
	for into, o := range map[*json.RawMessage]*rules.Object{&s.Was: e.Was, &s.Is: e.Is, &s.Next: e.Next, &s.Ran: e.Ran} {
		if o == nil {
			continue
		}
		text, err := o.Manifest, error(nil)
		if text == nil {
			text, err = o.Encode()
		}
		if err != nil {
			return nil, err
		}
		*into = text
	}
	return json.Marshal(s)
}

// UnmarshalJSON implements json.Unmarshaler.
func (e *Entry) UnmarshalJSON(text []byte) error {
	var s stored
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	*e = Entry{Ref: rules.Ref{Kind: s.Kind, Namespace: s.Namespace, Name: s.Name}, Writing: s.Writing}
	for from, into := range map[*json.RawMessage]**rules.Object{&s.Was: &e.Was, &s.Is: &e.Is, &s.Next: &e.Next, &s.Ran: &e.Ran} {
		if *from == nil {
			continue
		}
		o, err := rules.Decode(*from)
		if err != nil {
			return fmt.Errorf("reading %s: %w", e.Ref, err)
		}
		*into = o
	}
	return nil
}
