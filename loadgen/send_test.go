package loadgen

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// shop lets somebody log in, gives them a basket, and takes an order of it, each by what
// the answer before it has told; and counts what it was asked.
type shop struct {
	mu      sync.Mutex
	tokens  int
	baskets map[string]string // the token that each is of
	asked   map[string]int64  // by path and status
	silent  int               // of so many logins, one answers without a token; 0: none
}

func newShop() *shop { return &shop{baskets: map[string]string{}, asked: map[string]int64{}} }

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := func(status int, format string, args ...any) {
		s.asked[fmt.Sprint(r.URL.Path, " ", status)]++
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, format, args...)
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch r.URL.Path {
	case "/login":
		if s.tokens++; s.silent > 0 && s.tokens%s.silent == 0 {
			answer(200, `{"error": "try again"}`)
			return
		}
		answer(200, `{"auth": {"token": "t %d/é"}}`, s.tokens)
	case "/basket":
		id := fmt.Sprintf("b&%d", len(s.baskets))
		s.baskets[id] = token
		answer(200, "%s<p>basket=%s;</p>", strings.Repeat("x", 200_000), id)
	case "/order":
		var order struct{ Token string }
		if json.Unmarshal(body, &order) != nil || s.baskets[r.URL.Query().Get("basket")] == "" || s.baskets[r.URL.Query().Get("basket")] != order.Token {
			answer(400, "basket %q of %q, and it is asked for by %q", r.URL.Query().Get("basket"), s.baskets[r.URL.Query().Get("basket")], body)
			return
		}
		delete(s.baskets, r.URL.Query().Get("basket"))
		s.baskets["sold "+r.URL.Query().Get("basket")] = "sold"
		answer(201, "sold")
	}
}

// shopping is to log in, fill a basket, and order it.
func shopping(url string) []Request {
	return []Request{
		{Name: "login", HTTP: HTTP{Method: "POST", URL: url + "/login", Body: "user=ann"}, Take: &Take{Name: "token", Pointer: "/auth/token"}},
		{Name: "basket", HTTP: HTTP{Method: "GET", URL: url + "/basket", Header: map[string]string{"authorization": "Bearer {{.token}}"}}, Take: &Take{Name: "basket", Match: `basket=([^;]+)`}},
		{Name: "order", HTTP: HTTP{Method: "POST", URL: url + "/order?of=1&basket={{.basket}}", Body: `{"token": "{{.token}}"}`}},
	}
}

func TestEachRequestIsMadeOfTheAnswerBeforeIt(t *testing.T) {
	for _, engine := range ours {
		for name, plan := range map[string]Plan{
			"closed": {Connections: 7, Requests: 100},
			"open":   {Connections: 7, Requests: 100, QPS: 2000},
			"warmed": {Connections: 7, Requests: 100, Warmup: 11},
		} {
			t.Run(engine+" "+name, func(t *testing.T) {
				t.Parallel()
				s := newShop()
				plan.Engine, plan.Send = engine, shopping(startHTTP(t, s.ServeHTTP))
				result := run(t, plan)
				for _, of := range []struct {
					name   string
					status int
				}{{"login", 200}, {"basket", 200}, {"order", 201}} {
					r := result.Of(of.name)
					sent := answered(r, of.status)
					if name != "warmed" && sent != s.asked[fmt.Sprint("/", of.name, " ", of.status)] || sent != r.Sent || r.Response.Count() != sent || r.Service.Count() != sent {
						t.Errorf("%s: %v, %d times, and the server has seen %v", of.name, r.Outcomes, r.Response.Count(), s.asked)
					}
				}
				var served int64
				for _, n := range s.asked {
					served += n
				}
				if result.Sent != 100 || served != 100+result.Warmup {
					t.Errorf("%d were sent and %d to warm up, and the server has seen %v", result.Sent, result.Warmup, s.asked)
				}
			})
		}
	}
}

func TestAListBeginsAnewWhereNothingIsTaken(t *testing.T) {
	for _, engine := range ours {
		t.Run(engine, func(t *testing.T) {
			s := newShop()
			s.silent = 4
			result := run(t, Plan{Engine: engine, Connections: 3, Requests: 300, Send: shopping(startHTTP(t, s.ServeHTTP))})
			login, basket := result.Of("login"), result.Of("basket")
			untaken := login.Count(failedAs(ErrorUntaken))
			if logins := s.asked["/login 200"]; login.Sent != logins || untaken != logins/4 || answered(login, 200) != logins-logins/4 {
				t.Errorf("of %d logins: %v", logins, login.Outcomes)
			}
			if behind := answered(login, 200) - basket.Sent; behind < 0 || behind > 3 || result.Of("order").Sent > basket.Sent {
				t.Errorf("%v", result.Outcomes)
			}
			if result.Count(Outcome.Failed) != untaken || s.asked["/order 201"] != answered(result, 201) {
				t.Errorf("%v, and the server has seen %v", result.Outcomes, s.asked)
			}
		})
	}
}

