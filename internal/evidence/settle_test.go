package evidence

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
)

// inProcess answers without a socket, on which a bubble of synctest could not wait.
type inProcess http.HandlerFunc

func (h inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	h(answer, r)
	return answer.Result(), nil
}

// holding is a proxy that holds a delayed request until then; without a gauge if
// it keeps none.
func holding(until time.Time, gauge bool) mesh.Proxy {
	return mesh.Proxy{Admin: &envoy.Admin{Base: "http://admin", Client: &http.Client{Transport: inProcess(func(w http.ResponseWriter, _ *http.Request) {
		active := "0"
		if time.Now().Before(until) {
			active = "1"
		}
		if !gauge {
			active = ""
		}
		_, _ = w.Write(activeGauge(active))
	})}}}
}

func activeGauge(value string) []byte {
	if value == "" {
		return []byte(`{"stats":[]}`)
	}
	return []byte(`{"stats":[{"name":"http.outbound_0.0.0.0_8000;.fault.active_faults","value":` + value + `}]}`)
}

func TestAWindowHasSettledWhenNoDelayIsLeft(t *testing.T) {
	const longest = 7 * time.Second
	for name, one := range map[string]struct {
		held        time.Duration // since the load ended
		gauge       bool
		least, most time.Duration
	}{
		"nothing is held":       {0, true, 0, time.Second / 2},
		"one is held for long":  {4 * time.Second, true, 4 * time.Second, 5 * time.Second},
		"no proxy keeps count":  {0, false, longest, longest},
		"it is held for longer": {time.Minute, true, longest, longest},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ended := time.Now()
				proxies := []mesh.Proxy{holding(ended, true), holding(ended.Add(one.held), one.gauge)}
				if err := AwaitDelayed(t.Context(), proxies, ended, longest); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(ended); took < one.least || took > one.most {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

func TestACallOnItsWayAtTheFirstLookIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := time.Now()
		proxy := holding(ended.Add(3*time.Second), true)
		looks := 0
		busy := proxy.Admin.Client.Transport
		proxy.Admin.Client.Transport = inProcess(func(w http.ResponseWriter, r *http.Request) {
			if looks++; looks == 1 {
				_, _ = w.Write(activeGauge("0"))
				return
			}
			busy.(inProcess)(w, r)
		})
		if err := AwaitDelayed(t.Context(), []mesh.Proxy{proxy}, ended, 7*time.Second); err != nil || time.Since(ended) < 3*time.Second {
			t.Errorf("it took %v, %v", time.Since(ended), err)
		}
	})
}

func TestSettlingEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := AwaitDelayed(ctx, []mesh.Proxy{holding(time.Now().Add(time.Hour), true)}, time.Now(), time.Minute); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
	})
	if err := AwaitDelayed(t.Context(), nil, time.Now(), 0); err != nil {
		t.Errorf("without a delay: %v", err)
	}
}

func TestLateLinesAreWaitedFor(t *testing.T) {
	for name, one := range map[string]struct {
		come  time.Duration // when the lines do; negative: never
		whole bool
	}{"late": {2 * time.Second, true}, "never": {-1, false}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene()
				before, after := s.snapshots()
				p := newProxyLog(mesh.Proxy{Name: "caller"}, time.Second)
				p.begin(loadStart, time.Second)
				if one.come > 0 {
					time.AfterFunc(one.come, func() {
						for range 10 {
							p.add(entry(5))
						}
					})
				}
				o := Observed{Namespace: "shop", Before: before, After: after, Services: shop, Log: &Log{proxies: []*proxyLog{p}, calls: newCalls()}}
				w := Read(o)
				if err := w.AwaitLines(t.Context(), time.Now(), time.Second); err != nil {
					t.Fatal(err)
				}
				if whole := w.incomplete["caller"] == nil; whole != one.whole {
					t.Errorf("the log is whole: %v", whole)
				}
			})
		})
	}
}

// Of a window of which nobody asks a quantity half as much is read, and it is told all
// the same whether the proxy was restarted, and what it took.
func TestOfAWindowWithoutQuantitiesLessIsRead(t *testing.T) {
	asked, up := map[string]int{}, 60
	proxy := mesh.Proxy{Name: "caller", Admin: &envoy.Admin{Base: "http://admin", Client: &http.Client{Transport: inProcess(func(w http.ResponseWriter, r *http.Request) {
		asked[r.URL.Path]++
		answer := fmt.Sprintf(`{"stats":[{"name":"server.uptime","value":%d}]}`, up)
		switch r.URL.Path {
		case "/clusters":
			answer = `{"cluster_statuses":[]}`
		case "/config_dump":
			answer = `{}`
		case "/stats/prometheus":
			answer = ""
		}
		_, _ = w.Write([]byte(answer))
	})}}}
	window := func(take func(context.Context, []mesh.Proxy) (*Snapshot, error)) *Window {
		var taken [2]*Snapshot
		for i := range taken {
			var err error
			if taken[i], err = take(t.Context(), []mesh.Proxy{proxy}); err != nil {
				t.Fatal(err)
			}
			up -= 30
		}
		return Read(Observed{Before: taken[0], After: taken[1]})
	}
	if gap := window(TakeCounts).Gap(); !strings.Contains(gap, "was restarted") {
		t.Errorf("the gap is %q", gap)
	}
	if want := map[string]int{"/stats": 2, "/clusters": 2}; !maps.Equal(asked, want) {
		t.Errorf("asked for %v; want %v", asked, want)
	}
	if window(Take); asked["/config_dump"] == 0 || asked["/stats/prometheus"] == 0 {
		t.Errorf("for quantities asked for %v", asked)
	}
}
