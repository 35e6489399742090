package sidecar

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
)

// forwarding is a request on its way to the hosts of its cluster, one attempt
// after the other, until the last of its answer is read.
type forwarding struct {
	*stream
	cluster *cluster
	ctx     context.Context // ends with the request or at its timeout, with errTimeout as the cause
	cancel  context.CancelCauseFunc
	body    *requestBody  // nil: it has none
	timeout time.Duration // 0: none
	endTime func()        // ends the wait for that; nil: there is none
	perTry  time.Duration // as timeout
	attempt int
	begun   bool // something of the request was sent
}

func newForwarding(s *stream, c *cluster, timeout time.Duration) *forwarding {
	f := &forwarding{stream: s, cluster: c, timeout: timeout, perTry: s.retries.perTry(timeout)}
	f.ctx, f.cancel = context.WithCancelCause(s.r.Context())
	if s.r.ContentLength != 0 {
		f.body = &requestBody{
			from: s.r.Body, received: &s.received, cancel: f.cancel, whole: make(chan struct{}),
			retried: s.retries.policy != nil, tooLong: c.stats.retryAbandoned,
		}
	}
	if timeout > 0 {
		f.endTime = f.onceWhole(timeout, func() { f.cancel(errTimeout) })
		s.onEnd(f.endTime)
	}
	return f
}

// onceWhole does something as long after the request has come with all of its body,
// unless it is ended before.
func (f *forwarding) onceWhole(wait time.Duration, do func()) (end func()) {
	if f.body == nil {
		timer := time.AfterFunc(wait, do)
		return func() { timer.Stop() }
	}
	ctx, cancel := context.WithCancel(f.ctx)
	f.proxy.routines.Go(func() {
		select {
		case <-f.body.whole:
		case <-ctx.Done():
			return
		}
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
			do()
		case <-ctx.Done():
		}
	})
	return cancel
}

// readAhead has the body read whether a host takes it or not, if a time begins with
// its end, or a mirror gets a copy of it.
func (f *forwarding) readAhead() {
	if f.body != nil && (f.timeout > 0 || len(f.body.copies) > 0) {
		f.proxy.routines.Go(f.body.readAhead)
	}
}

// whole is when the request had come with all of its body; zero: it has not.
func (f *forwarding) whole() time.Time {
	switch {
	case f.webSocket: // What goes through it is its body.
		return time.Time{}
	case f.body == nil:
		return f.forwarded
	}
	return f.body.cameAt()
}

// ask sends the request to a host and waits for the head of an answer. The error
// is the pool's, errTermination, errProtocol, errPerTry, or that of a context that
// has ended.
func (f *forwarding) ask(to *host) (arrival, error) {
	f.attempt++
	f.host, f.upstreamLocal, f.failure = nil, nil, ""
	request := f.upstreamRequest()
	if f.body != nil {
		request.Body = f.body.fromStart()
	}
	if f.cluster.config.HTTP2 {
		request = multiplexedRequest(request)
	}
	x, err := to.pools[f.worker].newStream(f.ctx, request)
	var failed *connectError
	switch {
	case errors.As(err, &failed):
		f.host, f.failure = to, failed.detail()
		f.cluster.report(to, http.StatusServiceUnavailable)
	case errors.Is(err, errOverflow) && !errors.Is(err, errPendingOverflow):
		f.host = to
	}
	if err != nil {
		return arrival{}, err
	}
	f.host, f.upstreamLocal = to, x.conn.socket.LocalAddr()
	return f.exchange(x)
}

// exchange sends the request on its connection.
func (f *forwarding) exchange(x *exchange) (arrival, error) {
	x.conn.send(x)
	f.begun = true
	var late chan struct{}
	if f.perTry > 0 {
		late = make(chan struct{})
		defer f.onceWhole(f.perTry, func() { close(late) })()
	}
	select {
	case h := <-x.head:
		if h.err == nil && tooManyHeaders(h.response.Header) {
			h.err = errProtocol
		}
		if h.err == nil && !f.unopened(h.response) {
			f.cluster.report(f.host, f.judged(h.response))
		}
		if h.err == nil {
			return arrival{x, h.response}, nil
		}
		f.cluster.report(f.host, http.StatusServiceUnavailable)
		return arrival{}, x.failed(h.err)
	case <-late:
		x.release(false)
		f.cluster.stats.rqPerTryTimeout.add(1)
		f.host.rqTimeout.Add(1)
		f.cluster.report(f.host, http.StatusGatewayTimeout)
		return arrival{}, errPerTry
	case <-f.ctx.Done():
		x.release(false)
		return arrival{}, f.ctx.Err()
	}
}

