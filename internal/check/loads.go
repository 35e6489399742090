package check

import (
	"fmt"
	"slices"

	"cel.dev/cel-go/common/ast"

	"github.com/meshchaos/meshchaos/internal/nearest"
	"github.com/meshchaos/meshchaos/report"
)

// isCohort says whether a token names a cohort.
func (c *compiler) isCohort(t token) bool {
	return t.kind == wordToken && slices.Contains(c.scope.Cohorts, t.text)
}

// load compiles the name of a cohort, in a window or not.
func (c *compiler) load(e ast.Expr) (Load, error) {
	window, name := report.During, c.source.name(e)
	switch {
	case e.Kind() == ast.SelectKind && c.isWindow(e.AsSelect().Operand()):
		window = c.source.name(e.AsSelect().Operand()).text
	case e.Kind() != ast.IdentKind || name.kind != wordToken:
		return Load{}, c.notLoad(e)
	case slices.Contains(c.scope.Services, name.text):
		return Load{}, &Error{Offset: name.start, Message: fmt.Sprintf("%s is a service, not a load", name.text), Hint: fmt.Sprintf("write requests(%s), faults(%s) or the like", name.text, name.text)}
	}
	if !c.isCohort(name) {
		return Load{}, unknown(name, "load", c.scope.Cohorts)
	}
	l := Load{Window: window, Cohort: name.text}
	c.useLoad(l)
	return l, nil
}

// notLoad is the error of what is no load, such as the field of one.
func (c *compiler) notLoad(e ast.Expr) error {
	err := &Error{Offset: c.source.startOf(e), Message: shown(c.source.textOf(e)) + " is no load", Hint: "there are " + quoted(c.scope.Cohorts)}
	if e.Kind() != ast.SelectKind || e.AsSelect().Operand().Kind() != ast.IdentKind {
		return err
	}
	windows := []string{report.Baseline, report.Recovery}
	switch window := c.source.name(e.AsSelect().Operand()).text; {
	case window == report.During:
		err.Hint = "a load's name without a window means during"
	case nearest.Word(window, windows) != "":
		err.Hint = nearest.Hint(window, windows)
	}
	return err
}

// isWindow says whether e is baseline or recovery.
func (c *compiler) isWindow(e ast.Expr) bool {
	if e.Kind() != ast.IdentKind {
		return false
	}
	name := c.source.name(e)
	return name.kind == wordToken && (name.text == report.Baseline || name.text == report.Recovery)
}

// field compiles jason.p50 and its like.
func (c *compiler) field(e ast.Expr) (term, error) {
	operand, name := e.AsSelect().Operand(), c.source.name(e)
	if c.isWindow(operand) {
		l, err := c.load(e)
		if err != nil {
			return term{}, err
		}
		text := l.Window + "." + l.Cohort
		return term{}, &Error{Offset: name.start, Message: text + " is a load, not a quantity", Hint: "write " + text + ".p50 or the like"}
	}
	service := operand.Kind() == ast.SelectKind && c.source.name(operand).text == "service" && !c.isWindow(operand.AsSelect().Operand())
	if service {
		operand = operand.AsSelect().Operand()
	}
	l, err := c.load(operand)
	if err != nil {
		return term{}, err
	}
	return c.loadField(l, service, name)
}

// loadField compiles a field of a load, or of its service time.
func (c *compiler) loadField(l Load, service bool, name token) (term, error) {
	var known []string
	for _, t := range timings() {
		if t.name == name.text {
			return term{kind: duration, eval: ofLoad(l, timed(t, service))}, nil
		}
		known = append(known, t.name)
	}
	if service {
		return term{}, unknown(name, "service time", known)
	}
	switch name.text {
	case "sent":
		return term{kind: number, eval: ofLoad(l, counted(everything, false))}, nil
	case "errors":
		return term{kind: number, eval: ofLoad(l, counted(transport, false))}, nil
	case "qps":
		return term{kind: number, eval: ofLoad(l, perSecond)}, nil
	case "status":
		return term{}, &Error{Offset: name.start, Message: "status needs a code", Hint: "write status[503]"}
	case "service":
		return term{}, &Error{Offset: name.start, Message: "service is no quantity", Hint: "write service.p50 or the like"}
	}
	if slices.Contains(loadFunctions(), name.text) {
		return term{}, &Error{Offset: name.start, Message: name.text + " needs to be told of what", Hint: "write " + loadFunctionUse(name.text)}
	}
	known = append(append(known, "sent", "errors", "qps", "service", "status"), loadFunctions()...)
	return term{}, unknown(name, "quantity of a load", known)
}

