package sidecar

import (
	"errors"
	"io"
	"sync"
)

// copiedBody is what of a request's body a mirror has not read yet. Whoever reads
// the body from the client waits only if that is more than keptBody.
type copiedBody struct {
	mu      sync.Mutex
	changed sync.Cond
	waiting []byte
	end     error // io.EOF, or why no more comes; nil: more may come
	closed  bool  // the mirror wants no more
}

func newCopiedBody() *copiedBody {
	b := &copiedBody{}
	b.changed.L = &b.mu
	return b
}

// add gives the mirror what was read.
func (b *copiedBody) add(p []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.waiting) > keptBody && !b.closed {
		b.changed.Wait()
	}
	if !b.closed {
		b.waiting = append(b.waiting, p...)
	}
	b.changed.Broadcast()
}

// finish ends the body, unless it has ended.
func (b *copiedBody) finish(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.end == nil {
		b.end = err
	}
	b.changed.Broadcast()
}

// Read implements io.Reader.
func (b *copiedBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.waiting) == 0 && b.end == nil && !b.closed {
		b.changed.Wait()
	}
	switch {
	case b.closed:
		return 0, errors.New("reading a copied body: it is closed")
	case len(b.waiting) == 0, b.end != nil && !errors.Is(b.end, io.EOF):
		return 0, b.end
	}
	n := copy(p, b.waiting)
	b.waiting = b.waiting[n:]
	b.changed.Broadcast()
	if len(b.waiting) == 0 {
		return n, b.end // With the last bytes: the host may answer as soon as it has them.
	}
	return n, nil
}

// Close implements io.Closer.
func (b *copiedBody) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed, b.waiting = true, nil
	b.changed.Broadcast()
	return nil
}
