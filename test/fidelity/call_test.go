//go:build e2e

package fidelity

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// call is one request of a case.
type call struct {
	Method  string // empty: GET
	Path    string // empty: /
	Host    string // empty: the service's
	Do      string // what the workload does
	Headers string // name:value, separated by spaces
	Body    string
	Slowly  time.Duration // the pause after the first half of the body
	Before  time.Duration // the pause before it
	AtLeast time.Duration // that it takes
}

// outcome is what became of a call, in words, by which two are compared.
type outcome struct {
	status  string
	headers []string
	body    string
	log     string // its line of the access log
	took    time.Duration
}

func (o outcome) String() string {
	return fmt.Sprintf("%s\n  %s\n  body %q\n  log %s", o.status, strings.Join(o.headers, "\n  "), o.body, o.log)
}

// dialer connects to a service of the mesh through a proxy.
type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// client sends calls on connections of its own.
func client(t testing.TB, dial dialer) *http.Client {
	transport := &http.Transport{DialContext: dial, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport: transport, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// later is nothing to read, but only after a pause.
type later struct{ after time.Duration }

// Read implements io.Reader.
func (l *later) Read([]byte) (int, error) {
	<-time.After(l.after)
	return 0, io.EOF
}

// send sends a call. Its number and the id by which the log tells of it go along.
func (c call) send(client *http.Client, service string, number int, id string) outcome {
	method, path := c.Method, c.Path
	if method == "" {
		method = http.MethodGet
	}
	if path == "" {
		path = "/"
	}
	var body io.Reader
	switch half := len(c.Body) / 2; {
	case c.Slowly > 0:
		body = io.MultiReader(strings.NewReader(c.Body[:half]), &later{after: c.Slowly}, strings.NewReader(c.Body[half:]))
	case c.Body != "":
		body = strings.NewReader(c.Body)
	}
	r, err := http.NewRequest(method, "http://"+service+":8000", body)
	if err != nil {
		return outcome{status: err.Error()}
	}
	r.URL.Opaque = "//" + r.URL.Host + path // as it is written here
	if !strings.HasPrefix(path, "//") {
		r.URL.Opaque = path
	}
	r.Host = c.Host
	for header := range strings.FieldsSeq(c.Headers) {
		name, value, _ := strings.Cut(header, ":")
		r.Header.Add(name, value)
	}
	r.Header.Set(callHeader, fmt.Sprint(number))
	r.Header.Set("X-Request-Id", id)
	r.Header.Set("User-Agent", "fidelity")
	if c.Do != "" {
		r.Header.Set(doHeader, c.Do)
	}
	<-time.After(c.Before)
	began := time.Now()
	resp, err := client.Do(r)
	if err != nil {
		return outcome{status: "no answer", took: time.Since(began)}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	o := outcome{status: strconv.Itoa(resp.StatusCode), body: string(text), took: time.Since(began)}
	if err != nil {
		o.body += " and then it broke off"
	}
	for name, values := range resp.Header {
		for _, v := range values {
			switch name {
			case "Date", "X-Envoy-Upstream-Service-Time":
				v = "(given)"
			}
			o.headers = append(o.headers, name+": "+v)
		}
	}
	slices.Sort(o.headers)
	return o
}
