package scenarios

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// entry is a line of YAML with a key, or an entry of a list.
var entry = regexp.MustCompile(`^( *(?:- )?)([A-Za-z][A-Za-z-]*)(:)( .*)?$`)

// spoiled are texts that differ from one in a line.
func spoiled(text string) []string {
	var all []string
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		parts := entry.FindStringSubmatch(line)
		if parts == nil {
			continue
		}
		for _, other := range []string{
			parts[1] + parts[2] + "x:" + parts[4], parts[1] + parts[2] + ": [1]", parts[1] + parts[2] + ": {a: b}",
			parts[1] + parts[2] + `: "???"`, parts[1] + parts[2] + ": -1", parts[1] + parts[2] + ":", parts[1] + parts[2] + ": ~", "",
		} {
			changed := append([]string{}, lines...)
			changed[i] = other
			all = append(all, strings.Join(changed, "\n"))
		}
	}
	return all
}

// Wherever a scenario is wrong, the line and the column are named: a file is mended by
// them.
func TestWhatIsWrongInAScenarioIsPlaced(t *testing.T) {
	wrong := 0
	for _, name := range []string{"delay-jason", "timeout-reviews"} {
		text, err := Text(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, other := range spoiled(text) {
			_, err := parse("wrong.yaml", other, nil, openBeside("."))
			for _, one := range apart(err) {
				wrong++
				var placed *Error
				if !errors.As(one, &placed) || placed.Line == 0 || placed.Column == 0 || !strings.HasPrefix(one.Error(), fmt.Sprintf("wrong.yaml:%d:%d: ", placed.Line, placed.Column)) {
					t.Errorf("%s: %v", name, one)
				}
			}
		}
	}
	if wrong < 100 {
		t.Errorf("it looked at %d errors", wrong)
	}
}

// apart are the errors that are joined in one.
func apart(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, one := range joined.Unwrap() {
			all = append(all, apart(one)...)
		}
		return all
	}
	if err == nil {
		return nil
	}
	return []error{err}
}
