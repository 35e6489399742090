package check

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/internal/nearest"
	"github.com/meshchaos/meshchaos/internal/plural"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// isCohort says whether a token names a cohort.
func (c *compiler) isCohort(t token) bool {
	return t.kind == wordToken && slices.Contains(c.scope.Cohorts, t.text)
}

// load compiles the name of a cohort, or of one of its requests, in a window or not.
func (c *compiler) load(n node) (Load, error) {
	l, is, err := c.requestOf(n)
	if err == nil && is {
		c.useLoad(l)
	}
	if err != nil || is {
		return l, err
	}
	if l, err = c.cohort(n); err == nil {
		c.useLoad(l)
	}
	return l, err
}

// cohort compiles the name of a cohort.
func (c *compiler) cohort(n node) (Load, error) {
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
	case !c.isCohort(t) && c.scope.Alone != "" && window != report.During:
		return Load{}, &Error{Offset: n.at().start, Message: "there is no " + window, Hint: "a load by itself is driven once, and under no rule: write p50 < 1s or the like"}
	case !c.isCohort(t) && c.scope.Alone != "":
		return Load{}, c.needsNoName(t)
	case !c.isCohort(t):
		return Load{}, unknown(t, "load", c.scope.Cohorts)
	}
	return Load{Window: window, Cohort: t.text}, nil
}

// needsNoName is the error of a name before a quantity of the only load there is, or before
// what is none.
func (c *compiler) needsNoName(t token) error {
	err := &Error{Offset: t.start, Message: "unknown load " + shown(t.text), Hint: "there is one, which needs no name: write p50 < 1s or the like"}
	of, _ := strings.CutPrefix(c.source.text[t.end:], ".")
	if of = fieldName.FindString(of); of != "" && !slices.Contains(quantitiesOfLoad(), of) {
		err.Hint = "there is one, which needs no name; " + asksOfLoad(of)
	}
	return err
}

