package loadgen

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"fortio.org/fortio/tcprunner"
)

// validateFortioTCP refuses what fortio's TCP client cannot do: it sends one
// text, reads as many bytes as it sent, and compares.
func validateFortioTCP(p *Plan) error {
	var reason string
	switch {
	case len(p.TCP.Lines) != 1:
		reason = "sends one line and no more on a connection"
	case len(p.Checks)+len(p.Versions) > 0:
		reason = "only finds out whether a line came back as it was, so that checks and versions of TCP are not possible"
	default:
		return nil
	}
	return wrong("engine", "engine fortio %s: use engine %s", reason, EngineNetHTTP)
}

// fortioTCP sends requests, each a TCP connection of its own, with fortio's TCP
// client. An answer other than the line that was sent is an error.
type fortioTCP struct {
	client  *tcprunner.TCPClient // nil until opened
	options tcprunner.TCPOptions
	dials   int64
}

func newFortioTCP(plan *Plan, target string) *fortioTCP {
	quietFortio()
	return &fortioTCP{options: tcprunner.TCPOptions{
		Destination: target,
		Payload:     []byte(plan.TCP.Lines[0] + "\n"),
		ReqTimeout:  plan.timeout(),
	}}
}

// open implements connection. The client looks its host up.
func (f *fortioTCP) open(context.Context) error {
	client, err := tcprunner.NewTCPClient(&f.options)
	if err != nil {
		return fmt.Errorf("making fortio's client for %q: %w", f.options.Destination, err)
	}
	f.client = client
	return nil
}

// send implements connection.
func (f *fortioTCP) send(context.Context, time.Time) (reply, int64) {
	_, err := f.client.Fetch()
	f.dials = int64(f.client.Close())
	if err != nil {
		// The client cannot be cut off, so that no error comes of that.
		return reply{err: errorName(context.Background(), err)}, 0
	}
	return reply{}, 0
}

// requestID implements connection.
func (*fortioTCP) requestID() (*requestID, string) { return nil, "" }

// cut implements connection; see fortioHTTP.
func (f *fortioTCP) cut() {}

// dialed implements connection.
func (f *fortioTCP) dialed() int64 { return f.dials }

// close implements connection.
func (f *fortioTCP) close() {}

// reclaim closes the connections that fortio's clients forgot to close after an
// error: nobody holds them any more, so that the garbage collector does it.
func reclaim(cohorts []*cohort) {
	for _, c := range cohorts {
		if _, errs := c.rec.progress(); c.plan.Engine == EngineFortio && errs > 0 {
			runtime.GC()
			return
		}
	}
}
