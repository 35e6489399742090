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
