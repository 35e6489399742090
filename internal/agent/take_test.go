package agent

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

func TestAnAgentThatIsTakenIsAnothersUntilItIsLeftOrForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s taking
		ask := func(what http.HandlerFunc, by string) string {
			answer := httptest.NewRecorder()
			what(answer, httptest.NewRequest(http.MethodPost, "/?by="+by, nil))
			return answer.Body.String()
		}
		for i, step := range []struct {
			after time.Duration
			what  http.HandlerFunc
			by    string
			whose string
		}{
			{0, s.take, "a", "a"},
			{TakenFor - time.Second, s.take, "b", "a"},
			{0, s.take, "a", "a"}, // a is heard from
			{TakenFor - time.Second, s.take, "b", "a"},
			{2 * time.Second, s.take, "b", "b"}, // a is not
			{0, s.leave, "a", ""},               // which is not a's
			{0, s.take, "a", "b"},
			{0, s.leave, "b", ""},
			{0, s.take, "a", "a"},
		} {
			time.Sleep(step.after) // within synctest
			if whose := ask(step.what, step.by); whose != step.whose {
				t.Errorf("step %d: it is %q's, want %q", i, whose, step.whose)
			}
		}
	})
}

func TestAnAgentIsTakenByItsClient(t *testing.T) {
	c := serve(t)
	for _, by := range []string{"a&b", "c"} {
		if whose, err := c.Take(t.Context(), by); err != nil || whose != "a&b" {
			t.Errorf("it is %q's: %v", whose, err)
		}
	}
	if err := c.Leave(t.Context(), "a&b"); err != nil {
		t.Error(err)
	}
	if whose, err := c.Take(t.Context(), "c"); err != nil || whose != "c" {
		t.Errorf("it is %q's: %v", whose, err)
	}
}
