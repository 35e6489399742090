package check

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
)

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
