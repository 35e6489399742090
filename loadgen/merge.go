package loadgen

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// SenderResult is what came of the part that one sender has of a load.
type SenderResult struct {
	Name   string
	Result *Result // nil: nothing is known of it
	Lost   string  // why, or why it has ended before all of it was sent
}

// Merge makes one result of those that the plans of Parts have come to, in their order: the
// one that a single sender would have recorded that had sent all of their requests, to the
// last count of each histogram and slot. What a sender had to send that is lost is counted
// as missed. The error is that parts do not fit each other.
func (p Plan) Merge(parts []SenderResult) (*Result, error) {
	plans := p.Parts()
	if len(parts) != len(plans) {
		return nil, fmt.Errorf("merging what %d senders have seen: there are results of %d", len(plans), len(parts))
	}
	m := merger{Result: &Result{
		Planned: p.Requests, Connections: p.Connections, Rate: p.Rate,
		Outcomes: []Outcome{}, Response: &Histogram{}, Service: &Histogram{},
	}}
	for _, r := range p.Send {
		m.Times = append(m.Times, TimesOf{Request: r.Name, Response: &Histogram{}, Service: &Histogram{}})
	}
	for _, part := range parts {
		if part.Result == nil {
			continue
		}
		if err := m.add(part.Name, part.Result); err != nil {
			return nil, fmt.Errorf("merging what the sender %s has seen: %w", part.Name, err)
		}
	}
	if p.Draws() && m.Seed == 0 {
		m.Seed = p.Seed
	}
	for i, part := range parts {
		s := Sender{Name: part.Name, Lost: part.Lost}
		if part.Result != nil {
			s.Sent, s.Late, s.Missed = part.Result.Sent, part.Result.Late, part.Result.Missed
		}
		if part.Result == nil || part.Lost != "" {
			more := max(plans[i].lost(m.Result)-s.Sent-s.Missed, 0)
			s.Missed += more
			m.Missed += more
		}
		m.Senders = append(m.Senders, s)
	}
	m.TargetQPS = p.Asked(m.LastBegun.Duration)
	return m.done(), nil
}

// lost is how many requests fell to a sender that was lost, in a load whose other senders
// came to a result.
func (p *Plan) lost(others *Result) int64 {
	if !p.Open() {
		return p.part().Requests
	}
	switch elapsed := others.Elapsed.Duration; {
	case elapsed > 0:
		return p.Owed(elapsed, others.Seed)
	case p.Duration.Duration > 0: // there are none
		return p.Owed(p.Duration.Duration, others.Seed)
	}
	return p.part().Requests
}

// merger is a result to which parts are added.
type merger struct {
	*Result
	slots slots
}

// add adds a part.
func (m *merger) add(name string, r *Result) error {
	if m.Engine != "" && r.Engine != m.Engine {
		return fmt.Errorf("engine %s carried it out, and %s the part of another", r.Engine, m.Engine)
	}
	if m.Seed != 0 && r.Seed != m.Seed {
		return fmt.Errorf("it drew by seed %d, and another by %d", r.Seed, m.Seed)
	}
	m.Engine, m.Seed = r.Engine, r.Seed
	if m.Started.IsZero() || r.Started.Before(m.Started) {
		m.Started = r.Started
	}
	m.Elapsed.Duration, m.LastBegun.Duration = max(m.Elapsed.Duration, r.Elapsed.Duration), max(m.LastBegun.Duration, r.LastBegun.Duration)
	m.Sent, m.Setup, m.Warmup, m.Late, m.Missed = m.Sent+r.Sent, m.Setup+r.Setup, m.Warmup+r.Warmup, m.Late+r.Late, m.Missed+r.Missed
	m.Grown, m.Dialed, m.Used = m.Grown+r.Grown, m.Dialed+r.Dialed, m.Used+r.Used
	if m.Failure == "" && r.Failure != "" {
		m.Failure, m.Aborted = name+": "+r.Failure, r.Aborted
	}
	if m.Refusal == nil {
		m.Refusal = r.Refusal
	}
	m.Other = cmp.Or(m.Other, r.Other)
	m.Response.add(r.Response)
	m.Service.add(r.Service)
	m.Lag = added(m.Lag, r.Lag)
	m.NotOK = added(m.NotOK, r.NotOK)
	if err := m.time(r.Times); err != nil {
		return err
	}
	for _, o := range r.Outcomes {
		m.count(o)
	}
	return m.slots.merge(r.Series)
}

