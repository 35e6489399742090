package epoll

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Supported says whether there is epoll here.
const Supported = true

// atOnce is of how many sockets one Wait tells at the most.
const atOnce = 256

// ofTimer is the key of the timer's events.
const ofTimer = ^uint64(0)

// Poller tells to which of its sockets something has happened. Only Ring may be called
// beside another of its methods.
type Poller struct {
	file   *os.File        // the epoll instance
	conn   syscall.RawConn // file's
	look   func(fd uintptr) (over bool)
	events [atOnce]unix.EpollEvent
	ready  []Event

	// Go's timers are late by up to a millisecond where nothing else happens.
	timer int
	set   time.Time // to when; zero: it is not
	until time.Time
}

// New returns a Poller, which the caller is to close.
func New() (*Poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("making an epoll instance: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // else Go would not poll it
		_ = unix.Close(fd)
		return nil, fmt.Errorf("making an epoll instance: %w", err)
	}
	p := &Poller{file: os.NewFile(uintptr(fd), "epoll")}
	p.look = p.looks
	if p.conn, err = p.file.SyscallConn(); err != nil {
		_ = p.file.Close()
		return nil, fmt.Errorf("waiting for an epoll instance: %w", err)
	}
	if p.timer, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK); err != nil {
		_ = p.file.Close()
		return nil, fmt.Errorf("making a timer: %w", err)
	}
	if err := p.add(p.timer, unix.EPOLLIN, ofTimer); err != nil {
		_ = p.Close()
		return nil, fmt.Errorf("waiting for a timer: %w", err)
	}
	return p, nil
}

// Add has Wait tell of a socket by its key, any but the highest, until the socket is
// closed: whenever more can be read or written than before, so that whoever stops before
// ErrNothing is not told again.
func (p *Poller) Add(s Socket, key uint64) error {
	if err := p.add(int(s), unix.EPOLLIN|unix.EPOLLOUT|unix.EPOLLRDHUP, key); err != nil {
		return fmt.Errorf("waiting for a connection: %w", err)
	}
	return nil
}

func (p *Poller) add(fd int, events uint32, key uint64) error {
	event := unix.EpollEvent{Events: events | unix.EPOLLET, Fd: int32(key), Pad: int32(key >> 32)}
	return p.control(func(epoll int) error { return unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, fd, &event) })
}

// control does something to the epoll instance.
func (p *Poller) control(do func(epoll int) error) (err error) {
	if failed := p.conn.Control(func(fd uintptr) { err = do(int(fd)) }); failed != nil {
		return failed
	}
	return err
}

// Wait waits until something happens to a socket, until Ring is called or was since the
// last Wait, or until a time, unless that is zero; it may be too early. What it returns is
// valid until it is called again.
func (p *Poller) Wait(until time.Time) []Event {
	p.until, p.ready = until, p.ready[:0]
	if err := p.conn.Read(p.look); errors.Is(err, os.ErrDeadlineExceeded) {
		_ = p.file.SetReadDeadline(time.Time{}) // before the caller looks for why it was rung
	}
	return p.ready
}

// looks asks the kernel what has happened, and says whether Wait is over.
func (p *Poller) looks(fd uintptr) (over bool) {
	n, _ := wait(int(fd), p.events[:]) // a failure is that a signal came
	for i := range p.events[:n] {
		if e := Event(p.events[i]); e.Key() != ofTimer {
			p.ready = append(p.ready, e)
			continue
		}
		p.set, over = time.Time{}, true
	}
	return over || len(p.ready) > 0 || p.due()
}

// due says whether the time to wait until has come, and sees to being woken then.
func (p *Poller) due() bool {
	if p.until.IsZero() || !p.set.IsZero() && !p.until.Before(p.set) {
		return false
	}
	left := time.Until(p.until)
	if left <= 0 {
		return true
	}
	p.set = p.until
	to := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(left))}
	return unix.TimerfdSettime(p.timer, 0, &to, nil) != nil
}

// Ring has Wait return. Anybody may call it, whenever.
func (p *Poller) Ring() { _ = p.file.SetReadDeadline(longAgo) }

// Close closes the Poller, and no Socket.
func (p *Poller) Close() error {
	return errors.Join(unix.Close(p.timer), p.file.Close())
}

// Event is what has happened to a socket.
type Event unix.EpollEvent

// Key is that of the socket.
func (e *Event) Key() uint64 { return uint64(uint32(e.Fd)) | uint64(uint32(e.Pad))<<32 }

// Readable says whether reading tells of something: of bytes, an end or an error.
func (e *Event) Readable() bool { return e.Events&^unix.EPOLLOUT != 0 }

// Writable says whether something can be written.
func (e *Event) Writable() bool { return e.Events&unix.EPOLLOUT != 0 }

// Ended says whether an end or an error stands behind what can be read.
func (e *Event) Ended() bool {
	return e.Events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0
}