// asking counts the requests of a server by what tells them apart.
type asking struct {
	mu  sync.Mutex
	all map[string]int64
}

func (a *asking) serve(of func(*http.Request, string) string) http.HandlerFunc {
	a.all = map[string]int64{}
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		a.mu.Lock()
		defer a.mu.Unlock()
		a.all[of(r, string(body))]++
	}
}

func pathOf(r *http.Request, _ string) string { return r.URL.Path }

func TestOfAListThatIsDrawnAsManyAreSentAsItsSeedSays(t *testing.T) {
	for _, engine := range ours {
		for name, plan := range map[string]Plan{"closed": {}, "open": {QPS: 5000}, "poisson": {QPS: 5000, Arrival: ArrivalPoisson}} {
			t.Run(engine+" "+name, func(t *testing.T) {
				t.Parallel()
				var server asking
				url := startHTTP(t, server.serve(pathOf))
				plan.Engine, plan.Connections, plan.Requests, plan.Seed = engine, 7, 1000, 4711
				for i, name := range []string{"a", "b", "c"} {
					plan.Send = append(plan.Send, Request{Name: name, HTTP: *get(url + "/" + name), Weight: []int64{70, 25, 5}[i]})
				}
				result := run(t, plan)
				drawn := plan.Drawing(1000, 4711)
				for i, name := range []string{"a", "b", "c"} {
					if of := result.Of(name); of.Sent != drawn[i] || server.all["/"+name] != drawn[i] || of.Response.Count() != drawn[i] {
						t.Errorf("%d of %s were sent and %d have come, and drawn were %d", of.Sent, name, server.all["/"+name], drawn[i])
					}
				}
				if result.Seed != 4711 {
					t.Errorf("the seed is %d", result.Seed)
				}
			})
		}
	}
}

// A list that is drawn comes out by its weights: within four standard deviations.
func TestWeightsAreWhatIsDrawnBy(t *testing.T) {
	plan := Plan{Send: []Request{{Weight: 70}, {Weight: 25}, {Weight: 5}}}
	const n = 100_000
	for seed := range int64(20) {
		for i, count := range plan.Drawing(n, seed+1) {
			p := float64(plan.Send[i].Weight) / 100
			if off := math.Abs(float64(count) - n*p); off > 4*math.Sqrt(n*p*(1-p)) {
				t.Errorf("seed %d: of %d are %d of weight %d of 100", seed+1, n, count, plan.Send[i].Weight)
			}
		}
	}
}

func TestAListIsSentInTurnOnEachConnection(t *testing.T) {
	for _, engine := range ours {
		t.Run(engine, func(t *testing.T) {
			var server asking
			url := startHTTP(t, server.serve(func(r *http.Request, _ string) string { return r.RemoteAddr + r.URL.Path }))
			var list []Request
			for _, name := range []string{"a", "b", "c"} {
				list = append(list, Request{Name: name, HTTP: *get(url + "/" + name)})
			}
			run(t, Plan{Engine: engine, Connections: 4, Requests: 40, Send: list})
			for who, n := range server.all {
				want := int64(3)
				if strings.HasSuffix(who, "/a") { // the first of ten
					want = 4
				}
				if n != want {
					t.Errorf("%s: %d, want %d", who, n, want)
				}
			}
			if len(server.all) != 12 {
				t.Errorf("%v", server.all)
			}
		})
	}
}

func TestValuesStandWhereTheyAreNamed(t *testing.T) {
	rows := [][]string{{"Ann & Bo", "a/b"}, {"Jörg \"x\"", "?#%"}, {"", "  "}}
	for _, engine := range ours {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			var server asking
			url := startHTTP(t, server.serve(func(r *http.Request, body string) string {
				return fmt.Sprintf("%s|%s|%s|%s|%d", r.URL.Path, r.URL.Query().Get("name"), r.Header.Get("x-name"), body, r.ContentLength)
			}))
			result := run(t, Plan{
				Engine: engine, Connections: 3, Requests: 90, Warmup: 4,
				HTTP: &HTTP{
					Method: "POST", URL: url + `/of/{{.path}}/{{/* nobody */}}?name={{.name}}&x={{"{{"}}`,
					Header: map[string]string{"x-name": "a{{.name}}z"}, Body: `{"name": "{{.name}}"}`,
				},
				Values: &Values{File: "users.csv", Columns: []string{"name", "path"}, Count: 3, Rows: rows},
			})
			if answered(result, 200) != 90 {
				t.Errorf("%v", result.Outcomes)
			}
			for i, row := range rows {
				body := fmt.Sprintf(`{"name": "%s"}`, row[0])
				key := fmt.Sprintf("/of/%s/|%s|a%sz|%s|%d", row[1], row[0], row[0], body, len(body))
				want := int64(31) // and of four to warm up
				if i == 0 {
					want = 32
				}
				if server.all[key] != want {
					t.Errorf("%s: %d, want %d, of %v", key, server.all[key], want, server.all)
				}
			}
		})
	}
}

