package samples

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const login = "http://productpage:9080/login"

// signIn sends the form and returns the answer.
func (town *town) signIn(user, referer string) reply {
	form := url.Values{"username": {user}}.Encode()
	request, err := http.NewRequest(http.MethodPost, login, strings.NewReader(form))
	if err != nil {
		town.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if referer != "" {
		request.Header.Set("Referer", referer)
	}
	return town.do(request)
}

// cookie returns the session that the answer sets, as a request carries it.
func (r reply) cookie() string {
	cookie, _, _ := strings.Cut(r.header.Get("Set-Cookie"), ";")
	return cookie
}

func TestLoginSetsASessionAndLeadsBack(t *testing.T) {
	town := newLoopback(t)
	town.bookinfo("v1", nil)
	for referer, back := range map[string]string{
		"": "/productpage",
		"http://localhost:9080/productpage?u=normal": "http://localhost:9080/productpage?u=normal",
	} {
		got := town.signIn("jason", referer)
		set := got.header.Get("Set-Cookie")
		if got.status != http.StatusFound || got.header.Get("Location") != back {
			t.Errorf("Referer %q: %d to %q, want 302 to %q", referer, got.status, got.header.Get("Location"), back)
		}
		if !strings.HasPrefix(set, "session=") || !strings.Contains(set, "; HttpOnly") || !strings.Contains(set, "; Path=/") {
			t.Errorf("Referer %q: Set-Cookie %q, want session=…; HttpOnly; Path=/", referer, set)
		}
	}
}

func TestASessionHoldsAtEveryProductpageUntilLogout(t *testing.T) {
	one, other := newLoopback(t), newLoopback(t)
	one.bookinfo("v1", nil)
	other.bookinfo("v1", nil)
	cookie := one.signIn("jason", "").cookie()
	for _, town := range []*town{one, other} {
		if body := town.get(page, http.Header{"Cookie": {cookie}}).body; !strings.Contains(body, `<b id="user">jason</b>`) {
			t.Errorf("the page does not name jason:\n%s", body)
		}
	}
	out := one.get("http://productpage:9080/logout", http.Header{"Cookie": {cookie}})
	if set := out.header.Get("Set-Cookie"); out.status != http.StatusFound || !strings.HasPrefix(set, "session=;") || !strings.Contains(set, "Max-Age=0") {
		t.Errorf("logout: %d, Set-Cookie %q, want 302 and an ended session", out.status, set)
	}
}

func TestNamesThatNoHeaderCanCarryAreRefused(t *testing.T) {
	town := newLoopback(t)
	town.bookinfo("v1", nil)
	for _, user := range []string{"a\r\nend-user: b", "\x00", strings.Repeat("x", 257)} {
		if got := town.signIn(user, ""); got.status != http.StatusBadRequest || got.cookie() != "" {
			t.Errorf("%q: %d with cookie %q, want 400 without", user, got.status, got.cookie())
		}
	}
	if got := town.signIn("", ""); got.status != http.StatusFound || got.cookie() != "session=" {
		t.Errorf("no name: %d with cookie %q, want 302 and nobody signed in", got.status, got.cookie())
	}
}

// spy notes the headers that reach each service.
type spy struct {
	mu   sync.Mutex
	seen map[string]http.Header
}

func (s *spy) at(service string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.seen[service] = r.Header.Clone()
		s.mu.Unlock()
		next.ServeHTTP(w, r)
	})
}

func TestForwardedHeaders(t *testing.T) {
	town := newLoopback(t)
	spy := spy{seen: map[string]http.Header{}}
	reviews := town.own("reviews", "v2")
	town.bookinfo("v2", map[string]http.Handler{
		"details": spy.at("details", town.own("details", "v1")),
		"reviews": spy.at("reviews", reviews),
		"ratings": spy.at("ratings", town.own("ratings", "v1")),
	})
	cookie := town.signIn("jason", "").cookie()
	want := http.Header{
		"X-Request-Id":      {"7c1e"},
		"Traceparent":       {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
		"Tracestate":        {"a=1"},
		"X-B3-Traceid":      {"463ac35c9f6413ad48485a3953bb6124"},
		"X-B3-Spanid":       {"a2fb4a1d1a96d312"},
		"X-B3-Parentspanid": {"0020000000000001"},
		"X-B3-Sampled":      {"1"},
		"X-B3-Flags":        {"0"},
		"User-Agent":        {"somebody/1.0"},
		"Cookie":            {cookie + "; theme=dark"},
		"Authorization":     {"Bearer abc"},
		"Jwt":               {"eyJ"},
	}
	sent := want.Clone()
	sent.Set("Baggage", "a=b")
	sent.Set("X-Own", "mine")
	sent.Set("End-User", "mallory")
	town.get(page, sent)

	want.Set("End-User", "jason")
	want.Set("Accept-Encoding", "gzip") // net/http's own
	want.Set("Connection", "close")     // of a connection for one call
	for _, service := range []string{"details", "reviews", "ratings"} {
		if diff := cmp.Diff(want, spy.seen[service]); diff != "" {
			t.Errorf("headers at %s (-want +got):\n%s", service, diff)
		}
	}
}

func TestNoEndUserWithoutASignedSession(t *testing.T) {
	town := newLoopback(t)
	spy := spy{seen: map[string]http.Header{}}
	town.bookinfo("v1", map[string]http.Handler{"details": spy.at("details", town.own("details", "v1"))})
	jason := town.signIn("jason", "").cookie()
	name, signature, _ := strings.Cut(jason, ".")
	for _, cookie := range []string{"", "session=", "session=jason", name, name + ".", "session=YW5uYQ." + signature, "session=." + signature} {
		town.get(page, http.Header{"Cookie": {cookie}, "End-User": {"jason"}})
		if user := spy.seen["details"].Values("End-User"); len(user) > 0 {
			t.Errorf("cookie %q: end-user %q reached details", cookie, user)
		}
	}
}
