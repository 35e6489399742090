package loadgen

import (
	"context"
	"errors"
	"runtime"
	"sync"

	"github.com/meshchaos/meshchaos/internal/epoll"
)

// connectionsOfALoop is for how many connections another goroutine is worth while.
const connectionsOfALoop = 128

// loops drives the connections of a plan by a few goroutines, each of which waits for
// many connections at once. To send a request and read its answer takes a call of the
// kernel each.
type loops struct {
	all   []*loop
	spare *spare // nil: no connection is ever added
}

// request is what the connections send, and what is looked for in answers.
type request struct {
	script *script
	think  thinking
	target string // host:port
	plan   *Plan
	match  *matcher
	begun  *tally
}

// validateEpoll refuses what loops cannot do.
func validateEpoll(p *Plan) error {
	switch {
	case p.TCP != nil:
		return wrong("engine", "engine epoll sends HTTP alone: use engine %s", EngineNetHTTP)
	case p.first().IsWebSocket():
		return wrong("engine", "engine epoll speaks no WebSocket: use engine %s", EngineNetHTTP)
	case p.Encrypted():
		return wrong("engine", "engine epoll speaks no TLS: use engine %s", EngineNetHTTP)
	case p.first().HTTP2:
		return wrong("engine", "engine epoll speaks no HTTP/2: use engine %s", EngineNetHTTP)
	case p.first().Login != nil:
		return wrong("engine", "engine epoll keeps no cookies, so http.login is not possible: use engine %s", EngineNetHTTP)
	}
	return nil
}

func newLoops(plan *Plan, seed int64, m *matcher, begun *tally) (*loops, error) {
	if !epoll.Supported {
		return nil, errors.New("engine epoll is of Linux; leave it out, or use engine " + EngineNetHTTP)
	}
	target, err := plan.target()
	if err != nil {
		return nil, err
	}
	script, err := newScript(plan, seed)
	if err != nil {
		return nil, err
	}
	r := &request{script: script, think: plan.thinking(seed), target: target, plan: plan, match: m, begun: begun}
	loopsOf := (plan.mostConnections() + connectionsOfALoop - 1) / connectionsOfALoop
	return share(r, min(loopsOf, runtime.GOMAXPROCS(0), plan.Connections)), nil
}

// share leaves the connections of a plan to n loops.
func share(r *request, n int) *loops {
	d := new(loops)
	first, most := r.plan.Connections, r.plan.mostConnections()
	if most > first {
		d.spare = &spare{ring: d.ring}
		d.spare.room.Store(int64(most - first))
	}
	for i := range n {
		l := newLoop(r, (first+n-1-i)/n, (most+n-1-i)/n)
		l.spare = d.spare
		d.all = append(d.all, l)
	}
	return d
}

// open implements driver. Each connection is opened by its first request.
func (d *loops) open(context.Context) error {
	for _, l := range d.all {
		if err := l.open(); err != nil {
			return err
		}
	}
	return nil
}

// drive implements driver.
func (d *loops) drive(ctx context.Context, p *pacer, record func(*ended)) {
	defer context.AfterFunc(ctx, d.ring)()
	d.all[0].script.restart(p)
	over := make(chan struct{})
	var driving, watching sync.WaitGroup
	watching.Go(func() {
		select {
		case <-p.halted:
			d.ring()
		case <-over:
		}
	})
	d.spare.begin(d.all)
	for i, parts := range d.parts(p) {
		driving.Go(func() { d.all[i].drive(ctx, p, parts, record) })
	}
	driving.Wait()
	close(over)
	watching.Wait()
}

// parts are those of the connections of each loop.
func (d *loops) parts(p *pacer) (parts [][]*pacer) {
	connections, at := int64(0), int64(0)
	for _, l := range d.all {
		connections += int64(l.active)
	}
	for _, l := range d.all {
		var own []*pacer
		for range l.active {
			own = append(own, p.part(at, connections))
			at++
		}
		parts = append(parts, own)
	}
	return parts
}

// ring has all loops look up.
func (d *loops) ring() {
	for _, l := range d.all {
		l.poller.Ring()
	}
}

// dialed implements driver.
func (d *loops) dialed() (n int64) {
	for _, l := range d.all {
		for i := range l.conns {
			n += l.conns[i].dials
		}
	}
	return n
}

// grown implements driver.
func (d *loops) grown() (n int) {
	for _, l := range d.all {
		n += l.active
	}
	return n - d.all[0].plan.Connections
}

// refusal implements driver: nothing is encrypted.
func (*loops) refusal() *Refusal { return nil }

// close implements driver.
func (d *loops) close() {
	for _, l := range d.all {
		l.close()
	}
}
