package journal

import (
	"encoding/json"
	"testing"

	"github.com/meshchaos/meshchaos/internal/rules"
)

func TestWhatARunHasMadeIsToldFromWhatItWasAboutTo(t *testing.T) {
	read := func(spec, metadata string) *rules.Object {
		return decoded(t, object(rules.VirtualService, spec, metadata))
	}
	was, faulted := read(routes(toA), ""), read(routes(faulty(toA)), "")
	labels := `,"labels":{"team":"films"}`
	for name, test := range map[string]struct {
		entry Entry
		now   *rules.Object
		want  *rules.Object
	}{
		"written":                             {Entry{Was: was, Is: was, Next: faulted, Writing: true}, faulted, faulted},
		"not written":                         {Entry{Was: was, Is: was, Next: faulted, Writing: true}, was, was},
		"written, and labelled":               {Entry{Was: was, Is: was, Next: faulted, Writing: true}, read(routes(faulty(toA)), labels), faulted},
		"not written, and labelled":           {Entry{Was: was, Is: was, Next: faulted, Writing: true}, read(routes(toA), labels), was},
		"to be undone, and labelled before":   {Entry{Was: was, Is: faulted, Next: was, Writing: true}, read(routes(faulty(toA)), labels), faulted},
		"undone, and labelled then":           {Entry{Was: was, Is: faulted, Next: was, Writing: true}, read(routes(toA), labels), was},
		"to be undone, and deleted":           {Entry{Was: was, Is: faulted, Next: was, Writing: true}, nil, faulted},
		"to be deleted, and labelled instead": {Entry{Is: faulted, Writing: true}, read(routes(faulty(toA)), labels), faulted},
		"deleted":                             {Entry{Is: faulted, Writing: true}, nil, nil},
		"to be made, and made by another":     {Entry{Next: faulted, Writing: true}, read(routes(toC), labels), faulted},
	} {
		if got := test.entry.Made(test.now); !rules.Equal(got, test.want) {
			t.Errorf("%s: it has made %v, want %v", name, got, test.want)
		}
	}
}

func TestAnEntryIsReadAsItWasWritten(t *testing.T) {
	was := decoded(t, object(rules.VirtualService, routes(toA), `,"managedFields":[{"manager":"argocd"}]`))
	next := was.Clone()
	next.Manifest, next.Labels = nil, map[string]string{"a": "b"}
	e := Entry{Ref: was.Ref, Was: was, Next: next, Writing: true}
	text, err := json.Marshal(&e)
	if err != nil {
		t.Fatal(err)
	}
	var got Entry
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if got.Ref != e.Ref || !got.Writing || got.Is != nil || string(got.Was.Manifest) != string(was.Manifest) || !rules.Equal(got.Next, next) {
		t.Errorf("%s is read as %+v", text, got)
	}
}
