package loadgen

import (
	"sync/atomic"
	"time"
)

// spare is how many connections all loops of a plan whose connections grow have to spare:
// none is added for as long as one of any loop waits for a turn. Where it is nil, its
// connections do not grow.
//
// While none waits, a loop that may add one watches for the next request to be due. That is
// the one which took the last, or, where it may add none, those that it rings.
type spare struct {
	free atomic.Int64 // connections that wait for a turn
	room atomic.Int64 // how many may yet be added
	ring func()       // has all loops look up
}

// begin counts the connections of loops that begin to be driven.
func (s *spare) begin(all []*loop) {
	if s == nil {
		return
	}
	free := 0
	for _, l := range all {
		free += l.active
	}
	s.free.Store(int64(free))
}

// freed notes that a connection waits for a turn.
func (s *spare) freed() {
	if s != nil {
		s.free.Add(1)
	}
}

// taken notes that a connection of a loop has a turn.
func (s *spare) taken(by *loop) {
	if s != nil && s.free.Add(-1) == 0 && by.active == len(by.conns) && s.room.Load() > 0 {
		s.ring()
	}
}

// lacks says whether a loop may add a connection, and none of any waits for a turn.
func (l *loop) lacks() bool {
	return l.spare != nil && l.spare.free.Load() == 0 && l.active < len(l.conns) && l.pacer.open() && !l.spent
}

// grow adds a connection if a request is due, and no other loop has added one for it. Since
// that could have been there before, what it is begun late by is the generator's own
// lateness.
func (l *loop) grow() bool {
	at, ok := l.pacer.due()
	l.now = time.Now()
	if !ok || at.After(l.now) || l.pacer.ended(l.ctx) || !l.spare.free.CompareAndSwap(0, 1) {
		return false
	}
	l.spare.room.Add(-1)
	c := &l.conns[l.active]
	l.active++
	c.part, c.since = l.pacer, l.pacer.start
	l.free.add(c)
	return true
}