// status compiles jason.status[503].
func (c *compiler) status(e ast.Expr) (term, error) {
	operand, index := e.AsCall().Args()[0], e.AsCall().Args()[1]
	if operand.Kind() != ast.SelectKind || c.source.name(operand).text != "status" || c.isWindow(operand.AsSelect().Operand()) {
		return term{}, &Error{Offset: c.source.startOf(e), Message: "only the status of a load is indexed", Hint: "write jason.status[503]"}
	}
	l, err := c.load(operand.AsSelect().Operand())
	if err != nil {
		return term{}, err
	}
	code, err := c.statusCode(index)
	if err != nil {
		return term{}, err
	}
	read := ofLoad(l, counted(withStatus(code), true))
	return term{kind: number, eval: func(w Windows) value {
		v := read(w)
		v.label = fmt.Sprint(code)
		return v
	}}, nil
}

// statusCode compiles the code of an HTTP status.
func (c *compiler) statusCode(e ast.Expr) (int, error) {
	t := c.source.name(e)
	whole := e.Kind() == ast.IdentKind && t.kind == literalToken && t.unit == number && t.amount.IsInt() && t.amount.Num().IsInt64()
	if !whole || t.amount.Num().Int64() < 100 || t.amount.Num().Int64() > 599 {
		return 0, &Error{Offset: c.source.startOf(e), Message: shown(c.source.textOf(e)) + " is no HTTP status", Hint: "write a code from 100 to 599"}
	}
	return int(t.amount.Num().Int64()), nil
}

// loadFunctionUse says how a function of a load is written.
func loadFunctionUse(name string) string {
	switch name {
	case "share":
		return `share("CHECK") or share(503)`
	case "count":
		return `count("CHECK")`
	default:
		return "answered(VERSION)"
	}
}

// loadFunction compiles jason.share("check"), jason.share(503),
// jason.count("check") and jason.answered(v2).
func (c *compiler) loadFunction(e ast.Expr) (term, error) {
	call, name := e.AsCall(), c.source.name(e)
	if !slices.Contains(loadFunctions(), name.text) {
		return term{}, c.noLoadFunction(e)
	}
	l, err := c.load(call.Target())
	if err != nil {
		return term{}, err
	}
	if len(call.Args()) != 1 {
		return term{}, &Error{Offset: name.start, Message: fmt.Sprintf("%s has %d arguments and takes one", name.text, len(call.Args())), Hint: "write " + loadFunctionUse(name.text)}
	}
	arg := call.Args()[0]
	if name.text == "share" && arg.Kind() == ast.IdentKind && c.source.name(arg).kind == literalToken {
		code, err := c.statusCode(arg)
		return term{kind: share, eval: shareOf(l, withStatus(code), true)}, err
	}
	chosen, err := c.chosen(name.text, arg)
	if err != nil {
		return term{}, err
	}
	if name.text == "share" {
		return term{kind: share, eval: shareOf(l, chosen, false)}, nil
	}
	return term{kind: number, eval: ofLoad(l, counted(chosen, false))}, nil
}

// loadFunctions returns the names of the functions of a load.
func loadFunctions() []string { return []string{"share", "count", "answered"} }

// noLoadFunction is the error of a function that a load does not have.
func (c *compiler) noLoadFunction(e ast.Expr) error {
	name := c.source.name(e)
	proxies := slices.ContainsFunc(quantityFunctions(), func(f quantityFunction) bool { return f.name == name.text })
	switch {
	case proxies:
		return &Error{Offset: c.source.startOf(e), Message: name.text + " is counted by proxies, in the window in which the rule is in force", Hint: "write " + name.text + "(SERVICE)"}
	case c.source.isSplit(e):
		return &Error{Offset: c.source.startOf(e), Message: "a split is true or false, not a quantity", Hint: "let it stand alone or between && and ||"}
	case name.text == "status":
		return &Error{Offset: name.start, Message: "status is no function", Hint: "write status[503]"}
	}
	return unknown(name, "function of a load", loadFunctions())
}

// chosen compiles the argument of a function of a load.
func (c *compiler) chosen(function string, e ast.Expr) (outcomes, error) {
	if function == "answered" {
		version, err := c.nameOf(e, "version", c.scope.Versions)
		return withVersion(version), err
	}
	t := c.source.name(e)
	if e.Kind() != ast.IdentKind || t.kind != stringToken {
		hint := "write " + loadFunctionUse(function)
		if t.kind == wordToken && slices.Contains(c.scope.Checks, t.text) {
			hint = fmt.Sprintf("write %s(%q)", function, t.text)
		}
		return nil, &Error{Offset: c.source.startOf(e), Message: fmt.Sprintf("%s is no check: its name stands in quotes", c.source.textOf(e)), Hint: hint}
	}
	if !slices.Contains(c.scope.Checks, t.text) {
		return nil, unknown(t, "check", c.scope.Checks)
	}
	return withCheck(t.text), nil
}
