package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/plural"
	"github.com/meshchaos/meshchaos/report"
)

// undecided refuses a claim that no observation could make false, or none true:
// it would be judged, and nothing would be said. Where that takes too much
// effort to tell, and of splits, it is taken to be open.
func (c *compiler) undecided(what claim, n node) error {
	wrong := &Error{Offset: n.at().start}
	switch {
	case !c.seen.possible(what.says.negated(), c.solver):
		wrong.Message = shown(what.text) + " is always true, whatever is observed"
	case !c.seen.possible(what.says, c.solver):
		wrong.Message = shown(what.text) + " can never be true"
	default:
		return nil
	}
	wrong.Hint = c.why(what.says)
	return wrong
}

// decided says that a part of the line could have come out in no other way with
// the requests that there were in its windows; empty: it could.
func (e *Expectation) decided(w Windows, part int, as report.Verdict) string {
	if e.parts[part].says.unsure { // a split alone
		return ""
	}
	scope := e.scope
	scope.seen = e.seen(w)
	c := newCompiler(scope, e.source)
	claim, err := c.claim(e.parts[part].node)
	if err != nil {
		return err.Error()
	}
	other, word := claim.says.negated(), "failed"
	if as == report.Fail {
		other, word = claim.says, "held"
	}
	if c.seen.possible(other, c.solver) {
		return ""
	}
	return fmt.Sprintf("with the requests that there were it could not have %s: %s", word, c.whySeen(claim.says))
}

// whySeen says what the quantities of a claim could have been, and what to do.
func (c *compiler) whySeen(says formula) string {
	for _, name := range says.quantities() {
		if c.seen.named[name].size.most == none {
			return name + " was 0 whatever happened, since " + c.whyNone(name)
		}
		if q := c.seen.named[name]; strings.HasSuffix(q.family, " "+proxied) && q.size.most > 0 {
			return fmt.Sprintf("%s was %d at most; write a limit that it could have passed, as in %s == 0", name, q.size.most, name)
		}
	}
	return c.why(says) + "; write a limit that they could have passed, or send more"
}

// whyNone says why there can have been no ejection, or nothing that a limit refused,
// and what to do.
func (c *compiler) whyNone(quantity string) string {
	each := c.scope.seen.each[quantity]
	retries := strings.HasPrefix(quantity, report.RetryOverflows+"(")
	switch overflows := strings.HasPrefix(quantity, report.Overflows+"("); {
	case retries && each > 0:
		return fmt.Sprintf("the lowest limit in force lets %s be under way at once, and no more requests went there; send more, or write a lower maxRetries", plural.Of(each-1, "retry"))
	case retries:
		return "no limit of retries is in force; write maxRetries, or take the line out"
	case overflows && each > 0:
		return fmt.Sprintf("the lowest limit in force lets %s be under way at once, and no more went there; send more, or write a lower one", plural.Of(each-1, "request"))
	case overflows:
		return "no limit that refuses any is in force (of HTTP, maxConnections alone makes requests wait); write one, or take the line out and count what clients were answered"
	case each > 0:
		return fmt.Sprintf("one takes %s in a row, and fewer requests went where an outlierDetection is in force; send more, or let fewer errors do", plural.Of(each, "error"))
	}
	return "no outlierDetection in force lets one endpoint go; write one, or raise its maxEjectionPercent, and count errors"
}

// why says what is known of the quantities of a claim that is decided by it.
func (c *compiler) why(says formula) string {
	names := says.quantities()
	is := func(family string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return c.seen.named[name].isOf(family) })
	}
	switch {
	case len(names) == 0:
		return "its sides differ by a constant; compare what is observed with what it should be"
	case says.either:
		return "its parts leave out nothing; say which of them is expected"
	case is(responses), is(services):
		return "a time is above 0s and within the timeout of its load; of one window .min <= .p50 <= .p90 <= .p95 <= .p99 <= .p999 <= .max, of n times the largest is at most n · .mean, and a quantile q at most .mean / (1-q); and nothing is said of times where a request failed to be answered"
	case c.implying(names):
		return "an answer that fulfils a check, or shows a version, fulfils each check whose text is a part of that; ask for a text that stands nowhere else"
	case is(shares):
		return "a share is from 0% to 100%"
	case is(counts):
		return c.whyCounts(names)
	default:
		return "no count is below 0, nor are those of versions together above that of their service"
	}
}

// implying says whether one of the parts implies another.
func (c *compiler) implying(names []string) bool {
	parts := map[string]linear{}
	for _, name := range names {
		parts[c.seen.named[name].part] = one(name)
	}
	return slices.ContainsFunc(c.seen.implied.among(parts), func(i inequality) bool { return !i.isConstant() })
}

// whyCounts says what is known of the counts of cohorts.
func (c *compiler) whyCounts(names []string) string {
	why := "a cohort of which nothing was sent is not judged, and no count is below 0 or above .sent"
	for _, name := range names {
		if n := c.seen.named[name].size.exactly(); n > 0 {
			return fmt.Sprintf("%s, which is %d in that load", why, n)
		}
	}
	return why
}
