package sidecar

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

const (
	// accessLogSize is how many entries are kept for those who come later.
	accessLogSize = 1000
	// followedSize is how many entries wait for one reader at the most: some
	// seconds of all that a proxy in this process can serve.
	followedSize = 1 << 15
)

// accessLog keeps the last entries, and gives each to whoever follows. Lines
// are made of them as they are read.
type accessLog struct {
	closed context.Context // ends with the proxy

	mu        sync.Mutex
	entries   []accessLogEntry // a ring from next on once it is full
	next      int
	forgotten time.Time // when the last entry that is not kept any more was written
	followers []*follower
}

func (l *accessLog) add(e accessLogEntry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.written = time.Now()
	for _, f := range l.followers {
		f.push(e)
	}
	if len(l.entries) < accessLogSize {
		l.entries = append(l.entries, e)
		return
	}
	l.forgotten = l.entries[l.next].written
	l.entries[l.next] = e
	l.next = (l.next + 1) % accessLogSize
}

// all returns the kept entries, oldest first.
func (l *accessLog) all() []accessLogEntry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.kept()
}

func (l *accessLog) kept() []accessLogEntry {
	return slices.Concat(l.entries[l.next:], l.entries[:l.next])
}

// follow begins to follow the log. It fails if lines from since on are not kept
// any more, unless since is zero: then it begins with what is kept.
func (l *accessLog) follow(ctx context.Context, since time.Time) (*follower, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !since.IsZero() && !l.forgotten.Before(since) {
		return nil, fmt.Errorf("it keeps the last %d lines, and of those written since %s some are gone; follow it from then on", accessLogSize, since.UTC().Format(startTime))
	}
	ended := make(chan struct{})
	f := &follower{log: l, ctx: ctx, ended: ended, close: sync.OnceFunc(func() { close(ended) }), wake: make(chan struct{}, 1)}
	for _, e := range l.kept() {
		if !e.written.Before(since) {
			f.queue = append(f.queue, e)
		}
	}
	l.followers = append(l.followers, f)
	f.unwatch = context.AfterFunc(ctx, f.leave)
	return f, nil
}

// follower is one reader of the log. It neither holds up who writes nor loses
// a line silently: one that is too slow is told so.
type follower struct {
	log     *accessLog
	ctx     context.Context // of the reader
	unwatch func() bool
	ended   chan struct{} // closed by Close
	close   func()
	wake    chan struct{} // holds one: something was pushed

	queue    []accessLogEntry // guarded by the log's lock, as overflow is
	overflow bool             // lines were left out after the queue

	lines  []byte // the last that were made
	unread []byte // the rest of them
}

// push gives the reader an entry. The log is locked.
func (f *follower) push(e accessLogEntry) {
	if f.overflow || len(f.queue) == followedSize {
		f.overflow = true
		return
	}
	f.queue = append(f.queue, e)
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// Read implements io.Reader. What was written before an end is read before the
// end is said.
func (f *follower) Read(p []byte) (int, error) {
	for len(f.unread) == 0 {
		entries, err := f.take()
		if err != nil {
			return 0, err
		}
		f.lines = f.lines[:0]
		for i := range entries {
			f.lines = entries[i].appendLine(f.lines)
		}
		f.unread = f.lines
	}
	n := copy(p, f.unread)
	f.unread = f.unread[n:]
	return n, nil
}

// take waits for entries.
func (f *follower) take() ([]accessLogEntry, error) {
	for {
		// Who ends looks before the queue does, so that nothing of it is missed.
		end := f.end()
		f.log.mu.Lock()
		entries, overflow := f.queue, f.overflow
		f.queue = nil
		f.log.mu.Unlock()
		switch {
		case len(entries) > 0:
			return entries, nil
		case overflow:
			return nil, fmt.Errorf("reading the access log: the reader fell %d lines behind, and lines are lost; read faster", followedSize)
		case end != nil:
			return nil, end
		}
		select {
		case <-f.wake:
		case <-f.ended:
		case <-f.ctx.Done():
		case <-f.log.closed.Done():
		}
	}
}

// end says why nothing more will come; nil: something may.
func (f *follower) end() error {
	select {
	case <-f.ended:
		return fmt.Errorf("reading the access log: %w", io.ErrClosedPipe)
	case <-f.ctx.Done():
		return f.ctx.Err()
	case <-f.log.closed.Done():
		return fmt.Errorf("reading the access log: the proxy was closed while it was read: %w", io.ErrUnexpectedEOF)
	default:
		return nil
	}
}

// leave takes the reader off the log.
func (f *follower) leave() {
	f.log.mu.Lock()
	defer f.log.mu.Unlock()
	f.log.followers = slices.DeleteFunc(f.log.followers, func(other *follower) bool { return other == f })
}

// Close implements io.Closer.
func (f *follower) Close() error {
	f.unwatch()
	f.leave()
	f.close()
	return nil
}
