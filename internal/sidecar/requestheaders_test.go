package sidecar

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

// Each attempt's host is told how long it may take: of the route's timeout, what
// is left.
func TestTheHostIsToldHowLongItMayTake(t *testing.T) {
	told := make(chan string, 10)
	m := startMesh(t, Options{}, web(t, func(w http.ResponseWriter, r *http.Request) {
		told <- r.Header.Get("X-Envoy-Expected-Rq-Timeout-Ms")
		w.WriteHeader(http.StatusInternalServerError)
	}), sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[
		{"match":[{"uri":{"exact":"/timeout"}}],"timeout":"60s","retries":{"attempts":1,"retryOn":"5xx","backoff":"0.1s"},"route":[{"destination":{"host":"web"}}]},
		{"match":[{"uri":{"exact":"/try"}}],"timeout":"60s","retries":{"attempts":1,"retryOn":"5xx","perTryTimeout":"5s"},"route":[{"destination":{"host":"web"}}]},
		{"route":[{"destination":{"host":"web"}}]}]}`))
	m.get("http://web:8000/timeout")
	if first, second := <-told, <-told; first != "60000" || len(second) != 5 || second >= first {
		t.Errorf("told %s, then %s", first, second)
	}
	m.get("http://web:8000/try")
	if first, second := <-told, <-told; first != "5000" || second != first {
		t.Errorf("told %s, then %s", first, second)
	}
	m.get("http://web:8000/")
	if got := <-told; got != "" {
		t.Errorf("told %s without a timeout", got)
	}
}

// Of the time that has gone whole milliseconds count, and nobody is told 0, which
// would be no limit.
func TestWhatIsLeftIsToldInWholeMilliseconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &forwarding{stream: &stream{forwarded: time.Now()}, timeout: 300 * time.Millisecond, attempt: 2}
		for _, step := range []struct {
			after time.Duration
			want  int64
		}{{time.Millisecond / 2, 300}, {time.Millisecond, 299}, {297 * time.Millisecond, 2}, {2 * time.Millisecond, 1}} {
			time.Sleep(step.after)
			if got := f.expected(); got != step.want {
				t.Errorf("after %s it is told %d, not %d", time.Since(f.forwarded), got, step.want)
			}
		}
	})
}
