package loadgen

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	"fortio.org/fortio/fhttp"
	"fortio.org/log"
)

// maxFortioConnections keeps the buffers of fortio's clients below 128 MiB.
const maxFortioConnections = 1000

var (
	headersEnd       = []byte("\r\n\r\n")
	contentLength    = []byte("\r\ncontent-length:")
	chunkedEncoding  = []byte("\r\ntransfer-encoding: chunked")
	connectionClosed = []byte("\r\nconnection: close")
)

// validateFortioHTTP refuses what fortio's fast client would not do, or would
// do otherwise.
func validateFortioHTTP(h *HTTP) error {
	var reason string
	switch {
	case h.Login != nil:
		reason = "keeps no cookies, so http.login is not possible"
	case h.Close:
		reason = "keeps connections open, so http.close is not possible"
	case h.IsWebSocket():
		reason = "speaks no WebSocket"
	case h.HTTP2:
		reason = "speaks HTTP/1.1 alone"
	case h.Method == "HEAD":
		reason = "waits for the body of an answer to HEAD, which has none"
	case varies(h):
		reason = "sends the same bytes each time, and a value varies"
	case strings.Contains(h.URL+h.Body, "{uuid}"):
		reason = "replaces {uuid} in a URL or body by another value each time"
	default:
		return nil
	}
	return wrong("engine", "engine fortio %s: use engine %s", reason, EngineNetHTTP)
}

// fortioHTTP sends the requests of one connection with fortio's fast client,
// and finds out what the client keeps to itself: that it sent a request twice,
// and that an answer was not whole.
type fortioHTTP struct {
	client  fhttp.Fetcher // nil until opened
	options *fhttp.HTTPOptions
	timeout time.Duration
	match   *matcher
	answer  *bytes.Buffer // head and body, as far as the client has read them
	kept    bool          // the client kept its connection after the last answer
	chunks  []byte
}

func newFortioHTTP(plan *Plan, target string, m *matcher) (*fortioHTTP, error) {
	options, err := fortioOptions(plan, target)
	if err != nil {
		return nil, err
	}
	f := &fortioHTTP{options: options, timeout: plan.timeout(), match: m, answer: new(bytes.Buffer)}
	options.DataWriter = f.answer
	return f, nil
}

func fortioOptions(plan *Plan, target string) (*fhttp.HTTPOptions, error) {
	quietFortio()
	u, err := url.Parse(plan.HTTP.URL)
	if err != nil {
		return nil, err
	}
	host := u.Host
	u.Host = target
	options := &fhttp.HTTPOptions{
		HTTPReqTimeOut:    plan.timeout(),
		MethodOverride:    plan.HTTP.Method,
		Payload:           []byte(plan.HTTP.Body),
		NoResolveEachConn: true,
	}
	options.Init(u.String())
	if err := options.AddAndValidateExtraHeader("Host: " + host); err != nil {
		return nil, err
	}
	for name, value := range plan.HTTP.Header {
		if err := options.AddAndValidateExtraHeader(name + ": " + value); err != nil {
			return nil, err
		}
	}
	return options, nil
}

// quietFortio keeps fortio's log, which is one for the process, from writing a
// line for each failed request. What it would say is in the Result.
func quietFortio() { log.SetLogLevelQuiet(log.Critical) }

// open implements connection. The client looks its host up.
func (f *fortioHTTP) open(context.Context) error {
	client, err := fhttp.NewFastClient(f.options)
	if err != nil {
		return fmt.Errorf("making fortio's client for %q: %w", f.options.URL, err)
	}
	f.client = client
	return nil
}

// send implements connection. The client repeats a request, without a word,
// when a connection that it kept turns out to be dead; it then dials, which it
// does in no other case when it has kept one.
func (f *fortioHTTP) send(ctx context.Context, begun time.Time) (reply, int64) {
	kept, dialed := f.kept, f.dialed()
	f.answer.Reset()
	code, _, _ := f.client.StreamFetch(ctx)
	var hidden int64
	if kept && f.dialed() > dialed {
		hidden = 1
	}
	if code < 200 {
		f.drop()
		return reply{err: f.errorName(begun)}, hidden
	}
	return f.read(code), hidden
}

