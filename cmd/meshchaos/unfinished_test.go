package main

import (
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/internal/rules"
)

func TestWhoGivesUpIsToldWhatIsLeftAndHowToUndoIt(t *testing.T) {
	u := new(unfinished)
	said := func() (string, int) {
		var out strings.Builder
		status := u.say(&out)
		return out.String(), status
	}
	if words, status := said(); status != exitInconclusive || !strings.Contains(words, "no run has anything in force") {
		t.Errorf("before a run: status %d, %s", status, words)
	}
	ref := rules.Ref{Kind: rules.VirtualService, Namespace: "shop", Name: "reviews"}
	for _, c := range []struct {
		objects []rules.Ref
		words   []string
	}{
		{nil, []string{"the run 0c1f is given up; its rules are not in force", "meshchaos restore --namespace shop --run 0c1f"}},
		{[]rules.Ref{ref}, []string{"its rules may be in force in\n  VirtualService/shop/reviews\n", "ConfigMap/shop/meshchaos-ledger-0c1f", "meshchaos restore --namespace shop --run 0c1f"}},
	} {
		u.of("0c1f", "shop")(c.objects)
		words, status := said()
		for _, want := range c.words {
			if status != exitNotRestored || !strings.Contains(words, want) {
				t.Errorf("with %v: status %d, %s; want %q", c.objects, status, words, want)
			}
		}
	}
	u.done("0c1f")
	if words, status := said(); status != exitInconclusive || strings.Contains(words, "0c1f") {
		t.Errorf("after the run: status %d, %s", status, words)
	}
}
