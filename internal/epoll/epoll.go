// Package epoll waits for many TCP connections at once, by Linux's epoll, in one goroutine.
//
// Go's own poller wakes a goroutine for each connection. Here it wakes one for all of
// them: an epoll instance can itself be waited for, and so it needs no thread of its own
// and takes none from others while it waits. It imports nothing else of this module.
//
// On other systems New returns errors.ErrUnsupported.
package epoll

import (
	"syscall"
	"time"
)

// ErrNothing is returned by a Socket that can neither give nor take anything now.
const ErrNothing = syscall.EAGAIN

// None is no Socket.
const None Socket = -1

// longAgo is a time that has passed, whatever the clock.
var longAgo = time.Unix(1, 0)
