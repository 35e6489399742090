package scenarios

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// ofLibrary calls visit with each scenario of the library.
func ofLibrary(t *testing.T, visit func(t *testing.T, s *Scenario)) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			s, err := OfLibrary(name)
			if err != nil {
				t.Fatal(err)
			}
			visit(t, s)
		})
	}
}

// TestTheLibrarySaysWhereItIsFrom: the first lines name the guide and what it leaves
// open or gets wrong, and how the scenario is run.
func TestTheLibrarySaysWhereItIsFrom(t *testing.T) {
	ofLibrary(t, func(t *testing.T, s *Scenario) {
		head, _, _ := strings.Cut(s.Text, "apiVersion:")
		words := strings.Join(strings.Fields(strings.ReplaceAll(head, "#", "")), " ")
		if !strings.Contains(words, "From Istio's ") && !strings.Contains(words, "From KubeSphere's ") {
			t.Errorf("it names no guide:\n%s", head)
		}
		if !strings.HasSuffix(words, "meshchaos run "+s.Name+".yaml") {
			t.Errorf("it does not say how it is run:\n%s", head)
		}
	})
}

// TestTheLabelsOfTheLibraryChooseAllOfIt: a selector leaves nothing out for want of
// a label.
func TestTheLabelsOfTheLibraryChooseAllOfIt(t *testing.T) {
	page, err := os.ReadFile("../docs/authoring.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(page), "The library's have `app` and `about` (")
	list, _, _ = strings.Cut(list, ")")
	ofLibrary(t, func(t *testing.T, s *Scenario) {
		if app := s.Labels["app"]; app != s.App {
			t.Errorf("it starts %s and is labelled %q", s.App, app)
		}
		if about := s.Labels["about"]; !slices.Contains(strings.Split(list, ", "), about) {
			t.Errorf("it is about %q, which docs/authoring.md does not name: %s", about, list)
		}
	})
}

func TestTheReadmeListsTheLibrary(t *testing.T) {
	page, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range Names() {
		if line := "\n| [`" + name + "`](scenarios/library/" + name + ".yaml) | "; !strings.Contains(string(page), line) {
			t.Errorf("the README does not list %s", name)
		}
	}
}