func TestSomebodyThinksBetweenTwoRequests(t *testing.T) {
	for _, engine := range append(ours, EngineFortio) {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			var at []time.Time
			url := startHTTP(t, func(http.ResponseWriter, *http.Request) { at = append(at, time.Now()) })
			think := Think{From: Duration{Duration: 20 * time.Millisecond}, To: Duration{Duration: 40 * time.Millisecond}}
			began := time.Now()
			plan := Plan{Engine: engine, HTTP: get(url), Connections: 1, Requests: 10, Think: &think, Seed: 7}
			result := run(t, plan)
			took := time.Since(began)
			var thought time.Duration
			drawn := map[time.Duration]bool{}
			for n := range int64(9) {
				after := plan.thinking(7).after(n)
				if thought, drawn[after] = thought+after, true; after < think.From.Duration || after > think.To.Duration {
					t.Errorf("%v", after)
				}
			}
			if answered(result, 200) != 10 || len(drawn) != 9 || took < thought || result.Seed != 7 {
				t.Errorf("ten took %v, of which %v were thought: %v", took, thought, result.Outcomes)
			}
			for i := range at[1:] {
				if between, want := at[i+1].Sub(at[i]), plan.thinking(7).after(int64(i)); between < want-5*time.Millisecond {
					t.Errorf("request %d came %v after the one before it, want %v", i+1, between, want)
				}
			}
			if mean, _, _ := result.Response.MeanWithin(); 10*mean > took-thought {
				t.Errorf("ten took %v, of which %v were thought, and %v each to answer: the thought is in it", took, thought, mean)
			}
		})
	}
}

// A load is over when it is to be, whoever thinks.
func TestALoadEndsWhileSomebodyThinks(t *testing.T) {
	for _, engine := range ours {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			var end context.CancelFunc
			var served atomic.Int64
			url := startHTTP(t, func(http.ResponseWriter, *http.Request) {
				if served.Add(1) == 5 && end != nil {
					end()
				}
			})
			hour := Duration{Duration: time.Hour}
			result := run(t, Plan{Engine: engine, HTTP: get(url), Connections: 5, Think: &Think{From: hour, To: hour}, Duration: Duration{Duration: 50 * time.Millisecond}})
			if result.Sent < 1 || result.Sent > 5 || result.Elapsed.Duration < 50*time.Millisecond || result.Elapsed.Duration > 30*time.Second {
				t.Errorf("%d were sent in %v", result.Sent, result.Elapsed)
			}
			served.Store(0)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			end = cancel
			if result, err := runUntil(ctx, Plan{Engine: engine, HTTP: get(url), Connections: 5, Think: &Think{From: hour, To: hour}}); err == nil || result.Sent != 5 {
				t.Errorf("%d were sent until %v", result.Sent, err)
			}
		})
	}
}

// A connection that has logged in sends its cookie with each request of its list.
func TestALoginIsOfAllRequestsOfAList(t *testing.T) {
	var server asking
	count := server.serve(func(r *http.Request, _ string) string { return r.URL.Path + " " + r.Header.Get("Cookie") })
	url := startHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			http.SetCookie(w, &http.Cookie{Name: "session", Value: "s"})
			return
		}
		count(w, r)
	})
	list := []Request{{Name: "a", HTTP: *get(url + "/a")}, {Name: "b", HTTP: *get(url + "/b")}}
	list[0].HTTP.Login = &Login{URL: url + "/login", Form: map[string]string{"username": "ann"}}
	result := run(t, Plan{Connections: 2, Requests: 20, Send: list})
	if result.Engine != EngineNetHTTP || result.Setup != 2 || server.all["/a session=s"] != 10 || server.all["/b session=s"] != 10 {
		t.Errorf("%s, %d logins: %v", result.Engine, result.Setup, server.all)
	}
}
