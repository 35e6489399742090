package yamlnode

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"pgregory.net/rapid"
)

type form struct {
	Service Names             `yaml:"service"`
	When    map[string]string `yaml:"when,omitempty"`
	Delay   Duration          `yaml:"delay,omitempty"`
	Percent Percent           `yaml:"percent,omitempty"`
	Limit   *int32            `yaml:"limit,omitempty"`
	Fresh   *bool             `yaml:"fresh,omitempty"`
}

func node(t interface{ Fatal(...any) }, text string) ast.Node {
	file, err := parser.ParseBytes([]byte(text), 0)
	if err != nil {
		t.Fatal(err)
	}
	return file.Docs[0].Body
}

func TestAFormIsReadWithItsValues(t *testing.T) {
	var in form
	if err := Decode(node(t, "service: [a, b]\nwhen: {x: y}\ndelay: 1m30s\npercent: 12.5%\nlimit: 3\nfresh: true\n"), &in, "the form"); err != nil {
		t.Fatal(err)
	}
	if strings.Join(in.Service, "+") != "a+b" || in.When["x"] != "y" || in.Delay.Duration != 90*time.Second || *in.Percent.Value != 12.5 || *in.Limit != 3 || !*in.Fresh {
		t.Errorf("read %+v", in)
	}
}

func TestWhatIsWrongStandsAtItsLineAndColumn(t *testing.T) {
	for name, c := range map[string]struct {
		text, message, hint string
		line, column        int
	}{
		"an unknown key":          {"service: a\ndely: 7s\n", `unknown key "dely" in the form`, "did you mean delay?", 2, 1},
		"a duration without unit": {"delay: 7", `the duration "7" has no unit`, "write 7s or 7ms", 1, 8},
		"a list for a duration":   {"delay: [7s]", "this takes a duration, not a list", "write one such as 7s or 250ms", 1, 8},
		"a percentage of 0":       {"percent: 0%", `this takes a percentage above 0 and at most 100, not "0%"`, "write one such as 50%", 1, 10},
		"no name":                 {"service: []", "this takes the name of a service, or a list of names", "", 1, 10},
		"a number for a text":     {"when: {a: 007}", `a takes a text, and "007" is none to YAML`, "quote it", 1, 11},
		"a text for a number":     {"limit: many", `limit takes a whole number, not "many"`, "", 1, 8},
		"a text for a map":        {"when: end-user=jason", `when takes a mapping, not "end-user=jason"`, "write {NAME: VALUE}", 1, 7},
		"a number in quotes":      {`limit: "5"`, `limit takes a whole number, not "5"`, "take the quotes away", 1, 8},
		"a text for a truth":      {"fresh: yes please", `fresh takes true or false, not "yes please"`, "", 1, 8},
		"no value":                {"when:", "when has no value", "write a value, or leave the key out", 1, 7},
		"lines for a map":         {"when: |\n  one\n  two", `when takes a mapping, not "one…"`, "write {NAME: VALUE}", 1, 7},
		"a long text for a map":   {"when: " + strings.Repeat("é", 99), `when takes a mapping, not "` + strings.Repeat("é", 60) + `…"`, "write {NAME: VALUE}", 1, 7},
		"a list for a mapping":    {"- a", "the form takes a mapping, not a list", "its keys are service, when, delay, percent, limit, fresh", 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			err := Decode(node(t, c.text), &form{}, "the form")
			var own *Error
			if !errors.As(err, &own) {
				t.Fatalf("the error is %v", err)
			}
			if own.Message != c.message || own.Hint != c.hint || own.Line != c.line || own.Column != c.column {
				t.Errorf("%d:%d: %q; %q", own.Line, own.Column, own.Message, own.Hint)
			}
		})
	}
}

func TestAPathIsFollowedAsFarAsItGoes(t *testing.T) {
	root := node(t, "spec:\n  http:\n    - route: [{weight: 1}]\n    - fault: {delay: {}}\n")
	for path, want := range map[string][2]int{
		"spec.http[1].fault.delay.fixedDelay": {4, 15},
		"spec.http[1]":                        {4, 7},
		"spec.http[7].fault":                  {2, 3},
		"spec.hosts":                          {1, 1},
	} {
		if e := At(Follow(root, path), "", ""); e.Line != want[0] || e.Column != want[1] {
			t.Errorf("%s leads to %d:%d, want %v", path, e.Line, e.Column, want)
		}
	}
}

func TestADurationIsReadAsGoWritesIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := time.Duration(rapid.Int64Range(1, int64(48*time.Hour)).Draw(t, "duration"))
		var in form
		if err := Decode(node(t, "delay: "+want.String()), &in, "the form"); err != nil || in.Delay.Duration != want {
			t.Fatalf("%s is read as %s: %v", want, in.Delay.Duration, err)
		}
	})
}
