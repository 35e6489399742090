package check

import (
	"fmt"
	"slices"
	"time"

	"github.com/meshchaos/meshchaos/internal/nearest"
	"github.com/meshchaos/meshchaos/internal/plural"
	"github.com/meshchaos/meshchaos/report"
)

// isCohort says whether a token names a cohort.
func (c *compiler) isCohort(t token) bool {
	return t.kind == wordToken && slices.Contains(c.scope.Cohorts, t.text)
}

// load compiles the name of a cohort, in a window or not.
func (c *compiler) load(n node) (Load, error) {
	if err := c.notMeanwhile(n); err != nil {
		return Load{}, err
	}
	var window string
	var t token
	switch n := n.(type) {
	case *name:
		window, t = report.During, n.token
	case *field:
		window, t = windowOf(n.of), n.name
	}
	switch {
	case window == "" || t.kind != wordToken:
		return Load{}, c.notLoad(n)
	case window == report.During && slices.Contains(c.scope.Services, t.text):
		return Load{}, &Error{Offset: t.start, Message: fmt.Sprintf("%s is a service, not a load", t.text), Hint: fmt.Sprintf("write requests(%s), faults(%s) or the like", t.text, t.text)}
	case !c.isCohort(t):
		return Load{}, unknown(t, "load", c.scope.Cohorts)
	}
	l := Load{Window: window, Cohort: t.text}
	c.useLoad(l)
	return l, nil
}

// notLoad is the error of what is no load, such as the field of one.
func (c *compiler) notLoad(n node) error {
	err := &Error{Offset: n.at().start, Message: shown(c.source.textOf(n)) + " is no load", Hint: "there are " + quoted(c.scope.Cohorts)}
	member, ok := n.(*field)
	if !ok {
		return err
	}
	of, ok := member.of.(*name)
	if !ok {
		return err
	}
	windows := []string{report.Baseline, report.Recovery}
	switch window := of.token.text; {
	case window == report.During:
		err.Hint = "a load's name without a window means during"
	case nearest.Word(window, windows) != "":
		err.Hint = nearest.Hint(window, windows)
	}
	return err
}

// windowOf returns the window that a node names; empty: it names none.
func windowOf(n node) string {
	named, ok := n.(*name)
	if ok && named.token.kind == wordToken && (named.token.text == report.Baseline || named.token.text == report.Recovery) {
		return named.token.text
	}
	return ""
}

// field compiles jason.p50 and its like.
func (c *compiler) field(n *field) (term, error) {
	if windowOf(n.of) != "" {
		l, err := c.load(n)
		if err != nil {
			return term{}, err
		}
		text := l.Window + "." + l.Cohort
		return term{}, &Error{Offset: n.name.start, Message: text + " is a load, not a quantity", Hint: "write " + text + ".p50 or the like"}
	}
	operand := n.of
	inner, service := n.of.(*field)
	if service = service && inner.name.text == "service" && windowOf(inner.of) == ""; service {
		operand = inner.of
	}
	l, err := c.load(operand)
	if err != nil {
		return term{}, err
	}
	return c.loadField(l, service, n.name)
}

// loadField compiles a field of a load, or of its service time.
func (c *compiler) loadField(l Load, service bool, name token) (term, error) {
	var known []string
	for _, t := range timings() {
		if t.name == name.text {
			c.needsSamples(Size{Load: l, Requests: t.least})
			c.times = append(c.times, Time{l, t.name, service, name.start})
			return term{kind: duration, rounded: t.within != nil, form: c.time(l, t.name, service), eval: timeOf(l, t, service)}, nil
		}
		known = append(known, t.name)
	}
	if service {
		return term{}, unknown(name, "service time", known)
	}
	switch name.text {
	case "sent":
		return term{kind: number, form: c.count(l, "sent"), eval: ofLoad(l, counted(everything))}, nil
	case "errors":
		c.speak(l, transport)
		return term{kind: number, form: c.count(l, "errors"), eval: ofLoad(l, counted(transport))}, nil
	case "connections":
		return term{kind: number, form: c.connections(l), eval: ofLoad(l, connections)}, nil
	case "qps":
		return term{kind: number, form: c.seen.rate(l, c.scope.Bounds[l], c.sizeOf(l)), eval: ofLoad(l, ofAnswers(perSecond))}, nil
	case "status":
		return term{}, &Error{Offset: name.start, Message: "status needs a code", Hint: "write status[503]"}
	case "service":
		return term{}, &Error{Offset: name.start, Message: "service is no quantity", Hint: "write service.p50 or the like"}
	}
	if slices.Contains(loadFunctions(), name.text) {
		return term{}, &Error{Offset: name.start, Message: name.text + " needs to be told of what", Hint: "write " + loadFunctionUse(name.text)}
	}
	known = append(append(known, "sent", "errors", "connections", "qps", "service", "status"), loadFunctions()...)
	return term{}, unknown(name, "quantity of a load", known)
}

