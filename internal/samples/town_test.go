package samples

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/samples/workload"
)

// town is a network of services that call each other by name.
type town struct {
	t         testing.TB
	listen    func() net.Listener
	listeners map[string]net.Listener
	client    *http.Client
}

// newLoopback makes a town on real sockets.
func newLoopback(t testing.TB) *town {
	return newTown(t, func() net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return l
	})
}

// newPipes makes a town without sockets, in which synctest's clock works.
func newPipes(t testing.TB) *town {
	return newTown(t, func() net.Listener {
		return &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	})
}

func newTown(t testing.TB, listen func() net.Listener) *town {
	town := &town{t: t, listen: listen, listeners: map[string]net.Listener{}}
	town.client = &http.Client{
		Transport:     &http.Transport{DialContext: town.dial, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return town
}

func (town *town) dial(ctx context.Context, network, address string) (net.Conn, error) {
	switch l := town.listeners[address].(type) {
	case nil:
		return nil, fmt.Errorf("dialling %q: no such service", address)
	case *pipeListener:
		return l.dial(ctx)
	default:
		return new(net.Dialer).DialContext(ctx, network, l.Addr().String())
	}
}

// serve runs the workload until the test ends. With an instead, that takes its
// place.
func (town *town) serve(w workload.Workload, instead http.Handler) {
	l := town.listen()
	town.listeners[fmt.Sprintf("%s:%d", w.App, w.ServicePort)] = l
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	if instead != nil {
		w.HTTP = func(context.Context, workload.Env) http.Handler { return instead }
	}
	go func() { served <- w.Serve(ctx, l, workload.Env{PodName: w.Name() + "-pod", Dial: town.dial}) }()
	town.t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			town.t.Errorf("serving %s: %v", w.Name(), err)
		}
	})
}

// own is what a workload of Bookinfo answers by itself.
func (town *town) own(app, version string) http.Handler {
	w, err := Lookup(app, version)
	if err != nil {
		town.t.Fatal(err)
	}
	return w.HTTP(town.t.Context(), workload.Env{Dial: town.dial})
}

// bookinfo runs Bookinfo with one version of reviews, and some services replaced.
func (town *town) bookinfo(reviews string, instead map[string]http.Handler) {
	workloads, err := App("bookinfo")
	if err != nil {
		town.t.Fatal(err)
	}
	for _, w := range workloads {
		if w.App != "reviews" || w.Version == reviews {
			town.serve(w, instead[w.App])
		}
	}
}

func (town *town) get(url string, header http.Header) reply {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		town.t.Error(err)
		return reply{}
	}
	if header != nil {
		request.Header = header
	}
	return town.do(request)
}

// reply is an answer, and how long it took.
type reply struct {
	status int
	header http.Header
	body   string
	took   time.Duration
}

func (town *town) do(request *http.Request) reply {
	began := time.Now()
	response, err := town.client.Do(request)
	if err != nil {
		town.t.Error(err)
		return reply{}
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		town.t.Error(err)
	}
	return reply{response.StatusCode, response.Header, string(body), time.Since(began)}
}

// seen is what a page shows.
type seen struct {
	black, red               int // stars
	ratingsLost              int // reviews that say so
	reviewsLost, detailsLost bool
}

// look reads a page by the very texts that checks of scenarios look for.
func look(t testing.TB, page reply) seen {
	t.Helper()
	if page.status != http.StatusOK {
		t.Errorf("page: status %d, want 200 whatever happens behind it", page.status)
	}
	has := func(text string) bool { return strings.Contains(page.body, text) }
	s := seen{
		ratingsLost: strings.Count(page.body, "Ratings service is currently unavailable"),
		reviewsLost: has("Error fetching product reviews"),
		detailsLost: has("Error fetching product details"),
	}
	stars := strings.Count(page.body, "glyphicon-star")
	if has("text-black-500") {
		s.black = stars
	} else {
		s.red = stars
	}
	if has("Sorry, product reviews are currently unavailable for this book.") != s.reviewsLost || has("Reviews served by:") == s.reviewsLost {
		t.Errorf("page: its texts do not agree on whether the reviews are lost:\n%s", page.body)
	}
	if has("Sorry, product details are currently unavailable for this book.") != s.detailsLost || has("Book Details") == s.detailsLost {
		t.Errorf("page: its texts do not agree on whether the details are lost:\n%s", page.body)
	}
	return s
}

// slow answers as next does, after the delay. It goes when its caller goes.
func slow(delay time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(delay):
			next.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	})
}

// pipeListener is a listener on net.Pipe.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) dial(ctx context.Context) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case l.conns <- far:
		return near, nil
	case <-l.closed:
		return nil, errors.New("connection refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipeListener) Close() error {
	close(l.closed)
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }
