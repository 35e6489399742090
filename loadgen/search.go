package loadgen

import "bytes"

// search finds what a matcher asks for in the body of an answer, which comes in parts. It
// keeps no more of them than it has to: for a text as much as could be its begin, for an
// expression all, unless the body came at once.
type search struct {
	checks, versions uint64 // that hold so far
	size             int    // of what came
	settled          bool   // it was searched whole
	tail             []byte
	whole            []byte
	take             *taker // nil: nothing is
	value            string // that was taken
	taken            bool
}

// begin readies the search for the next answer, from which something is to be taken.
func (s *search) begin(take *taker) { *s = search{tail: s.tail[:0], whole: s.whole[:0], take: take} }

// read searches a part of the body, which may be its last.
func (s *search) read(m *matcher, part []byte, last bool) error {
	if len(part) == 0 || !m.asks() && s.take == nil {
		return nil
	}
	first := s.size == 0
	if s.size += len(part); s.size > maxBody {
		return errLargeBody
	}
	if first && last {
		s.checks, s.versions, s.settled = m.held(part), heldOf(m.versions, part), true
		s.takeFrom(part)
		return nil
	}
	if m.expressions || s.take != nil {
		s.whole = append(s.whole, part...)
	}
	s.searchTexts(m, part)
	return nil
}

func (s *search) takeFrom(body []byte) {
	if s.take != nil {
		s.value, s.taken = s.take.from(body)
	}
}

// searchTexts looks for texts in a part, and where it joins what came before.
func (s *search) searchTexts(m *matcher, part []byte) {
	keep := m.longest - 1
	if keep < 0 {
		return
	}
	s.tail = append(s.tail, part[:min(len(part), keep)]...)
	s.checks |= textsIn(m.checks, s.checks, s.tail) | textsIn(m.checks, s.checks, part)
	s.versions |= textsIn(m.versions, s.versions, s.tail) | textsIn(m.versions, s.versions, part)
	if from := s.tail; len(part) >= keep {
		s.tail = append(s.tail[:0], part[len(part)-keep:]...)
	} else {
		s.tail = append(s.tail[:0], from[max(len(from)-keep, 0):]...)
	}
}

// textsIn is the set of the texts that stand in a part of a body, but for those that were
// found before.
func textsIn(statements []statement, found uint64, part []byte) (set uint64) {
	for i := range statements {
		if s := &statements[i]; s.re == nil && found&(1<<i) == 0 && bytes.Contains(part, s.body) {
			set |= 1 << i
		}
	}
	return set
}

// found is what holds of the whole body.
func (s *search) found(m *matcher) (checks uint64, version string) {
	if !s.settled {
		if m.expressions {
			s.checks |= expressionsIn(m.checks, s.whole)
			s.versions |= expressionsIn(m.versions, s.whole)
		}
		s.takeFrom(s.whole)
	}
	return s.checks, m.versionOf(s.versions)
}

func expressionsIn(statements []statement, body []byte) (set uint64) {
	for i := range statements {
		if s := &statements[i]; s.re != nil && s.re.Match(body) {
			set |= 1 << i
		}
	}
	return set
}