// time returns a statistic of response time, or of service time. No request is late
// by more than all the others take together.
func (c *compiler) time(l Load, name string, service bool) linear {
	const mostOthers = 10_000_000 // so that no sum of times is too large
	longest, all := c.scope.Longest[l.Cohort], c.sizeOf(l)
	if service {
		return c.seen.time(l, services, name, all, longest.Service)
	}
	if number := max(all.made, all.most); longest.Response == 0 && 0 < number && number < mostOthers {
		longest.Response = time.Duration(number) * longest.Service
	}
	return c.seen.time(l, responses, name, all, longest.Response)
}

// count returns how many requests of a load, or all, had some outcome.
func (c *compiler) count(l Load, part string) linear {
	return c.seen.count(l, part, c.sizeOf(l))
}

// connections returns over how many connections the requests of a load went.
func (c *compiler) connections(l Load) linear {
	used, bounds := c.count(l, "connections"), c.scope.Bounds[l]
	c.seen.limit(used, notBelow(used, max(1, bounds.Connections)))
	if bounds.OwnConnections {
		c.seen.limit(used, inequality{linear: used.minus(c.count(l, "sent"))})
	}
	return used
}

// share returns which share of the requests of a load had some outcome.
func (c *compiler) share(l Load, part string) linear {
	return c.seen.share(l, part, c.sizeOf(l))
}

// status compiles jason.status[503].
func (c *compiler) status(n *index) (term, error) {
	of, ok := n.of.(*field)
	if !ok || of.name.text != "status" || windowOf(of.of) != "" {
		return term{}, &Error{Offset: n.start, Message: "only the status of a load is indexed", Hint: "write " + c.anyLoad() + ".status[503]"}
	}
	l, err := c.load(of.of)
	if err != nil {
		return term{}, err
	}
	code, err := c.statusCode(n.key)
	if err != nil {
		return term{}, err
	}
	c.speak(l, withStatus(code))
	read := ofLoad(l, ofStatuses(counted(withStatus(code))))
	return term{kind: number, form: c.count(l, statusPart(code)), eval: func(w Windows) value {
		v := read(w)
		v.label = fmt.Sprint(code)
		return v
	}}, nil
}

// statusCode compiles the code of an HTTP status.
func (c *compiler) statusCode(n node) (int, error) {
	if code, ok := n.(*literal); ok && code.token.unit == number && code.token.amount.IsInt() && code.token.amount.Num().IsInt64() {
		if status := code.token.amount.Num().Int64(); 100 <= status && status <= 599 {
			return int(status), nil
		}
	}
	return 0, &Error{Offset: n.at().start, Message: shown(c.source.textOf(n)) + " is no HTTP status", Hint: "write a code from 100 to 599"}
}

// loadFunctionUse says how a function of a load is written.
func loadFunctionUse(name string) string {
	switch name {
	case "share":
		return `share("CHECK") or share(503)`
	case "count":
		return `count("CHECK")`
	case "status":
		return "status[503]"
	default:
		return "answered(VERSION)"
	}
}

