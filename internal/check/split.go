package check

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/meshchaos/meshchaos/report"
)

// portion is the share that a split gives to a version.
type portion struct {
	version string
	share   *big.Rat
	text    string // as it was written: 90%
}

// splitting is a compiled split(X).is(v1 == 90%, v2 == 10%).detecting(5%).
//
// Every answer must come from a version that is listed; the counts of those
// are tested against the shares. The test rejects whatever the number of
// samples, since its level holds for any; but it accepts only when they are
// enough to detect a share that is off by as much as the line says, 10 points
// by default.
type splitting struct {
	portions []portion
	off      *big.Rat
	offText  string
	needed   int64
	tally    func(Windows) tally
}

// calledAs returns n as a call of the function, if it is one.
func calledAs(n node, function string) (*call, bool) {
	called, ok := n.(*call)
	if !ok || called.name.text != function {
		return nil, false
	}
	return called, true
}

// isSplit says whether n ends as a split does.
func isSplit(n node) bool {
	called, ok := n.(*call)
	return ok && called.of != nil && (called.name.text == "is" || called.name.text == "detecting")
}

// split compiles a split.
func (c *compiler) split(n node) (claim, error) {
	s := &splitting{off: big.NewRat(10, 100), offText: "10%"}
	inner := n
	if detecting, ok := calledAs(n, "detecting"); ok {
		off, err := c.percentage(detecting.args, detecting.name)
		if err != nil {
			return claim{}, err
		}
		s.off, s.offText, inner = off.literal, off.text, detecting.of
	}
	is, ok := calledAs(inner, "is")
	if !ok || is.of == nil {
		return claim{}, c.splitUse(inner)
	}
	split, ok := calledAs(is.of, "split")
	if !ok || split.of != nil || len(split.args) != 1 {
		return claim{}, c.splitUse(is.of)
	}
	nameOf, tallied, err := c.splitOf(split.args[0])
	if err != nil {
		return claim{}, err
	}
	if s.portions, err = c.portions(is.args, is.name, nameOf); err != nil {
		return claim{}, err
	}
	if err := s.plan(n.at().start); err != nil {
		return claim{}, err
	}
	tallied(s)
	return claim{split: true, of: c.source.textOf(split), says: formula{unsure: true}, judge: s.judge}, nil
}

// splitUse is the error of a split that is not written as one.
func (c *compiler) splitUse(n node) error {
	return &Error{Offset: n.at().start, Message: shown(c.source.textOf(n)) + " is no split", Hint: "write split(reviews).is(v1 == 90%, v2 == 10%)"}
}

// percentage compiles the argument of detecting.
func (c *compiler) percentage(args []node, name token) (term, error) {
	wrong := &Error{Offset: name.start, Message: "detecting takes one percentage from 0.1% to 50%: how far off a share is that must be noticed", Hint: "write detecting(5%)"}
	if len(args) != 1 {
		return term{}, wrong
	}
	off, err := c.term(args[0])
	if err != nil {
		return term{}, err
	}
	if off.literal == nil || off.kind != share || off.literal.Cmp(big.NewRat(1, 1000)) < 0 || off.literal.Cmp(big.NewRat(1, 2)) > 0 {
		return term{}, wrong
	}
	return off, nil
}

// portions compiles v1 == 90%, v2 == 10%.
func (c *compiler) portions(args []node, name token, nameOf func(node) (string, error)) ([]portion, error) {
	var portions []portion
	sum, seen := new(big.Rat), map[string]bool{}
	for _, arg := range args {
		p, err := c.portion(arg, nameOf)
		if err != nil {
			return nil, err
		}
		if seen[p.version] {
			return nil, &Error{Offset: arg.at().start, Message: fmt.Sprintf("version %q is listed twice", p.version)}
		}
		seen[p.version] = true
		portions = append(portions, p)
		sum.Add(sum, p.share)
	}
	if sum.Cmp(big.NewRat(1, 1)) != 0 {
		return nil, &Error{Offset: name.start, Message: fmt.Sprintf("the shares of the split add up to %s, not 100%%", words(share, sum, 6)), Hint: "list every version that may answer"}
	}
	return portions, nil
}

