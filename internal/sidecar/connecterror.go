package sidecar

import (
	"context"
	"errors"
	"os"
	"syscall"
)

// connectError says that the pool could not connect.
type connectError struct {
	timedOut bool
	cause    error
}

func newConnectError(err error) *connectError {
	return &connectError{timedOut: errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded), cause: err}
}

// Error implements error. The words are Envoy's.
func (e *connectError) Error() string {
	if e.timedOut {
		return "connection timeout"
	}
	return "remote connection failure"
}

// detail is Envoy's transport failure reason.
func (e *connectError) detail() string {
	var errno syscall.Errno
	switch {
	case errors.As(e.cause, &errno) && errno == syscall.ECONNREFUSED:
		return "delayed connect error: Connection refused"
	case errors.As(e.cause, &errno):
		return "delayed connect error: " + errno.Error()
	}
	return ""
}
