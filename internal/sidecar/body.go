package sidecar

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// keptBody is how much of a request's body is kept for another attempt: Envoy's
// limit of a connection's buffer, in bytes.
const keptBody = 1 << 20

// requestBody is a client's body on its way to the hosts that are tried. What
// was read of it is kept as long as it may have to be sent again.
type requestBody struct {
	from     io.Reader
	received *atomic.Int64
	cancel   context.CancelCauseFunc // ends the request if the body cannot be read to its end
	retried  bool                    // it may have to be sent again
	tooLong  *metric                 // counts those that are too long for that
	copies   []*copiedBody           // of the mirrors
	whole    chan struct{}           // closed when all of it has come

	reading sync.Mutex // held while from is read

	mu        sync.Mutex
	kept      []byte
	abandoned bool // it is too long
	end       error
	came      time.Time   // all of it; zero: not yet
	sender    *bodyReader // of the attempt that goes on
}

// cameAt is when all of the body had come; zero: it has not.
func (b *requestBody) cameAt() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.came
}

// readAhead reads as much of the body as can be kept while no host takes it.
func (b *requestBody) readAhead() {
	buffer := buffers.Get().(*[16 << 10]byte)
	defer buffers.Put(buffer)
	for b.readAheadOnce(buffer[:]) {
	}
}

// readAheadOnce says whether there may be more to read.
func (b *requestBody) readAheadOnce(buffer []byte) bool {
	b.reading.Lock()
	defer b.reading.Unlock()
	b.mu.Lock()
	enough := b.end != nil || b.abandoned || len(b.kept) >= keptBody
	b.mu.Unlock()
	if enough {
		return false
	}
	_, err := b.take(buffer, nil)
	return err == nil
}

// fromStart returns the body for one more attempt. What the attempt before reads
// with gets nothing more.
func (b *requestBody) fromStart() *bodyReader {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sender = &bodyReader{body: b}
	return b.sender
}

// replayable says whether the body can be sent again.
func (b *requestBody) replayable() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.abandoned
}

// bodyReader reads a requestBody for one attempt.
type bodyReader struct {
	body  *requestBody
	at    int
	ended atomic.Bool // it was read to its end
}

// errAttemptOver says that the attempt which the body was read for has ended.
var errAttemptOver = errors.New("reading a request's body: another attempt reads it now")

// Read implements io.Reader.
func (r *bodyReader) Read(p []byte) (int, error) {
	n, err := r.read(p)
	if errors.Is(err, io.EOF) {
		r.ended.Store(true)
	}
	return n, err
}

func (r *bodyReader) read(p []byte) (int, error) {
	if n, err := r.readKept(p); n > 0 || err != nil {
		return n, err
	}
	b := r.body
	b.reading.Lock()
	defer b.reading.Unlock()
	// The attempt before may have read on while this one waited for it.
	if n, err := r.readKept(p); n > 0 || err != nil {
		return n, err
	}
	n, err := b.take(p, r)
	r.at += n
	return n, err
}

// take reads on from the client, for an attempt or, if that is nil, ahead of them. The
// reading is locked.
func (b *requestBody) take(p []byte, by *bodyReader) (int, error) {
	n, err := b.from.Read(p)
	b.received.Add(int64(n))
	if err != nil && !errors.Is(err, io.EOF) {
		b.cancel(err)
	}
	b.pass(p[:n], err)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.end = err
	if errors.Is(err, io.EOF) {
		b.came = time.Now()
		close(b.whole)
	}
	if b.abandoned {
		return n, err
	}
	b.kept = append(b.kept, p[:n]...)
	// What the attempt before has read is the next one's too.
	if len(b.kept) > keptBody && by != nil && b.sender == by {
		b.abandoned, b.kept = true, nil
		if b.retried {
			b.tooLong.add(1)
		}
	}
	return n, err
}

// pass gives the mirrors what was read.
func (b *requestBody) pass(p []byte, err error) {
	for _, c := range b.copies {
		c.add(p)
		if err != nil {
			c.finish(err)
		}
	}
}

// readKept reads what an attempt before has read; 0 and nil: there is no more.
func (r *bodyReader) readKept(p []byte) (int, error) {
	b := r.body
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sender != r {
		return 0, errAttemptOver
	}
	n := 0
	if r.at < len(b.kept) {
		n = copy(p, b.kept[r.at:])
		r.at += n
	}
	if r.at < len(b.kept) {
		return n, nil
	}
	return n, b.end // With the last bytes: the host may answer as soon as it has them.
}

// Close implements io.Closer. The client's body is its server's to close.
func (r *bodyReader) Close() error { return nil }
