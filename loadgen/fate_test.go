package loadgen

import (
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// Whoever gives a connection up by itself is not kept from the next request by waiting for
// what nobody reads any more. What else cannot be written may be answered yet.
func TestTheLastWordsOfAServerAreWaitedForWhileTheyAreRead(t *testing.T) {
	for what, test := range map[string]struct {
		closed bool
		waits  time.Duration
	}{"closed by us": {true, 0}, "closed by the server": {false, lastWords}} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server := net.Pipe()
				defer client.Close()
				f := newFate(client, client)
				if err := server.Close(); err != nil {
					t.Fatal(err)
				}
				if test.closed {
					_ = f.Close()
					_ = f.Close() // as grpc-go does
				}
				began := time.Now()
				if _, err := f.Write([]byte("x")); err == nil || f.broken() == nil {
					t.Errorf("it was written: %v, %v", err, f.broken())
				}
				if took := time.Since(began); took != test.waits {
					t.Errorf("that took %v, want %v", took, test.waits)
				}
			})
		})
	}
}

// What a server has said last tells more than that nothing could be written to it any more.
func TestWhatWasReadLastIsWhyAConnectionIsBroken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		defer client.Close()
		f := newFate(client, client)
		if err := server.Close(); err != nil {
			t.Fatal(err)
		}
		_, unwritten := f.Write([]byte("x"))
		if got := f.broken(); !errors.Is(got, unwritten) {
			t.Errorf("before anything was read it is %v, want %v", got, unwritten)
		}
		if _, read := f.Read(make([]byte, 1)); !errors.Is(f.broken(), read) || errors.Is(read, unwritten) {
			t.Errorf("it is %v, and what was read last %v", f.broken(), read)
		}
	})
}
