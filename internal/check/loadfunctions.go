package check

import (
	"fmt"
	"slices"

	"github.com/meshchaos/meshchaos/internal/plural"
	"github.com/meshchaos/meshchaos/loadgen"
)

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
