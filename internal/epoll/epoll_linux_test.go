package epoll

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// pair returns both ends of a connection: one taken, the other as Go has it.
func pair(t *testing.T) (Socket, *net.TCPConn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	ours, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	s, err := Take(ours.(*net.TCPConn))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = s.Close(), theirs.Close() })
	if _, err := ours.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("what was left of the connection: error %v; want that it is closed", err)
	}
	return s, theirs.(*net.TCPConn)
}

func newPoller(t *testing.T) *Poller {
	t.Helper()
	p, err := New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// await waits for an event of a socket that is as wanted, whichever come before.
func await(t *testing.T, p *Poller, key uint64, wanted func(*Event) bool) {
	t.Helper()
	for until := time.Now().Add(time.Minute); time.Now().Before(until); {
		for _, e := range p.Wait(until) {
			if e.Key() != key {
				t.Fatalf("an event of %d; want %d", e.Key(), key)
			}
			if wanted(&e) {
				return
			}
		}
	}
	t.Fatal("a minute has passed")
}

func TestWhatHappensToASocketIsTold(t *testing.T) {
	p := newPoller(t)
	s, theirs := pair(t)
	const key = 7<<32 | 5
	if err := p.Add(s, key); err != nil {
		t.Fatal(err)
	}
	await(t, p, key, (*Event).Writable)
	buffer := make([]byte, 10)
	if _, err := s.Read(buffer); !errors.Is(err, ErrNothing) {
		t.Errorf("reading nothing: %v", err)
	}
	if _, err := theirs.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	await(t, p, key, func(e *Event) bool { return e.Readable() && !e.Ended() })
	if n, err := s.Read(buffer); string(buffer[:n]) != "hello" || err != nil {
		t.Errorf("read %q, %v", buffer[:n], err)
	}
	if n, err := s.Write([]byte("world!")); n != 6 || err != nil {
		t.Errorf("wrote %d, %v", n, err)
	}
	if n, err := theirs.Read(buffer); string(buffer[:n]) != "world!" || err != nil {
		t.Errorf("the peer read %q, %v", buffer[:n], err)
	}
	if err := theirs.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	await(t, p, key, (*Event).Ended)
	if _, err := s.Read(buffer); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
}

func TestWhatIsNotTakenIsTakenLater(t *testing.T) {
	p := newPoller(t)
	s, theirs := pair(t)
	if err := p.Add(s, 1); err != nil {
		t.Fatal(err)
	}
	block, wrote := make([]byte, 1<<20), 0
	for {
		n, err := s.Write(block)
		wrote += n
		if errors.Is(err, ErrNothing) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	p.Wait(time.Now()) // that it could be written to
	if _, err := io.CopyN(io.Discard, theirs, int64(wrote)); err != nil {
		t.Fatal(err)
	}
	await(t, p, 1, (*Event).Writable)
}

func TestARingEndsAWait(t *testing.T) {
	p := newPoller(t)
	for range 3 { // one that came before, too
		p.Ring()
		if events := p.Wait(time.Time{}); len(events) > 0 {
			t.Errorf("%d events", len(events))
		}
	}
	for range 100 {
		rung := make(chan struct{})
		go func() {
			defer close(rung)
			p.Ring()
		}()
		p.Wait(time.Time{})
		<-rung
	}
}

func TestAWaitEndsInTime(t *testing.T) {
	p := newPoller(t)
	for _, d := range []time.Duration{-time.Second, 0, time.Microsecond, 3 * time.Millisecond, 200 * time.Microsecond, 30 * time.Millisecond} {
		until := time.Now().Add(d)
		for waits := 0; time.Now().Before(until); waits++ {
			p.Wait(until)
			if waits > 10 { // it may be too early, where it was set to another time
				t.Fatalf("of %v: it does not wait", d)
			}
		}
		p.Wait(until)
	}
}

func TestNothingIsLeftOpen(t *testing.T) {
	before := descriptors(t)
	for range 10 {
		p, err := New()
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors are open, and were %d", after, before)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}
