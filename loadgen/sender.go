package loadgen

// maxSenders bounds how many processes send one load.
const maxSenders = 100

// Sender is one of the processes that send a load together, and what became of its part.
type Sender struct {
	Name   string `json:"name"`             // process 4711; pod meshchaos-client-4f1d-senders-0
	Sent   int64  `json:"sent"`             // those of Result.Sent that it has sent
	Late   int64  `json:"late,omitempty"`   // likewise
	Missed int64  `json:"missed,omitempty"` // likewise, of one that is lost all that fell to it: of an open loop what was due until the load ended
	Lost   string `json:"lost,omitempty"`   // why it ended before all of its part was sent; of one that died at once nothing is known, and Sent is 0. Empty: it was not lost
}

// Parts returns the plan of each sender, by which all of them together carry out the plan:
// each request of its schedule is one sender's, and each connection. What is drawn is drawn
// here, since it is the same for all.
func (p Plan) Parts() []Plan {
	p.Seed = p.draw()
	parts := make([]Plan, max(p.Senders, 1))
	for i := range parts {
		parts[i] = p
		if len(parts) > 1 {
			parts[i].Sender = i + 1
		}
	}
	return parts
}

// sender is one of several, which take turns: of 3 the first has the requests 0, 3, 6 and
// so on of a schedule. The zero value is the only one.
type sender struct{ at, of int64 }

func (p *Plan) sender() sender {
	if p.Senders < 2 || p.Sender == 0 {
		return sender{}
	}
	return sender{int64(p.Sender) - 1, int64(p.Senders)}
}

// number is which of all the i-th is that this sender has.
func (s sender) number(i int64) int64 {
	if s.of == 0 {
		return i
	}
	return i*s.of + s.at
}

// share is how many of the first n are this sender's.
func (s sender) share(n int64) int64 {
	if s.of == 0 {
		return n
	}
	return (n - s.at + s.of - 1) / s.of
}

// rate is how much of a rate is this sender's.
func (s sender) rate(qps float64) float64 { return qps / float64(max(s.of, 1)) }

// part is the plan with this sender's own numbers. Its rates are those of all senders: by
// them it is known when a request is due.
func (p Plan) part() Plan {
	one := p.sender()
	connections := int64(p.Connections)
	p.Connections = int(one.share(connections))
	if p.MaxConnections > 0 {
		p.MaxConnections = int(one.share(int64(p.MaxConnections)))
	}
	p.Warmup = one.share(p.Warmup)
	if !p.Open() && p.Requests > 0 && one.of > 0 { // each connection has its part
		of, requests := connections, p.Requests
		p.Requests = 0
		for i := range int64(p.Connections) {
			p.Requests += sender{one.number(i), of}.share(requests)
		}
		return p
	}
	p.Requests = one.share(p.Requests)
	return p
}

// Most is how many requests the plan of a part has its sender send at the most, where
// something of it but While or a duration alone says so. The seed is Result.Seed.
func (p *Plan) Most(seed int64) (n int64, known bool) {
	switch {
	case p.Open() && p.Duration.Duration > 0:
		return p.Owed(p.Duration.Duration, seed), true
	default:
		return p.part().Requests, p.Requests > 0
	}
}

func validateSenders(p *Plan) error {
	switch {
	case p.Senders < 0 || p.Senders > maxSenders:
		return wrong("senders", "senders is %d; it must be 1 to %d", p.Senders, maxSenders)
	case p.Senders > p.Connections:
		return wrong("senders", "senders is %d, more than the %d connections, of which each needs one; take more connections or fewer senders", p.Senders, p.Connections)
	case p.Senders > 1 && p.AbortOn != 0:
		return wrong("abortOn", "abortOn is %d, by which one of %d senders would end and the others go on; take one sender", p.AbortOn, p.Senders)
	case p.Sender < 0 || p.Sender > p.Senders || p.Sender > 0 && p.Senders < 2:
		return wrong("sender", "sender is %d, and there are %d", p.Sender, p.Senders)
	case p.Sender > 0 && p.Draws() && p.Seed == 0:
		return wrong("seed", "seed is 0, and each of %d senders would draw by another; take the plans of Parts", p.Senders)
	}
	return nil
}
