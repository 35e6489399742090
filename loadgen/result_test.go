package loadgen

import "testing"

func TestFailuresAreStatusesFrom400AndTransportErrors(t *testing.T) {
	for status, want := range map[int]bool{0: false, 200: false, 302: false, 399: false, 400: true, 404: true, 503: true} {
		if got := (Outcome{Status: status}).Failed(); got != want {
			t.Errorf("status %d: %v", status, got)
		}
	}
	if !(Outcome{Error: ErrorEOF}).Failed() || !(Outcome{Status: 200, Error: ErrorEOF}).Failed() {
		t.Error("a transport error is no failure")
	}
}
