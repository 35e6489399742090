package loadgen

import (
	"context"
	"sync/atomic"

	"github.com/meshchaos/meshchaos/internal/epoll"
)

// driver sends requests over the connections of a plan, which it keeps open in between.
// Its methods are called one after the other, open first and once.
type driver interface {
	// open does what comes before the first request, such as logging in. It returns the
	// first error, and none of those that come of the end of the context.
	open(ctx context.Context) error

	// drive sends the requests of a pacer until it has no more, and records each that has
	// ended, from several goroutines, it may be. When the context ends, those in flight
	// end as canceled.
	drive(ctx context.Context, p *pacer, record func(*ended))

	// dialed is how many TCP connections were opened, or tried to be.
	dialed() int64

	// grown is how many connections were added to those that the plan begins with.
	grown() int

	// refusal is why the first connection was not encrypted that was to be; nil: none was
	// refused.
	refusal() *Refusal

	// close closes the connections.
	close()
}

// tally is how much a driver has begun, and what it knows of that beside what it records.
type tally struct {
	requests, logins atomic.Int64
	other            firstWords // of those that ended as ErrorOther
}

// firstWords are those of the first of several errors.
type firstWords struct{ words atomic.Pointer[string] }

func (f *firstWords) note(err error) {
	if f == nil || f.words.Load() != nil {
		return
	}
	f.words.CompareAndSwap(nil, new(shortened(err.Error())))
}

// String is empty where there was no error.
func (f *firstWords) String() string {
	if words := f.words.Load(); words != nil {
		return *words
	}
	return ""
}

func newDriver(plan *Plan, seed int64, m *matcher, begun *tally) (driver, error) {
	if plan.Engine == EngineEpoll {
		return newLoops(plan, seed, m, begun)
	}
	return newBlocking(plan, seed, m, begun)
}

// engineOf is by which engine a plan is carried out.
func engineOf(plan *Plan) string {
	switch {
	case plan.Engine != "":
		return plan.Engine
	case plan.GRPC != nil:
		return EngineGRPC
	case epoll.Supported && validateEpoll(plan) == nil:
		return EngineEpoll
	default:
		return EngineNetHTTP
	}
}
