package scenarios

import (
	"strings"
	"testing"
)

func TestASilenceNamesATrapAndAReason(t *testing.T) {
	for lint, want := range map[string]string{
		`[{id: zero-limit, reason: it is old}]`:                                  "",
		`[{id: zero-limits, reason: it is old}]`:                                 `t.yaml:5:11: there is no trap "zero-limits" to silence; did you mean zero-limit?`,
		`[{id: zero-limit}]`:                                                     "t.yaml:5:10: the silence of zero-limit gives no reason",
		`[{id: zero-limit, reason: "  "}]`:                                       "gives no reason",
		`[{reason: it is old}]`:                                                  "names no trap",
		`[{id: zero-limit, reason: a}, {id: zero-limit, reason: b}]`:             "the trap zero-limit is silenced twice",
		`[{id: zero-limit, because: a}]`:                                         `unknown key "because"`,
		`[{id: idle-silence, reason: a}, {id: versions-alike, reason: because}]`: "",
	} {
		s, err := read(strings.Replace(withRules("  apply:\n    - fault: {service: ratings, delay: 1s}"), "spec:\n", "spec:\n  lint: "+lint+"\n", 1))
		if want == "" {
			if err != nil || len(s.Silences) == 0 || !s.Silenced(s.Silences[0].Trap) || s.Silenced("consecutive-errors") {
				t.Errorf("%s: %v", lint, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", lint, err, want)
		}
	}
}

func TestAWarningOfTheFileIsSilenced(t *testing.T) {
	text := withRules("  apply:\n    - fault: {service: ratings, delay: 1s}") + "  versions:\n    v1: {body: reviews}\n    v2: {body: reviews-v2}\n"
	s, err := read(text)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Warnings) != 1 || s.Warnings[0].Trap != versionsAlike || !strings.HasPrefix(s.Warnings[0].Place(), "t.yaml:") || !strings.HasSuffix(s.Warnings[0].Words(), " [versions-alike]") {
		t.Fatalf("the warnings are %v", s.Warnings)
	}
	s, err = read(strings.Replace(text, "spec:\n", "spec:\n  lint: [{id: versions-alike, reason: a}, {id: zero-limit, reason: a}]\n", 1))
	if err != nil || len(s.Warnings) > 0 {
		t.Fatalf("%v, the warnings are %v", err, s.Warnings)
	}
	for _, test := range []struct {
		caught []string
		idle   int
	}{{nil, 1}, {[]string{"zero-limit"}, 0}} {
		if idle := s.IdleSilences(test.caught); len(idle) != test.idle {
			t.Errorf("caught in %v the idle silences are %v", test.caught, idle)
		}
	}
}