// portion compiles v1 == 90%.
func (c *compiler) portion(n node, nameOf func(node) (string, error)) (portion, error) {
	equal, ok := n.(*comparison)
	if !ok || equal.operator.text != "==" {
		return portion{}, &Error{Offset: n.at().start, Message: shown(c.source.textOf(n)) + " is no share of a version", Hint: "write v1 == 90%"}
	}
	version, err := nameOf(equal.left)
	if err != nil {
		return portion{}, err
	}
	part, err := c.term(equal.right)
	switch {
	case err != nil:
		return portion{}, err
	case part.literal != nil && part.kind == number:
		return portion{}, &Error{Offset: part.at, Message: part.text + " is a number, not a share", Hint: "write " + part.text + "%"}
	case part.literal == nil || part.kind != share:
		return portion{}, &Error{Offset: part.at, Message: shown(part.text) + " is no percentage", Hint: "write " + version + " == 90%"}
	}
	if part.literal.Sign() > 0 && part.literal.Cmp(leastShare()) < 0 {
		return portion{}, &Error{Offset: part.at, Message: "a share of " + part.text + " is too small to be seen in a run", Hint: "the smallest is 0.001%"}
	}
	return portion{version: version, share: part.literal, text: part.text}, nil
}

// leastShare is the least that is not 0. A million requests show that.
func leastShare() *big.Rat { return big.NewRat(1, 100_000) }

// plan works out how many samples the split needs.
func (s *splitting) plan(at int) error {
	var shares []float64
	for _, p := range s.portions {
		shares = append(shares, float(p.share))
	}
	s.needed = samplesNeeded(shares, float(s.off))
	if s.needed == 0 {
		return &Error{Offset: at, Message: fmt.Sprintf("no share of this split can be off by %s", s.offText), Hint: "write detecting(5%)"}
	}
	return nil
}

// float returns the float64 that is nearest to r.
func float(r *big.Rat) float64 {
	f, _ := r.Float64()
	return f
}

// splitOf compiles what a split is of: a cohort, by the versions that its
// answers show, or a service, by the versions that the proxies counted. It
// returns how the names of versions are compiled, and what gives the split its
// counts.
func (c *compiler) splitOf(n node) (nameOf func(node) (string, error), tallied func(*splitting), err error) {
	if named, ok := n.(*name); ok && !c.isCohort(named.token) {
		known := c.scope.Services
		if len(known) > 0 {
			known = append(append([]string{}, c.scope.Cohorts...), known...)
		}
		service, err := c.nameOf(n, "load or service", known)
		if err != nil {
			return nil, nil, err
		}
		return func(n node) (string, error) { return c.nameOf(n, "version", c.scope.Versions) }, func(s *splitting) {
			s.tally = c.requestsByVersion(service, s.portions)
			c.needsSamples(Size{Service: service, Requests: s.needed})
		}, nil
	}
	l, err := c.load(n)
	if err != nil {
		return nil, nil, err
	}
	return c.answer, func(s *splitting) {
		s.tally = func(w Windows) tally { return answersByVersion(w, l, s.portions) }
		for _, p := range s.portions {
			c.about(cohortPart(l, counts, "version "+p.version))
		}
		c.speak(l, everything)
		c.needsSamples(Size{Load: l, Requests: s.needed})
	}, nil
}

// judge tests the counts.
func (s *splitting) judge(w Windows) finding {
	t := s.tally(w)
	result := finding{limit: s.limit(), bounds: s.bounds(), sources: t.sources}
	if len(t.missing) > 0 {
		result.verdict, result.reason = report.Inconclusive, strings.Join(t.missing, "; ")
		return result
	}
	result.observed, result.values, result.samples = s.observed(t), s.measures(t), t.total
	result.verdict, result.reason = s.verdict(t)
	return result
}

// verdict says whether the counts agree with the shares.
func (s *splitting) verdict(t tally) (report.Verdict, string) {
	if t.others != "" {
		return report.Fail, fmt.Sprintf("every answer must come from a version that is listed, but %s did not", t.others)
	}
	level := levelOfEach(len(s.portions))
	for i, p := range s.portions {
		if chance := pValue(t.versions[i], t.total, float(p.share)); chance < level {
			return report.Fail, fmt.Sprintf("were %s to get %s, so few or so many of %d would come by chance with p = %.1g, which is below %.1g", p.version, p.text, t.total, chance, level)
		}
	}
	if t.total < s.needed {
		return report.Inconclusive, fmt.Sprintf("too few samples: to detect a share that is off by %s takes %d, and there are %d", s.offText, s.needed, t.total)
	}
	return report.Pass, ""
}

// observed words the counts.
func (s *splitting) observed(t tally) string {
	var list []string
	for i, p := range s.portions {
		part := big.NewRat(t.versions[i], t.total)
		list = append(list, fmt.Sprintf("%s %s (%d of %d)", p.version, tellApart(share, part, p.share), t.versions[i], t.total))
	}
	if t.others != "" {
		list = append(list, t.others)
	}
	return strings.Join(list, ", ")
}

// limit words the shares.
func (s *splitting) limit() string {
	var list []string
	for _, p := range s.portions {
		list = append(list, p.version+" "+p.text)
	}
	return strings.Join(list, ", ")
}
