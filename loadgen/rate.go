package loadgen

import (
	"math"
	"time"
)

// RatePoint is how many requests a second are due at a time of a load. From one to the
// next the rate goes in a straight line; two at one time are a jump.
type RatePoint struct {
	At  Duration `json:"at"` // since the start
	QPS float64  `json:"qps"`
}

// never is when what is due at a rate of 0 is to begin. It is more than any load lasts,
// and can be added to any time of a clock.
const never = 100 * 365 * 24 * time.Hour

// rate is how many requests a second are due, over time.
type rate []stretch

// stretch is a part of a rate in which it goes in a straight line. The last has no end,
// and keeps the rate with which it begins.
type stretch struct {
	at       float64 // when it begins, in nanoseconds
	length   float64 // in nanoseconds
	from, to float64 // requests a second
	before   float64 // how many are due before it
}

func steady(qps float64) rate {
	return rate{{length: math.Inf(1), from: qps, to: qps}}
}

// through is the rate through points, and after the last of them that one's.
func through(points []RatePoint) rate {
	var r rate
	due := 0.0
	for i, p := range points {
		s := stretch{at: float64(p.At.Duration), length: math.Inf(1), from: p.QPS, to: p.QPS, before: due}
		if i+1 < len(points) {
			s.length, s.to = float64(points[i+1].At.Duration-p.At.Duration), points[i+1].QPS
		}
		if s.length == 0 { // a jump
			continue
		}
		due += s.due(s.length)
		r = append(r, s)
	}
	return r
}

// due is how many requests are due in the first nanoseconds of a stretch.
func (s *stretch) due(ns float64) float64 {
	if s.from == s.to {
		return s.from * ns / float64(time.Second)
	}
	return (s.from + (s.to-s.from)*ns/s.length/2) * ns / float64(time.Second)
}

// when is how many nanoseconds of a stretch it takes until so many are due.
func (s *stretch) when(due float64) float64 {
	switch {
	case due <= 0:
		return 0
	case s.from == s.to:
		return due * float64(time.Second) / s.from
	}
	// The root of a square in the form that loses no digits where the rate is nearly even.
	perSecond := (s.to - s.from) / s.length * float64(time.Second)
	root := math.Sqrt(max(s.from*s.from+2*perSecond*due, 0))
	return min(2*due/(s.from+root)*float64(time.Second), s.length)
}

// by is how many requests are due before a time.
func (r rate) by(t time.Duration) float64 {
	i := len(r) - 1
	for i > 0 && r[i].at >= float64(t) {
		i--
	}
	return r[i].before + r[i].due(float64(t)-r[i].at)
}

// after is the time after which more than so many requests are due.
func (r rate) after(due float64) time.Duration {
	i := len(r) - 1
	for i > 0 && r[i].before > due {
		i--
	}
	if r[i].from == 0 && r[i].to == 0 {
		return never
	}
	return time.Duration(min(r[i].at+r[i].when(due-r[i].before), float64(never)))
}

// at is the rate at a time; 0: there is none to keep.
func (r rate) at(t time.Duration) float64 {
	if len(r) == 0 {
		return 0
	}
	i := len(r) - 1
	for i > 0 && r[i].at > float64(t) {
		i--
	}
	s := &r[i]
	if s.from == s.to {
		return s.from
	}
	return s.from + (s.to-s.from)*(float64(t)-s.at)/s.length
}

// first is the first rate at which anything is due.
func (r rate) first() (qps float64) {
	for i := 0; i < len(r) && qps == 0; i++ {
		qps = max(r[i].from, r[i].to)
	}
	return qps
}

// peak is the highest rate.
func (r rate) peak() (qps float64) {
	for i := range r {
		qps = max(qps, r[i].from, r[i].to)
	}
	return qps
}