// failed gives up a request that got no answer, and says why.
func (x *exchange) failed(err error) error {
	switch {
	case errors.Is(err, errProtocol):
		x.release(false)
		return errProtocol
	case x.conn.multiplexed != nil:
		x.release(false)
		return resetReason(err)
	case isTermination(err):
		x.lost()
		return errTermination
	default:
		x.release(false)
		return errProtocol
	}
}

func tooManyHeaders(h http.Header) bool {
	count := 0
	for _, values := range h {
		count += len(values)
	}
	return count > mostHeaders
}

// Why an attempt got no answer after it had a connection; all but the last in Envoy's
// words.
var (
	errTermination   = errors.New("connection termination")
	errProtocol      = errors.New("protocol error")
	errRefusedStream = errors.New("remote refused stream reset")
	errRemoteReset   = errors.New("remote reset")
	errPerTry        = errors.New("timeout of the attempt")
)

// arrival is an answer whose head has come.
type arrival struct {
	exchange *exchange
	response *http.Response
}

// drop gives up an answer that is not passed on. Its connection is of use only
// if nothing more comes on it.
func (a arrival) drop() {
	a.exchange.release(a.whole() && !a.response.Close && a.exchange.sent() && !a.exchange.opening())
}

// answered makes an upstream's answer that of the stream.
func (f *forwarding) answered(a arrival) {
	if f.webSocket && f.opened(a) {
		return
	}
	f.cluster.stats.charge(a.response.StatusCode)
	header := a.response.Header
	removeHopHeaders(header)
	if whole := f.whole(); !whole.IsZero() { // Of a request that goes on Envoy does not say it.
		header.Set(upstreamServiceTime, strconv.FormatInt(time.Since(whole).Milliseconds(), 10))
	}
	f.details = "via_upstream"
	f.answer = answer{
		status: a.response.StatusCode, header: header,
		body: newHostBody(f.ctx, a), flush: a.response.ContentLength < 0,
	}
	if a.exchange.conn.multiplexed != nil { // Of HTTP/1 Envoy drops them.
		f.answer.trailer = &a.response.Trailer
	}
	f.succeeded(a)
}

// hostBody is the body of a host's answer. The connection is freed when the last
// of it has been read, before that is passed on: who has the whole answer finds
// the connection free.
type hostBody struct {
	arrival
	ctx     context.Context // of the request
	unwatch func() bool
	gone    bool // the host has ended the connection
	freed   bool
}

func newHostBody(ctx context.Context, a arrival) *hostBody {
	// Whoever ends the request ends the reading of its answer too.
	return &hostBody{arrival: a, ctx: ctx, unwatch: context.AfterFunc(ctx, a.exchange.abandon)}
}

// Read implements io.Reader. The error is errTimeout if the request's time is
// over.
func (b *hostBody) Read(p []byte) (int, error) {
	n, err := b.response.Body.Read(p)
	if err == nil {
		return n, nil
	}
	if b.exchange.conn.multiplexed == nil && b.ctx.Err() == nil && isTermination(err) {
		if b.endsWithConnection() {
			err = io.EOF // However that has ended.
		}
		b.gone = err != io.EOF || b.endsWithConnection()
	}
	b.free(err == io.EOF)
	if err == io.EOF {
		return n, err
	}
	return n, b.broken(err)
}

// endsWithConnection says whether nothing else says how long the body is.
func (b *hostBody) endsWithConnection() bool {
	return b.response.Body != http.NoBody && b.response.ContentLength < 0 && len(b.response.TransferEncoding) == 0
}

// broken counts a body that does not come to its end, and returns why. Outlier detection
// takes a host that ends it for one that fails, though the head of its answer was none.
func (b *hostBody) broken(err error) error {
	p := b.exchange.conn.pool
	switch {
	case errors.Is(context.Cause(b.ctx), errTimeout):
		p.cluster.stats.rqTimeout.add(1)
		p.host.rqTimeout.Add(1)
		return errTimeout
	case b.ctx.Err() == nil:
		p.cluster.report(p.host, http.StatusServiceUnavailable)
		if b.exchange.conn.multiplexed != nil {
			return resetReason(err)
		}
	}
	return err
}

func (b *hostBody) free(whole bool) {
	if b.freed {
		return
	}
	b.freed = true
	unwatched := b.unwatch()
	if b.gone {
		b.exchange.lost()
		return
	}
	b.exchange.release(whole && unwatched && !b.response.Close && b.exchange.sent() && !b.exchange.opening())
}

// Close implements io.Closer.
func (b *hostBody) Close() error {
	b.free(false)
	return nil
}
