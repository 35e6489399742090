package loadgen

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"
)

// reply is what became of one request. It is comparable, so that replies that
// are alike are counted without allocating.
type reply struct {
	status  int
	grpc    string // its code
	message string // that came with that
	err     string
	checks  uint64 // the set of those that held
	version string
	request int16 // of the plan's list, which
}

// ok says whether there is an answer that fortio takes for none of its error cases.
func (r *reply) ok() bool {
	if r.grpc != "" {
		return r.grpc == OK
	}
	return r.err == "" && (r.status/100 == 2 || r.status == http.StatusTeapot || r.status == 0)
}

// isFailure says whether it is an error, or an answer by one.
func (r *reply) isFailure() bool {
	return Outcome{Status: r.status, GRPC: r.grpc, Error: r.err}.Failed()
}

// failed is the reply of a request that had no whole answer.
func failed(ctx context.Context, err error) reply {
	return reply{err: errorName(ctx, err)}
}

// errorName is the name by which an error is counted. An error after the
// context has ended is taken to come of that.
func errorName(ctx context.Context, err error) string {
	var netErr net.Error
	switch {
	case ctx.Err() != nil:
		return ErrorCanceled
	case errors.As(err, &netErr) && netErr.Timeout():
		return ErrorTimeout
	case errors.Is(err, syscall.ECONNREFUSED):
		return ErrorRefused
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return ErrorReset
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return ErrorEOF
	case isTLS(err):
		return ErrorTLS
	default:
		return ErrorOther
	}
}
