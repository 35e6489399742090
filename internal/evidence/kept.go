package evidence

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/loadgen"
)

// calls keeps the lines of requests by their id, for the trees that explain
// some of them: of the requests that came last, and of the slowest of each
// status with which a cohort's own proxy answered, since it is the slowest that
// are asked for.
type calls struct {
	mu     sync.Mutex
	of     map[string]*request
	recent []string // ids, oldest first
	slow   map[int][]slowRequest
	forgot bool // some are not kept any more
}

// request is the lines of one request, and why they are kept.
type request struct {
	lines  []callLine
	recent bool
	slow   int // how often it is among the slowest; an id may be used again
}

type callLine struct {
	proxy mesh.Proxy
	envoy.LogEntry
}

type slowRequest struct {
	id   string
	took time.Duration
}

// How many requests are kept, and how many lines of one: a request that leads to
// more calls is a tree that nobody reads.
const (
	keptRequests = 4000
	keptSlow     = 64 // of each status
	keptStatuses = 64
	keptLines    = 200
)

func newCalls() *calls { return &calls{of: map[string]*request{}, slow: map[int][]slowRequest{}} }

func (c *calls) add(proxy mesh.Proxy, e envoy.LogEntry) {
	id := plainID(e.RequestID)
	if id == "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.of[id]
	if r == nil {
		r = &request{recent: true}
		c.of[id] = r
		c.recent = append(c.recent, id)
	}
	if len(r.lines) < keptLines {
		r.lines = append(r.lines, callLine{proxy, e})
	}
	if proxy.Client || proxy.Gateway {
		c.rank(e.Status, slowRequest{id, e.Duration})
	}
	if len(c.recent) > keptRequests {
		old := c.recent[0]
		c.recent = c.recent[1:]
		c.of[old].recent = false
		c.forget(old)
	}
}

// rank keeps a request if it is among the slowest of its status.
func (c *calls) rank(status int, r slowRequest) {
	slow := c.slow[status]
	if slow == nil && len(c.slow) == keptStatuses || len(slow) == keptSlow && r.took <= slow[0].took {
		return
	}
	i, _ := slices.BinarySearchFunc(slow, r.took, func(s slowRequest, took time.Duration) int { return cmp.Compare(s.took, took) })
	slow = slices.Insert(slow, i, r)
	c.of[r.id].slow++
	if len(slow) > keptSlow {
		least := slow[0].id
		slow = slices.Delete(slow, 0, 1)
		c.of[least].slow--
		c.forget(least)
	}
	c.slow[status] = slow
}

// forget drops a request that nothing keeps.
func (c *calls) forget(id string) {
	if r := c.of[id]; !r.recent && r.slow == 0 {
		delete(c.of, id)
		c.forgot = true
	}
}

// lines are those of a request, in the order in which they began, and whether
// some requests are not kept.
func (c *calls) lines(id string) (lines []callLine, forgot bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.of[plainID(id)]
	if r == nil {
		return nil, c.forgot
	}
	lines = slices.Clone(r.lines)
	slices.SortStableFunc(lines, func(a, b callLine) int { return a.Started.Compare(b.Started) })
	return lines, c.forgot
}

// entered is the id of the request that a gateway took from an address while its client
// waited, but for clocks that are apart; empty: there is none. The first of a connection
// comes to the gateway when that has been made and TLS is agreed upon. On a connection
// requests follow one another, so the nearest is the one.
//
// The gateway of a mesh gives what comes from outside another id than it came with.
func (c *calls) entered(wanted loadgen.Example) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, nearest, most := "", time.Duration(0), wanted.Response.Duration
	for _, r := range c.of {
		for _, line := range r.lines {
			late := line.Started.Sub(wanted.Begun)
			meanwhile := late > -skew && late+line.Duration < most+skew && line.Duration <= most+time.Millisecond
			if line.proxy.Gateway && line.From == wanted.From && meanwhile && (found == "" || late.Abs() < nearest) {
				found, nearest = line.RequestID, late.Abs()
			}
		}
	}
	return found
}

// plainID is a request id without the character in which Envoy notes why it
// traces a request: the first of a UUID's third group.
func plainID(id string) string {
	const reason = 14
	if len(id) != 36 {
		return id
	}
	return id[:reason] + id[reason+1:]
}