// time adds the times of each request of a list.
func (m *merger) time(times []TimesOf) error {
	if len(times) != len(m.Times) {
		return fmt.Errorf("it has times of %d requests, and the list of the load has %d", len(times), len(m.Times))
	}
	for i, of := range times {
		have := &m.Times[i]
		if of.Request != have.Request {
			return fmt.Errorf("its times of request %d of the list are of %s, which is %s", i+1, of.Request, have.Request)
		}
		have.Response.add(of.Response)
		have.Service.add(of.Service)
		have.Lag = added(have.Lag, of.Lag)
	}
	return nil
}

// added is a histogram with what a part counts as well; nil: neither is kept.
func added(to, part *Histogram) *Histogram {
	if part == nil {
		return to
	}
	if to == nil {
		to = &Histogram{}
	}
	to.add(part)
	return to
}

// count adds the requests of an outcome to those that ended alike.
func (m *merger) count(o Outcome) {
	i := slices.IndexFunc(m.Outcomes, func(have Outcome) bool { return have.compare(o) == 0 })
	if i < 0 {
		m.Outcomes = append(m.Outcomes, o)
		return
	}
	have := &m.Outcomes[i]
	have.Count += o.Count
	if have.Slowest == nil || o.Slowest != nil && o.Slowest.Response.Duration > have.Slowest.Response.Duration {
		have.Slowest = o.Slowest
	}
}

// done is the result once all parts are in it.
func (m *merger) done() *Result {
	slices.SortFunc(m.Outcomes, Outcome.compare)
	m.forgetFast()
	m.Series = m.slots.series()
	return m.Result
}

// compare is the order of outcomes in a result.
func (o Outcome) compare(other Outcome) int {
	return cmp.Or(cmp.Compare(o.Status, other.Status), strings.Compare(o.GRPC, other.GRPC), strings.Compare(o.Error, other.Error), strings.Compare(o.Message, other.Message),
		strings.Compare(o.Version, other.Version), slices.Compare(o.Checks, other.Checks), strings.Compare(o.Request, other.Request))
}

// responses are the histograms of the slots, as Series.Responses has them.
func (s *slots) responses() []string {
	all := make([]string, len(s.all))
	for i, slot := range s.all {
		if slot.response == nil {
			continue
		}
		encoded, err := slot.response.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
		if err != nil {
			panic("encoding a histogram: " + err.Error())
		}
		all[i] = string(encoded)
	}
	return all
}

// merge adds the slots of a part, from the start of the load on.
func (s *slots) merge(part *Series) error {
	if part == nil {
		return nil
	}
	other, err := slotsOf(part)
	if err != nil {
		return err
	}
	if s.width == 0 {
		s.width = narrowest
	}
	for s.width < other.width {
		s.widen()
	}
	for other.width < s.width {
		other.widen()
	}
	for i, of := range other.all {
		if i == len(s.all) {
			s.all = append(s.all, slot{})
		}
		s.all[i].add(of)
	}
	return nil
}

// slotsOf are those that a series was made of.
func slotsOf(part *Series) (*slots, error) {
	n := len(part.Begun)
	width := part.Width.Duration
	if n == 0 || n > mostSlots || len(part.Responses) != n || !doubled(width) {
		return nil, fmt.Errorf("its series has %d slots of %s with %d histograms", n, width, len(part.Responses))
	}
	s := &slots{width: width, all: make([]slot, n)}
	for i := range s.all {
		s.all[i].begun = part.Begun[i]
		for _, of := range part.Ended {
			if len(of.Count) != n {
				return nil, errors.New("its series has columns of several lengths")
			}
			if of.Count[i] != 0 {
				if s.all[i].ended == nil {
					s.all[i].ended = map[way]int64{}
				}
				s.all[i].ended[way{of.Status, of.GRPC, of.Error}] += of.Count[i]
			}
		}
		if part.Responses[i] == "" {
			continue
		}
		response, err := hdrhistogram.Decode([]byte(part.Responses[i]))
		switch {
		case err != nil:
			return nil, fmt.Errorf("reading the histogram of slot %d of its series: %w", i, err)
		case response.LowestTrackableValue() != lowestMicros, response.HighestTrackableValue() != highestMicros, response.SignificantFigures() != seriesFigures:
			return nil, fmt.Errorf("the histogram of slot %d of its series has another range or precision", i)
		}
		s.all[i].response = response
	}
	return s, nil
}

// doubled says whether slots can have become so wide.
func doubled(width time.Duration) bool {
	for width > narrowest && width%2 == 0 {
		width /= 2
	}
	return width == narrowest
}
