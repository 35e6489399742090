package istio

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEachWarningIsLoggedOnce(t *testing.T) {
	var logged []string
	w := &warnings{}
	w.to(func(text string) { logged = append(logged, text) })
	for _, text := range []string{"a is deprecated", "", "b is deprecated", "a is deprecated"} {
		w.HandleWarningHeaderWithContext(t.Context(), 299, "-", text)
	}
	w.HandleWarningHeaderWithContext(t.Context(), 199, "-", "c is deprecated")
	want := []string{"the API server warns: a is deprecated", "the API server warns: b is deprecated"}
	if diff := cmp.Diff(want, logged); diff != "" {
		t.Error(diff)
	}
}
