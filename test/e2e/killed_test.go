//go:build e2e

package e2e_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// endedRuns are scenarios whose runs are ended at each of their writes, with what somebody
// has applied in their namespace: what they borrow, and what they leave alone.
var endedRuns = []struct {
	scenario string
	borrowed string
}{
	{"canary-reviews", `{"apiVersion":"networking.istio.io/v1","kind":"VirtualService",
	 "metadata":{"name":"borrowed","labels":{"team":"books"},"annotations":{"why":"theirs"}},
	 "spec":{"hosts":["reviews"],"http":[
	  {"name":"health","match":[{"uri":{"prefix":"/health"}}],"timeout":"1m30s","route":[{"destination":{"host":"reviews"}}]},
	  {"name":"beta","match":[{"headers":{"x-beta":{"exact":"1"}}}],"timeout":"10.5s","route":[{"destination":{"host":"reviews"},"weight":0}]},
	  {"name":"rest","route":[{"destination":{"host":"reviews"}}]}]}}`},
	{"breaker-httpbin", `{"apiVersion":"networking.istio.io/v1","kind":"DestinationRule",
	 "metadata":{"name":"httpbin","labels":{"team":"web"},"annotations":{"why":"theirs"}},
	 "spec":{"host":"httpbin","subsets":[{"name":"v1","labels":{"version":"v1"}},{"name":"v2","labels":{"version":"v2"}}]}}`},
	{"tcp-shift", `{"apiVersion":"networking.istio.io/v1","kind":"Gateway",
	 "metadata":{"name":"tcp-echo-gateway","labels":{"team":"web"},"annotations":{"why":"theirs"}},
	 "spec":{"selector":{"istio":"ingressgateway"},"servers":[
	  {"port":{"number":31400,"name":"theirs","protocol":"TCP"},"hosts":["echo.example.com"]}]}}`},
	{"ingress-https", `{"apiVersion":"networking.istio.io/v1","kind":"Gateway",
	 "metadata":{"name":"httpbin-gateway","labels":{"team":"web"},"annotations":{"why":"theirs"}},
	 "spec":{"selector":{"istio":"ingressgateway"},"servers":[
	  {"port":{"number":80,"name":"theirs","protocol":"HTTP"},"hosts":["web.example.com"]}]}}`},
}

// bystander is what no run has to do with.
const bystander = `{"apiVersion":"networking.istio.io/v1","kind":"VirtualService",
 "metadata":{"name":"bystander"},"spec":{"hosts":["bystander.example.com"],"http":[{"directResponse":{"status":204}}]}}`

// TestARunThatIsKilledAtAnyWriteIsUndoneByRestore kills runs after each of their writes,
// those of their ledgers among them, before they are answered. That is also before the
// next one: what is left differs in nothing.
func TestARunThatIsKilledAtAnyWriteIsUndoneByRestore(t *testing.T) {
	program := build(t)
	endAtEachWrite(t, 1, func(t *testing.T, p *process, id string, _ func()) {
		_ = p.Process.Kill()
		<-p.ended
		if !p.wasKilled() {
			t.Fatalf("the run was not killed: %v: %s", p.err, &p.said)
		}
		expire(t, optionsOf(id).Namespace, id)
		restore(t, program, optionsOf(id).Namespace)
	})
}

// TestARunThatIsToldToEndAtAnyWriteUndoesEverything does so by SIGTERM: after every
// third write, or after each if MESHCHAOS_E2E_EVERY is 1, which takes minutes more.
func TestARunThatIsToldToEndAtAnyWriteUndoesEverything(t *testing.T) {
	every := 3
	if asked := os.Getenv("MESHCHAOS_E2E_EVERY"); asked != "" {
		var err error
		if every, err = strconv.Atoi(asked); err != nil || every < 1 {
			t.Fatalf("MESHCHAOS_E2E_EVERY is %q, and should be a number from 1 on", asked)
		}
	}
	endAtEachWrite(t, every, func(t *testing.T, p *process, _ string, answer func()) {
		began := time.Now()
		_ = p.Process.Signal(syscall.SIGTERM)
		answer()
		<-p.ended
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("the run ended after %s: %v: %s", took, p.err, &p.said)
		}
	})
}

// ending ends a run whose write was carried out, and is answered once answer is called.
type ending func(t *testing.T, p *process, id string, answer func())

// endAtEachWrite has a run ended after its first write, then one after one that comes
// later, and so on, and holds the objects against what they were.
func endAtEachWrite(t *testing.T, every int, end ending) {
	points := 0
	for _, one := range endedRuns {
		t.Run(one.scenario, func(t *testing.T) {
			namespace := optionsOf("").Namespace
			borrowed := ownerOf(t, namespace, one.borrowed)
			borrowed.apply(one.borrowed)
			ownerOf(t, namespace, bystander).apply(bystander)
			before := standing(t, namespace)
			b := standBetween(t)
			for n := 1; !t.Failed(); n += every {
				id := fmt.Sprintf("end%x%02d", time.Now().Unix()&0xffff, n)
				at := b.endAt(t, one.scenario, id, n, end)
				if diff := cmp.Diff(before, standing(t, namespace)); diff != "" {
					t.Errorf("ended at write %d, %q (-before +after):\n%s", n, at, diff)
				}
				if at == "" && n == 1 {
					t.Error("the run was ended at no write, for none was seen")
				}
				if at == "" {
					break
				}
				points++
			}
			borrowed.apply(strings.Replace(one.borrowed, "theirs", "still theirs", 1))
		})
	}
	t.Logf("runs were ended at %d points", points)
}

// endAt has a run ended as the API server has carried out its nth write, and says which
// that is; empty: the run came to its end before.
func (b *between) endAt(t *testing.T, scenario, id string, n int, end ending) (at string) {
	t.Helper()
	var mu sync.Mutex
	reached, answered := make(chan string, 1), make(chan struct{})
	answer := sync.OnceFunc(func() { close(answered) })
	defer answer()
	b.at(func(w http.ResponseWriter, r *http.Request, api http.Handler) {
		mu.Lock()
		n--
		this := n == 0
		mu.Unlock()
		if !this {
			api.ServeHTTP(w, r)
			return
		}
		carriedOut := httptest.NewRecorder()
		api.ServeHTTP(carriedOut, r)
		reached <- r.Method + " " + r.URL.Path
		<-answered
		maps.Copy(w.Header(), carriedOut.Header())
		w.WriteHeader(carriedOut.Code)
		_, _ = w.Write(carriedOut.Body.Bytes())
	})
	defer b.at(nil)
	p := b.begin(t, scenario, id)
	select {
	case <-p.ended:
		if p.err != nil {
			t.Errorf("the run that nobody ended: %v: %s", p.err, &p.said)
		}
	case at = <-reached:
		end(t, p, id, answer)
	}
	return at
}
