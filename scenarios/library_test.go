package scenarios

import (
	"os"
	"regexp"
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

// TestTheLibraryConcludesByWhatItObserves: a number that a sentence has in words is one of
// the file's rules or loads, and any other is an amount.
func TestTheLibraryConcludesByWhatItObserves(t *testing.T) {
	number, amount := regexp.MustCompile(`(?:^|[^A-Za-z0-9.])([0-9][0-9.]*[0-9a-z%]*)`), regexp.MustCompile(`{[^}]*}`)
	ofLibrary(t, func(t *testing.T, s *Scenario) {
		all := s.Conclusions()
		if len(all) == 0 {
			t.Error("it concludes nothing")
		}
		var rules strings.Builder // and loads: lists, and what is in braces
		for line := range strings.Lines(s.Text) {
			if words := strings.TrimSpace(line); regexp.MustCompile(`^(- )?[A-Za-z0-9-]+: `).MatchString(words) && !strings.HasPrefix(words, "conclusion") && !strings.HasPrefix(words, "summary") {
				rules.WriteString(line)
			}
		}
		for _, text := range all {
			for _, one := range number.FindAllStringSubmatch(amount.ReplaceAllString(text, ""), -1) {
				word := strings.TrimRight(one[1], ".")
				if !regexp.MustCompile(`(^|[^0-9.])` + regexp.QuoteMeta(word) + `([^0-9a-z]|$)`).MatchString(rules.String()) {
					t.Errorf("%q has %s, which is in no rule or load of the file", text, word)
				}
			}
		}
	})
}
