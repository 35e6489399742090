package nearest

import "testing"

func TestWordFindsWhatWasMeant(t *testing.T) {
	words := []string{"delay", "abort", "percent", "service", "v1", "v2"}
	for typed, want := range map[string]string{
		"dely": "delay", "delya": "delay", "Delay": "delay", "servce": "service",
		"prcnt": "", "x": "", "": "", "v3": "v1", "mirror": "", "perc": "percent", "serv_ice": "service",
	} {
		if got := Word(typed, words); got != want {
			t.Errorf("Word(%q) = %q, want %q", typed, got, want)
		}
	}
}

func TestHintNamesWhatWasMeantOrTheWholeChoice(t *testing.T) {
	for typed, want := range map[string]string{"dely": "did you mean delay?", "mirror": "one of delay, abort"} {
		if got := Hint(typed, []string{"delay", "abort"}); got != want {
			t.Errorf("Hint(%q) = %q, want %q", typed, got, want)
		}
	}
	if got := Hint("delay", nil); got != "there is none" {
		t.Errorf("without a choice the hint is %q", got)
	}
}