// errorName is all that the client lets us know.
func (f *fortioHTTP) errorName(begun time.Time) string {
	if time.Since(begun) >= f.timeout {
		return ErrorTimeout
	}
	return ErrorOther
}

// read makes a reply of an answer as the client has read it, and drops the
// connection unless the client rightly kept it.
func (f *fortioHTTP) read(code int) reply {
	rep := reply{status: code}
	a := parseAnswer(code, f.answer.Bytes())
	body, err := f.body(a)
	f.kept = err == nil && a.reusable && a.success
	if !f.kept {
		f.drop()
	}
	switch {
	case errors.Is(err, errUnread) && !f.match.asks():
		return rep
	case errors.Is(err, io.ErrUnexpectedEOF) && f.answer.Len() < fhttp.BufferSizeKb*1024:
		return reply{err: ErrorEOF}
	case err != nil:
		return reply{err: ErrorOther}
	}
	return f.match.searched(rep, body)
}

// answer is an answer as far as fortio's client has read it.
type answer struct {
	body     []byte // as it stands on the wire
	length   int64  // of the body; -1: not stated
	chunked  bool
	headed   bool // its head is whole
	success  bool // fortio read until it had the body
	reusable bool // the connection may be used again
}

// parseAnswer looks for what fortio's client itself looks for, with its own
// functions, so as to decide as it does.
func parseAnswer(code int, data []byte) answer {
	a := answer{length: -1, success: code < 300 || code == 418}
	end := bytes.Index(data, headersEnd)
	if end < 0 {
		return a
	}
	a.headed = true
	header := data[:end+2]
	a.body = data[end+len(headersEnd):]
	if found, at := fhttp.FoldFind(header, contentLength); found {
		a.length = fhttp.ParseDecimal(header[at+len(contentLength):])
	} else {
		a.chunked, _ = fhttp.FoldFind(header, chunkedEncoding)
	}
	if code == 204 || code == 304 {
		a.length = 0
		return a
	}
	closed, _ := fhttp.FoldFind(header, connectionClosed)
	a.reusable = !closed && (a.length >= 0 || a.chunked)
	return a
}

// errUnread says that fortio's client stopped before the end of an answer, as
// it does with every status outside 2xx, and with an answer without a length.
var errUnread = errors.New("fortio's client did not read the whole answer")

// body is the whole body of an answer.
func (f *fortioHTTP) body(a answer) ([]byte, error) {
	var err error
	switch {
	case !a.headed:
		return nil, io.ErrUnexpectedEOF
	case a.length >= 0 && int64(len(a.body)) >= a.length:
		return a.body[:a.length], nil
	case a.chunked:
		f.chunks, err = readBody(httputil.NewChunkedReader(bytes.NewReader(a.body)), f.chunks[:0])
	case a.length < 0:
		return nil, errUnread
	default:
		err = io.ErrUnexpectedEOF
	}
	if err != nil && !a.success {
		err = errUnread
	}
	return f.chunks, err
}

// drop closes the connection that the client kept, if it did.
func (f *fortioHTTP) drop() {
	f.kept = false
	f.client.Close()
}

// requestID implements connection. The client sends the same bytes each time.
func (*fortioHTTP) requestID() (*requestID, string) { return nil, "" }

// cut implements connection. Nobody gets at the connection while it is in use,
// so that a request ends by itself or by its timeout.
func (f *fortioHTTP) cut() {}

// dialed implements connection.
func (f *fortioHTTP) dialed() int64 {
	if f.client == nil {
		return 0
	}
	_, connects := f.client.GetIPAddress()
	return connects.Count
}

// close implements connection.
func (f *fortioHTTP) close() {
	if f.client != nil {
		f.drop()
	}
}
