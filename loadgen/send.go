package loadgen

// Request is one of those that a load is made of, by the name of its own.
type Request struct {
	Name   string `json:"name"`
	HTTP   HTTP   `json:"http"`
	Weight int64  `json:"weight,omitempty"` // of Plan.Send, each has one or none: so many of the sum of all are it, by chance
	Take   *Take  `json:"take,omitempty"`   // what its answer has for those behind it
}

// Take is a value of an answer that has a status below 400: requests behind it have it
// where {{.name}} stands. Exactly one of Pointer and Match is set. Where the answer lacks
// it, or it is empty, or the head of a request could not hold it, that is ErrorUntaken, and
// the connection begins its list anew.
type Take struct {
	Name    string `json:"name"`
	Pointer string `json:"pointer,omitempty"` // of a text, a number or a truth in a body of JSON (RFC 6901): /basket/id
	Match   string `json:"match,omitempty"`   // an RE2 expression with one group, which is the value: basket=(\w+)
}

// Values are those of a file, a row each time that a connection begins its list, in turn
// and from the first on; of a load of one request, or of those that are drawn, each request
// has that of its number. Senders of one load take turns, as one sender would.
// {{.name}} in a URL, a header field or a body is the value of that column.
type Values struct {
	File    string     `json:"file"`   // as it was named
	Digest  string     `json:"digest"` // of it as it was read: sha256:…
	Columns []string   `json:"columns"`
	Count   int        `json:"count"`          // of rows
	Rows    [][]string `json:"rows,omitempty"` // a value for each column; nil: they were left out, as of a record, and nothing can be sent
}

// Think is how long a connection of a closed loop does nothing between an answer and its
// next request, as somebody does who reads. To is at least From; where it is more, how long
// is drawn for each request, any time between them being as likely.
type Think struct {
	From Duration `json:"from"`
	To   Duration `json:"to"`
}

// OfHTTP are the requests that the plan is made of, of which one alone has no name; nil: it
// is of gRPC or TCP, or of nothing.
func (p *Plan) OfHTTP() []Request {
	if p.HTTP != nil {
		return []Request{{HTTP: *p.HTTP}}
	}
	return p.Send
}

// first is the request that a connection begins with, whose Login is that of all; nil: the
// plan is of gRPC or TCP, or of nothing.
func (p *Plan) first() *HTTP {
	switch {
	case p.HTTP != nil:
		return p.HTTP
	case len(p.Send) > 0:
		return &p.Send[0].HTTP
	}
	return nil
}

// Drawn says whether each request of the plan's list is drawn by its weight.
func (p *Plan) Drawn() bool { return len(p.Send) > 0 && p.Send[0].Weight > 0 }

// Draws says whether anything of the plan is drawn by a seed.
func (p *Plan) Draws() bool {
	return p.Arrival == ArrivalPoisson || p.Drawn() || p.Think != nil && p.Think.To != p.Think.From
}

// AsRecorded returns the plan as a record has it: a file of values may be large, as one of
// descriptors may, and nobody reads passwords in it.
func (p Plan) AsRecorded() Plan {
	if p.GRPC != nil && p.GRPC.Descriptors != nil {
		grpc, file := *p.GRPC, *p.GRPC.Descriptors
		file.Set, grpc.Descriptors = nil, &file
		p.GRPC = &grpc
	}
	if p.Values != nil {
		values := *p.Values
		values.Rows = nil
		p.Values = &values
	}
	return p
}

// TimesOf are the times of one request of Plan.Send, as Result has them of all.
type TimesOf struct {
	Request  string     `json:"request"`
	Response *Histogram `json:"response"`
	Service  *Histogram `json:"service"`
	Lag      *Histogram `json:"lag,omitempty"`
}

// Of is what a load saw of one request of Plan.Send: its outcomes and its times, in the
// time of the whole load. Over how many connections it went, and what was not begun of it,
// nobody knows: Used is 0, and Missed that of the load.
func (r *Result) Of(request string) *Result {
	of := &Result{
		Started: r.Started, Elapsed: r.Elapsed, Engine: r.Engine, Connections: r.Connections, Grown: r.Grown, LastBegun: r.LastBegun,
		Missed: r.Missed, Failure: r.Failure, Outcomes: []Outcome{},
	}
	for _, o := range r.Outcomes {
		if o.Request == request {
			of.Outcomes = append(of.Outcomes, o)
			of.Sent += o.Count
		}
	}
	for _, t := range r.Times {
		if t.Request == request {
			of.Response, of.Service, of.Lag = t.Response, t.Service, t.Lag
		}
	}
	return of
}
