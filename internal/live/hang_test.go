package live

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// hanging answers its first request never, as over a connection that was lost
// without a word, and any later one with an empty dump.
type hanging struct{ asked atomic.Int64 }

func (h *hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	if h.asked.Add(1) == 1 {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return &http.Response{StatusCode: http.StatusOK, Status: "200 OK", Body: io.NopCloser(strings.NewReader("{}")), Request: r}, nil
}

func TestAProxyThatDoesNotAnswerIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		proxy := mesh.Proxy{Name: "client", Admin: &envoy.Admin{Client: &http.Client{Transport: &hanging{}}, Base: "http://client"}}
		began := time.Now()
		if _, err := waitFor(t.Context(), []mesh.Proxy{proxy}, rules.Change{Before: ours()}, mark, 6*answerLimit); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took < answerLimit || took > 2*answerLimit {
			t.Errorf("it took %v", took)
		}
	})
}
