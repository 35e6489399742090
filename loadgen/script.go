package loadgen

import (
	"fmt"
	"math/bits"
	"net/http"
	"slices"
	"sync/atomic"
)

// script is what the connections of a plan send, one request after the other. They share
// it: what is drawn, and which row of values is taken, goes by the number of a request among
// those of the load, or of a list among those that are begun.
type script struct {
	requests []*prepared
	slots    map[string]int // of the values of a user, by name: columns, and then what is taken
	columns  int
	rows     [][]string
	lists    *lists
	weights  []int64 // added up; nil: the requests are sent in turn
	seed     uint64
}

// newScript prepares the requests of a plan. The seed is of what is drawn.
func newScript(plan *Plan, seed int64) (*script, error) {
	s := &script{slots: map[string]int{}, lists: new(lists), seed: mixed(^uint64(seed))}
	if plan.Values != nil && len(plan.Values.Rows) == 0 {
		return nil, fmt.Errorf("the plan has no rows of %s, as one that stands in a record", plan.Values.File)
	}
	if plan.Values != nil {
		s.rows, s.columns = plan.Values.Rows, len(plan.Values.Columns)
		for i, name := range plan.Values.Columns {
			s.slots[name] = i
		}
	}
	list := plan.OfHTTP()
	for i := range list {
		if take := list[i].Take; take != nil && !s.has(take.Name) {
			s.slots[take.Name] = len(s.slots)
		}
	}
	for i := range list {
		p, err := s.prepare(list, i, "")
		if err != nil {
			return nil, err
		}
		s.requests = append(s.requests, p)
	}
	if plan.Drawn() {
		s.weights = plan.weights()
	}
	return s, nil
}

// weights are those of the plan's list, each added to those before it.
func (p *Plan) weights() (all []int64) {
	var sum int64
	for _, r := range p.Send {
		sum += r.Weight
		all = append(all, sum)
	}
	return all
}

// restart has a load begin with the first row.
func (s *script) restart(p *pacer) { s.lists.restart(p) }

// lists counts how often connections have begun a list.
type lists struct {
	begun atomic.Int64
	one   sender
	// Of a closed loop, how many connections this sender has, and all have: each begins as
	// many lists as another. 0: all senders begin as many.
	own, of int64
}

func (l *lists) restart(p *pacer) {
	l.begun.Store(0)
	if l.one, l.own, l.of = p.one, 0, 0; !p.open() && p.of > 0 {
		l.own, l.of = p.one.share(p.of), p.of
	}
}

// begin returns the number of a list that is begun, among those of all senders.
func (l *lists) begin() int64 {
	n := l.begun.Add(1) - 1
	if l.own == 0 {
		return l.one.number(n)
	}
	return n/l.own*l.of + l.one.number(n%l.own)
}

func (s *script) has(name string) bool {
	_, has := s.slots[name]
	return has
}

// prepare makes a request of the list, with cookies beside its own.
func (s *script) prepare(list []Request, at int, cookies string) (*prepared, error) {
	p, err := prepareRequest(&list[at].HTTP, cookies, s.slots)
	if err != nil {
		return nil, err
	}
	p.at = at
	if take := list[at].Take; take != nil {
		if p.take, err = newTaker("take", take); err != nil {
			return nil, err
		}
		p.take.slot, p.take.inHead = s.slots[take.Name], inHeads(list, take.Name)
	}
	return p, nil
}

// inHeads says whether a value stands in the head of a request, as it is.
func inHeads(list []Request, name string) bool {
	return slices.ContainsFunc(list, func(r Request) bool {
		_, gaps, err := filled("", &r.HTTP)
		return err == nil && slices.ContainsFunc(gaps, func(g gap) bool { return g.name == name && g.inHead && g.as == plain })
	})
}

// own is a script whose bytes nobody else writes ids into.
func (s *script) own() *script {
	own := *s
	own.requests = make([]*prepared, len(s.requests))
	for i, p := range s.requests {
		same := *p
		same.wire = slices.Clone(p.wire)
		own.requests[i] = &same
	}
	return &own
}

// drawn is which of the requests number n of a load is: by its number and the seed alone,
// so that of as many requests as many are of each, whoever sends them.
func (s *script) drawn(n int64) int {
	return drawnBy(s.weights, s.seed, n)
}

func drawnBy(weights []int64, seed uint64, n int64) int {
	high, _ := bits.Mul64(mixed(seed+uint64(n)), uint64(weights[len(weights)-1]))
	at, exact := slices.BinarySearch(weights, int64(high))
	if exact { // what is added up to it belongs to the one before
		at++
	}
	return at
}

// Drawing is how many of the first n requests of a list that is drawn are which, in the
// order of Plan.Send. The seed is Result.Seed.
func (p *Plan) Drawing(n, seed int64) []int64 {
	weights := p.weights()
	counts := make([]int64, len(weights))
	for i := range n {
		counts[drawnBy(weights, mixed(^uint64(seed)), i)]++
	}
	return counts
}

// user is one connection's way through a script.
type user struct {
	script *script
	values []string
	next   int       // of the list, which comes next
	now    *prepared // the one that was begun last
}

func newUser(s *script) *user {
	u := &user{script: s}
	if len(s.slots) > 0 {
		u.values = make([]string, len(s.slots))
	}
	return u
}

// restart begins the list anew.
func (u *user) restart() { u.next = 0 }

// begin is what to send as number n of a load.
func (u *user) begin(n int64) *prepared {
	s, at := u.script, u.next
	if s.weights != nil {
		at = s.drawn(n)
	}
	switch rows := int64(len(s.rows)); {
	case rows == 0:
	case s.weights != nil || len(s.requests) == 1:
		copy(u.values, s.rows[n%rows])
	case at == 0:
		copy(u.values, s.rows[s.lists.begin()%rows])
	}
	u.now, u.next = s.requests[at], (at+1)%len(s.requests)
	return u.now
}

// wire is the bytes of the request that was begun last, in scratch where something of it
// varies, and where its id is to be; -1: the plan sets the id itself.
func (u *user) wire(scratch *[]byte) (wire []byte, idAt int) {
	if u.now.parts == nil {
		return u.now.wire, u.now.idAt
	}
	*scratch, idAt = u.now.render((*scratch)[:0], u.values)
	return *scratch, idAt
}

// request is the request that was begun last, for who writes it otherwise, and whether its
// id is ours to set.
func (u *user) request() (req *http.Request, ours bool, err error) {
	req, err = u.now.request(u.script.slots, u.values)
	return req, u.now.ours, err
}

// takes says whether something is to be taken from the answer to the request that was begun last.
func (u *user) takes() bool { return u.now != nil && u.now.take != nil }

// ended is what a request ends in that ended in a reply, and goes on in the list, or begins
// it anew where a value was to be taken, and is not there.
func (u *user) ended(rep reply, value string, taken bool) reply {
	rep.request = int16(u.now.at)
	if u.now.take == nil {
		return rep
	}
	if rep.err == "" && rep.status < 400 && taken {
		u.values[u.now.take.slot] = value
		return rep
	}
	u.restart()
	if rep.err == "" && rep.status < 400 {
		rep.status, rep.err, rep.checks, rep.version = 0, ErrorUntaken, 0, ""
	}
	return rep
}
