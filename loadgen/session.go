package loadgen

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
)

// session is what a connection sends, whichever version of HTTP it speaks: the requests of
// its user, with the cookies that the connection was given.
type session struct {
	plan    *Plan
	user    *user
	url     *url.URL       // of the first request
	jar     http.CookieJar // nil: nobody logs in
	cookies []string       // of the jar, in each request of the list
}

func newSession(plan *Plan, u *user) (s session, err error) {
	s = session{plan: plan, user: u, url: u.script.requests[0].asked.URL}
	if plan.first().Login != nil {
		s.jar, err = cookiejar.New(nil)
		s.cookies = make([]string, len(u.script.requests))
	}
	return s, err
}

// newHTTPRequest makes the request of a plan, with cookies beside its own.
func newHTTPRequest(h *HTTP, cookies string) (*http.Request, error) {
	var body io.Reader = http.NoBody
	if h.Body != "" {
		body = strings.NewReader(h.Body)
	}
	req, err := http.NewRequest(h.Method, h.URL, body)
	if err != nil {
		return nil, err
	}
	setHeader(req, h.Header)
	req.Close = h.Close
	if cookies != "" {
		if own := req.Header.Get("Cookie"); own != "" {
			cookies = own + "; " + cookies
		}
		req.Header.Set("Cookie", cookies)
	}
	return req, nil
}

// renewCookies brings the user's request up to what the jar holds now.
func (s *session) renewCookies() error {
	if s.jar == nil {
		return nil
	}
	var pairs []string
	request := s.user.now
	for _, cookie := range s.jar.Cookies(request.asked.URL) {
		pairs = append(pairs, cookie.Name+"="+cookie.Value)
	}
	now := strings.Join(pairs, "; ")
	if now == s.cookies[request.at] {
		return nil
	}
	renewed, err := s.user.script.prepare(s.plan.OfHTTP(), request.at, now)
	if err != nil {
		return err
	}
	s.user.script.requests[request.at], s.user.now, s.cookies[request.at] = renewed, renewed, now
	return nil
}

// ended is what the user's request ends in: what is to be taken from its answer is.
func (s *session) ended(rep reply, body []byte) reply {
	take := s.user.now.take
	if take == nil || rep.err != "" {
		return s.user.ended(rep, "", false)
	}
	value, taken := take.from(body)
	return s.user.ended(rep, value, taken)
}

// keep takes the cookies of an answer.
func (s *session) keep(resp *http.Response) {
	if s.jar != nil {
		s.jar.SetCookies(s.url, resp.Cookies())
	}
}

// login sends the plan's form, if it has one, by a function that keeps what is answered.
func (s *session) login(send func(*http.Request) (status, error)) error {
	first := s.plan.first()
	if first.Login == nil {
		return nil
	}
	if err := s.sendForm(first, send); err != nil {
		return fmt.Errorf("logging in at %q: %w", first.Login.URL, err)
	}
	return nil
}

func (s *session) sendForm(first *HTTP, send func(*http.Request) (status, error)) error {
	req, err := loginRequest(first)
	if err != nil {
		return err
	}
	got, err := send(req)
	switch {
	case err != nil:
		return err
	case got.code >= 400:
		return fmt.Errorf("it was answered %s; check the form", got.text)
	case len(s.jar.Cookies(s.url)) == 0:
		return fmt.Errorf("it was answered %s without a cookie for %q; check the form", got.text, first.URL)
	}
	return nil
}