// loadFunction compiles jason.share("check"), jason.share(503),
// jason.count("check") and jason.answered(v2).
func (c *compiler) loadFunction(n *call) (term, error) {
	function := n.name.text
	if !slices.Contains(loadFunctions(), function) {
		return term{}, c.noLoadFunction(n)
	}
	l, err := c.load(n.of)
	if err != nil {
		return term{}, err
	}
	if len(n.args) != 1 {
		return term{}, &Error{Offset: n.name.start, Message: fmt.Sprintf("%s has %s and takes one", function, plural.Of(len(n.args), "argument")), Hint: "write " + loadFunctionUse(function)}
	}
	if _, isLiteral := n.args[0].(*literal); isLiteral && function == "share" {
		code, err := c.statusCode(n.args[0])
		c.speak(l, withStatus(code))
		return term{kind: share, form: c.share(l, statusPart(code)), eval: shareOf(l, ofStatuses(counted(withStatus(code))))}, err
	}
	chosen, part, err := c.chosen(function, n.args[0])
	if err != nil {
		return term{}, err
	}
	c.speak(l, chosen)
	read := ofAnswers(counted(chosen))
	switch function {
	case "share":
		return term{kind: share, form: c.share(l, part), eval: shareOf(l, read)}, nil
	case "answered":
		return term{kind: number, form: c.count(l, part), eval: toldApart(l, ofLoad(l, read))}, nil
	default:
		return term{kind: number, form: c.count(l, part), eval: ofLoad(l, read)}, nil
	}
}

// loadFunctions returns the names of the functions of a load.
func loadFunctions() []string { return []string{"share", "count", "answered"} }

// noLoadFunction is the error of a function that a load does not have.
func (c *compiler) noLoadFunction(n *call) error {
	name := n.name
	switch {
	case c.scope.isCounted(name.text):
		return &Error{Offset: n.start, Message: name.text + " is counted by proxies, in the window in which the rule is in force", Hint: "write " + name.text + "(SERVICE)"}
	case isSplit(n):
		return &Error{Offset: n.start, Message: "a split is true or false, not a quantity", Hint: "let it stand alone or between && and ||"}
	case name.text == "status":
		return &Error{Offset: name.start, Message: "status is no function", Hint: "write status[503]"}
	}
	return unknown(name, "function of a load", loadFunctions())
}

// statusPart names the answers with a status.
func statusPart(code int) string { return fmt.Sprintf("status %d", code) }

// statusOf returns the status of the answers that a part names; false: it names
// others.
func statusOf(part string) (code int, is bool) {
	_, err := fmt.Sscanf(part, "status %d", &code)
	return code, err == nil
}

// chosen compiles the argument of a function of a load: the outcomes that it
// chooses, and which part of all they are.
func (c *compiler) chosen(function string, n node) (outcomes, string, error) {
	if function == "answered" {
		version, err := c.answer(n)
		return withVersion(version), "version " + version, err
	}
	check, ok := n.(*name)
	if !ok || check.token.kind != stringToken {
		hint := "write " + loadFunctionUse(function)
		if ok && slices.Contains(c.scope.Checks, check.token.text) {
			hint = fmt.Sprintf("write %s(%q)", function, check.token.text)
		}
		return nil, "", &Error{Offset: n.at().start, Message: fmt.Sprintf("%s is no check: its name stands in quotes", c.source.textOf(n)), Hint: hint}
	}
	if !slices.Contains(c.scope.Checks, check.token.text) {
		err := unknown(check.token, "check", c.scope.Checks)
		if len(c.scope.Checks) == 0 {
			err.Hint = "list checks: beside load, each with a text of its answers"
		}
		return nil, "", err
	}
	return withCheck(check.token.text), "check " + check.token.text, nil
}

// answer compiles the name of a version that the answers of a cohort can show.
func (c *compiler) answer(n node) (string, error) {
	if len(c.scope.Answers) == 0 {
		return "", &Error{Offset: n.at().start, Message: "nothing says which version an answer is from", Hint: "list versions: beside load, each with a text of its answers"}
	}
	return c.nameOf(n, "version", c.scope.Answers)
}