// fieldName is the name with which a text begins.
var fieldName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*`)

// asksOfLoad names what was likely meant of the only load there is, or all that it can be
// asked for.
func asksOfLoad(typed string) string {
	words := slices.DeleteFunc(quantitiesOfLoad(), func(word string) bool { return word == "count" || word == "answered" }) // of answers, into which nobody looks
	if meant := nearest.Word(typed, words); meant != "" {
		return "did you mean " + meant + "?"
	}
	return "it is asked for " + strings.Join(words, ", ") + ", as in share(503) < 1%, status[200] == sent or service.p99 < 1s"
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
	if requests := c.scope.Requests[of.token.text]; c.isCohort(of.token) && len(requests) > 0 {
		err.Message, err.Hint = shown(c.source.textOf(n))+" is no load, and no request of one", nearest.Hint(member.name.text, requests)
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

// standsAlone says whether a node is a word that is of the only load there is.
func (c *compiler) standsAlone(n node) bool {
	word, ok := n.(*name)
	return ok && c.scope.Alone != "" && word.token.kind == wordToken && !c.isCohort(word.token)
}

// alone is the load that need not be named.
func (c *compiler) alone() Load {
	l := Load{Window: report.During, Cohort: c.scope.Alone}
	c.useLoad(l)
	return l
}

// field compiles jason.p50 and its like.
func (c *compiler) field(n *field) (term, error) {
	if word, ok := n.of.(*name); ok && word.token.text == "service" && c.standsAlone(word) {
		return c.loadField(c.alone(), true, n.name)
	}
	if windowOf(n.of) != "" {
		l, err := c.load(n)
		if err != nil {
			return term{}, err
		}
		text := l.Window + "." + l.Cohort
		return term{}, &Error{Offset: n.name.start, Message: text + " is a load, not a quantity", Hint: "write " + text + ".p50 or the like"}
	}
	if l, is, _ := c.requestOf(n); is {
		return term{}, &Error{Offset: n.name.start, Message: wordLoad(l) + " is a request of a load, not a quantity", Hint: "write " + wordLoad(l) + ".p50 or the like"}
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
		if l.Request != "" {
			return term{}, &Error{Offset: name.start, Message: "all requests of a list go over the same connections", Hint: "write " + wordLoad(l.whole()) + ".connections"}
		}
		return term{kind: number, form: c.connections(l), eval: ofLoad(l, connections)}, nil
	case "qps":
		return term{kind: number, form: c.rate(l), eval: ofLoad(l, ofAnswers(perSecond))}, nil
	case "status":
		return term{}, &Error{Offset: name.start, Message: "status needs a code", Hint: "write status[503]"}
	case "grpc":
		return term{}, &Error{Offset: name.start, Message: "grpc needs a code", Hint: "write grpc[UNAVAILABLE]"}
	case "service":
		return term{}, &Error{Offset: name.start, Message: "service is no quantity", Hint: "write service.p50 or the like"}
	}
	if slices.Contains(loadFunctions(), name.text) {
		return term{}, &Error{Offset: name.start, Message: name.text + " needs to be told of what", Hint: "write " + loadFunctionUse(name.text)}
	}
	known = append(append(known, "sent", "errors", "connections", "qps", "service", "status", "grpc"), loadFunctions()...)
	return term{}, c.unknownField(l, name, known)
}

// time returns a statistic of response time, or of service time. No request is late
// by more than all the others take together.
func (c *compiler) time(l Load, name string, service bool) linear {
	const mostOthers = 10_000_000 // so that no sum of times is too large
	longest := c.scope.Longest[l.Cohort]
	if service {
		return c.seen.time(l, services, name, c.sizeOf(l), longest.Service)
	}
	all := c.sizeOf(l.whole())
	if number := max(all.made, all.most); longest.Response == 0 && 0 < number && number < mostOthers {
		longest.Response = time.Duration(number) * longest.Service
	}
	return c.seen.time(l, responses, name, c.sizeOf(l), longest.Response)
}

// rate returns how many requests a second a load sent, or how many of one of its requests.
func (c *compiler) rate(l Load) linear {
	if l.Request == "" {
		return c.seen.rate(l, c.scope.Bounds[l], c.sizeOf(l))
	}
	own, whole := c.seen.rate(l, Bounds{}, c.sizeOf(l)), c.rate(l.whole())
	c.seen.limit(own, inequality{linear: whole.minus(own)})
	return own
}

// count returns how many requests of a load, or all, had some outcome.
func (c *compiler) count(l Load, part string) linear {
	return c.partOf(l, c.seen.count(l, part, c.sizeOf(l)), part)
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

// indexed compiles jason.status[503] and jason.grpc[UNAVAILABLE].
func (c *compiler) indexed(n *index) (term, error) {
	l, of, err := c.indexedLoad(n)
	if err != nil {
		return term{}, err
	}
	if of == "grpc" {
		return c.grpc(l, n.key)
	}
	return c.status(l, n.key)
}

// grpc compiles the code in jason.grpc[UNAVAILABLE].
func (c *compiler) grpc(l Load, key node) (term, error) {
	code, err := c.grpcCode(key)
	if err != nil {
		return term{}, err
	}
	if err := c.endsBy(l, true, key.at().start); err != nil {
		return term{}, err
	}
	c.speak(l, withCode(code))
	read := ofLoad(l, ofCodes(counted(withCode(code))))
	return term{kind: number, form: c.count(l, codePart(code)), eval: func(w Windows) value {
		v := read(w)
		v.label = code
		return v
	}}, nil
}

// endsBy refuses a code of gRPC of a load that makes no calls, and a status of one that
// does: neither could ever be judged.
func (c *compiler) endsBy(l Load, code bool, at int) error {
	bounds, known := c.scope.Bounds[l.whole()]
	switch {
	case known && bounds.Calls && !code:
		return &Error{Offset: at, Message: wordLoad(l.whole()) + " makes calls of gRPC, which end by a code and have no status", Hint: "write grpc[UNAVAILABLE], or share(UNAVAILABLE)"}
	case known && !bounds.Calls && code:
		return &Error{Offset: at, Message: wordLoad(l.whole()) + " makes no calls of gRPC, and its requests end by no code", Hint: "write status[503], or share(503)"}
	}
	return nil
}

// grpcCode compiles the name of a code of gRPC.
func (c *compiler) grpcCode(n node) (string, error) {
	named, ok := n.(*name)
	if !ok || named.token.kind != wordToken {
		return "", &Error{Offset: n.at().start, Message: shown(c.source.textOf(n)) + " is no code of gRPC", Hint: "write its name, as in grpc[UNAVAILABLE]"}
	}
	if !slices.Contains(loadgen.Codes(), named.token.text) {
		return "", unknown(named.token, "code of gRPC", loadgen.Codes())
	}
	return named.token.text, nil
}

// codePart names the calls that ended by a code.
func codePart(code string) string { return "code " + code }

// status compiles the code in jason.status[503].
func (c *compiler) status(l Load, key node) (term, error) {
	code, err := c.statusCode(key)
	if err != nil {
		return term{}, err
	}
	if err := c.endsBy(l, false, key.at().start); err != nil {
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

// indexedLoad is the load that an index is of, and whether of its status or grpc.
func (c *compiler) indexedLoad(n *index) (l Load, of string, err error) {
	indexed := func(t token) bool { return t.text == "status" || t.text == "grpc" }
	if word, ok := n.of.(*name); ok && indexed(word.token) && c.standsAlone(word) {
		return c.alone(), word.token.text, nil
	}
	member, ok := n.of.(*field)
	if !ok || !indexed(member.name) || windowOf(member.of) != "" {
		return Load{}, "", &Error{Offset: n.start, Message: "only the status or the code of a load is indexed", Hint: fmt.Sprintf("write %[1]s.status[503], or %[1]s.grpc[UNAVAILABLE]", c.anyLoad())}
	}
	l, err = c.load(member.of)
	return l, member.name.text, err
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
	case "grpc":
		return "grpc[UNAVAILABLE]"
	default:
		return "answered(VERSION)"
	}
}

// loadFunction compiles jason.share("check"), jason.share(503), jason.share(UNAVAILABLE),
// jason.count("check") and jason.answered(v2).
func (c *compiler) loadFunction(n *call) (term, error) {
	function := n.name.text
	if !slices.Contains(loadFunctions(), function) {
		return term{}, c.noLoadFunction(n)
	}
	l, err := c.calledOf(n)
	if err != nil {
		return term{}, err
	}
	if len(n.args) != 1 {
		return term{}, &Error{Offset: n.name.start, Message: fmt.Sprintf("%s has %s and takes one", function, plural.Of(len(n.args), "argument")), Hint: "write " + loadFunctionUse(function)}
	}
	if _, isLiteral := n.args[0].(*literal); isLiteral && function == "share" {
		code, err := c.statusCode(n.args[0])
		if err == nil {
			err = c.endsBy(l, false, n.args[0].at().start)
		}
		c.speak(l, withStatus(code))
		return term{kind: share, form: c.share(l, statusPart(code)), eval: shareOf(l, ofStatuses(counted(withStatus(code))))}, err
	}
	if named, isName := n.args[0].(*name); isName && function == "share" && named.token.kind == wordToken && slices.Contains(loadgen.Codes(), named.token.text) {
		code := named.token.text
		if err := c.endsBy(l, true, named.token.start); err != nil {
			return term{}, err
		}
		c.speak(l, withCode(code))
		return term{kind: share, form: c.share(l, codePart(code)), eval: shareOf(l, ofCodes(counted(withCode(code))))}, nil
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

// calledOf is the load that a function is of.
func (c *compiler) calledOf(n *call) (Load, error) {
	if n.of == nil {
		return c.alone(), nil
	}
	return c.load(n.of)
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
	case name.text == "grpc":
		return &Error{Offset: name.start, Message: "grpc is no function", Hint: "write grpc[UNAVAILABLE]"}
	}
	return unknown(name, "function of a load", loadFunctions())
}

// statusPart names the answers with a status.
func statusPart(code int) string { return fmt.Sprintf("status %d", code) }

// failurePart says whether a part names answers that are failures, by their status or
// code.
func failurePart(part string) bool {
	if code, is := strings.CutPrefix(part, "code "); is {
		return loadgen.Outcome{GRPC: code}.Failed()
	}
	code, is := statusOf(part)
	return is && (loadgen.Outcome{Status: code}).Failed()
}

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
