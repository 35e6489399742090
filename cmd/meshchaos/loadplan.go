package main

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"os"
	"strings"

	"github.com/meshchaos/meshchaos/loadgen"
)

// plan is what the flags ask of the load generator.
func (f *loadFlags) plan(url string) (*loadgen.Plan, error) {
	request, err := f.request(url)
	if err != nil {
		return nil, err
	}
	own, err := f.tls(request.URL)
	if err != nil {
		return nil, err
	}
	p := &loadgen.Plan{
		HTTP: request, TLS: own, Connections: f.connections, Requests: max(f.requests, 0), QPS: max(f.qps, 0),
		Timeout: loadgen.Duration{Duration: f.timeout}, NoCatchUp: f.noCatchUp, Jitter: f.jitter, AbortOn: f.abortOn, NotOK: true,
	}
	if f.std {
		p.Engine = loadgen.EngineNetHTTP
	}
	if f.timeout == 0 {
		p.Timeout.Duration = fortioTimeout
	}
	if f.calcQPS {
		if p.Requests == 0 || f.lasts <= 0 {
			return nil, errors.New("reading -calc-qps: the rate is -n by -t; give both")
		}
		p.QPS = float64(p.Requests) / f.lasts.Seconds()
	}
	if p.Requests == 0 { // connections are opened before what is counted, as fortio does
		p.Duration.Duration, p.Prime, p.AllowInitialErrors = max(f.lasts, 0), true, f.initial
	} else { // none is opened that would have nothing to send
		p.Connections = int(min(int64(p.Connections), p.Requests))
	}
	if err := p.Literally().Validate(); err != nil {
		return nil, ofFlag(err)
	}
	if f.resolve == "" {
		return p, nil
	}
	_, port, err := p.Address()
	if err == nil && net.ParseIP(f.resolve) == nil {
		err = fmt.Errorf("reading -resolve: %q is no IP", f.resolve)
	}
	through := p.Through(net.JoinHostPort(f.resolve, port))
	return &through, err
}

// ofFlag says of what is wrong with a plan which flag it came by.
func ofFlag(err error) error {
	var wrong *loadgen.FieldError
	if !errors.As(err, &wrong) {
		return err
	}
	by := map[string]string{
		"connections": "-c", "requests": "-n", "qps": "-qps", "duration": "-t",
		"abortOn": "-abort-on", "http.method": "-X", "http.url": "the URL",
	}[wrong.Field]
	switch {
	case wrong.Field == "timeout":
		return fmt.Errorf("reading -timeout: it takes a time up to 1h, 0 for %v", fortioTimeout)
	case wrong.Field == "tls.caCertificates":
		return errors.New("reading -cacert: it has no certificate in PEM; name a file with who may have signed the server's")
	case wrong.Field == "tls.clientCertificate":
		return fmt.Errorf("reading -cert: it and -key are no pair in PEM: %w; name the key that the certificate was made for", errors.Unwrap(errors.Unwrap(wrong)))
	case wrong.Field == "http.header.Connection":
		return errors.New("reading -H: connections are kept open, unless -keepalive=false says otherwise; write that")
	case strings.HasPrefix(wrong.Field, "http.header."):
		by = "-H"
	case by == "":
		return err
	}
	return fmt.Errorf("reading %s: %w", by, wrong)
}

// request is what is sent.
func (f *loadFlags) request(url string) (*loadgen.HTTP, error) {
	body, err := f.body()
	if err != nil {
		return nil, err
	}
	h := &loadgen.HTTP{Method: f.method, URL: strings.TrimLeft(url, " \t\r\n"), Body: body, Header: map[string]string{}, Close: !f.keepAlive, HTTP2: f.http2}
	if err := f.fields(h); err != nil {
		return nil, err
	}
	if h.URL, err = driven(h.URL); err != nil {
		return nil, err
	}
	if strings.Contains(h.URL+h.Body, "{uuid}") {
		return nil, errors.New("reading {uuid}: fortio puts another value there each time, and this program sends each request as it is; each has an x-request-id of its own")
	}
	return h, nil
}

// driven is a URL that is driven; as with curl and fortio, http:// may be left out.
func driven(url string) (string, error) {
	scheme, _, has := strings.Cut(strings.ToLower(url), "://")
	switch {
	case !has || strings.ContainsAny(scheme, "/?#:"):
		return "http://" + url, nil
	case scheme == "http", scheme == "https":
		return url, nil
	}
	why := map[string]string{
		"tcp":  "a load of TCP is a scenario's, as tcp; fortio load drives it",
		"udp":  "this program sends no UDP; fortio load drives it",
		"grpc": whyNotGRPC,
		"ws":   "a load of WebSockets is a scenario's, as ws",
		"wss":  "a load of WebSockets is a scenario's, as ws",
	}[scheme]
	return "", fmt.Errorf("reading %s: %s", url, cmp.Or(why, "it begins neither with http:// nor with https://"))
}

// body is what is sent, by the first of fortio's flags that says so.
func (f *loadFlags) body() (string, error) {
	switch {
	case f.payloadFile != "":
		text, err := os.ReadFile(f.payloadFile)
		if err != nil {
			return "", fmt.Errorf("reading -payload-file: %w", err)
		}
		return string(text), nil
	case f.payloadSize < 0 || f.payloadSize > mostPayload:
		return "", fmt.Errorf("reading -payload-size: %d bytes are none that can be made; write 0 to %d, or -payload-file", f.payloadSize, mostPayload)
	case f.payloadSize > 0:
		random := make([]byte, f.payloadSize)
		_, _ = rand.Read(random) // never fails
		return string(random), nil
	}
	return f.payload, nil
}

// fields sets the header, and the method that goes with the content.
func (f *loadFlags) fields(h *loadgen.HTTP) error {
	seen := map[string]bool{}
	for _, field := range f.header {
		name, value, ok := strings.Cut(field, ":")
		name = textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name))
		switch {
		case !ok:
			return fmt.Errorf("reading -H: %q is no field; write name: value", field)
		case seen[name]:
			return fmt.Errorf("reading -H: there are two fields %s, and one of each is sent; write both values in one, with a comma", name)
		}
		seen[name], h.Header[name] = true, strings.TrimSpace(value)
	}
	if f.contentType != "" {
		h.Header["Content-Type"] = f.contentType
	}
	if h.Body != "" && h.Header["Content-Type"] == "" {
		h.Header["Content-Type"] = "application/octet-stream"
	}
	if f.user != "" {
		if seen["Authorization"] {
			return errors.New("reading -user: -H has Authorization, too; leave one out")
		}
		h.Header["Authorization"] = "Basic " + base64.StdEncoding.EncodeToString([]byte(f.user))
	}
	if !seen["User-Agent"] {
		h.Header["User-Agent"] = "meshchaos/" + version()
	}
	if h.Method == "" {
		h.Method = "GET"
		if h.Header["Content-Type"] != "" {
			h.Method = "POST"
		}
	}
	return nil
}
