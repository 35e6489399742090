package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/plural"
	"github.com/meshchaos/meshchaos/report"
)

// nameOf compiles the name of a service or version, in quotes or without. Of
// what is not known, any name is taken.
func (c *compiler) nameOf(n node, what string, known []string) (string, error) {
	t := tokenOf(n)
	if t.text == "" {
		return "", &Error{Offset: n.at().start, Message: fmt.Sprintf("%s is no %s", c.source.textOf(n), what), Hint: "if it is one, write it in quotes"}
	}
	if len(known) > 0 && !slices.Contains(known, t.text) {
		return "", unknown(t, what, known)
	}
	return t.text, nil
}

// tokenOf is the token of a name: of reviews.shop, a service of the namespace shop, that
// of both words. It has no text if the node is something else.
func tokenOf(n node) token {
	switch n := n.(type) {
	case *name:
		return n.token
	case *field:
		if of, ok := n.of.(*name); ok && of.token.kind == wordToken {
			return token{kind: wordToken, start: of.token.start, end: n.name.end, text: of.token.text + "." + n.name.text}
		}
	}
	return token{}
}

// proxyFunction compiles requests(reviews, v2) and its like.
func (c *compiler) proxyFunction(n *call) (term, error) {
	name := n.name
	var names []string
	for _, f := range c.scope.Functions {
		if f.Name == name.text {
			if err := c.notMeanwhile(n); err != nil {
				return term{}, err
			}
			need, err := c.quantity(f, n.args, name)
			if err != nil {
				return term{}, err
			}
			return term{kind: number, form: c.counter(need), eval: ofProxies(need)}, nil
		}
		names = append(names, f.Name)
	}
	if text := name.text; text == "status" || slices.Contains(loadFunctions(), text) {
		return term{}, &Error{Offset: name.start, Message: text + " is of a load, and none stands before it", Hint: "write " + c.withLoad(text, n.args)}
	}
	switch name.text {
	case "split":
		return term{}, &Error{Offset: name.start, Message: "split is true or false of given shares", Hint: "write split(reviews).is(v1 == 90%, v2 == 10%)"}
	case "not":
		return term{}, &Error{Offset: name.start, Message: `unknown function "not"`, Hint: "write !"}
	case "within", "between":
		return term{}, &Error{Offset: name.start, Message: "unknown function " + shown(name.text), Hint: "write a range as lo <= x <= hi"}
	}
	if c.scope.Alone != "" {
		return term{}, &Error{Offset: name.start, Message: "unknown function " + shown(name.text), Hint: "there is one load, without a mesh whose proxies count; " + asksOfLoad(name.text)}
	}
	return term{}, unknown(name, "function", append(names, "split"))
}

// withLoad writes a function out with a load before it.
func (c *compiler) withLoad(function string, args []node) string {
	of := c.anyLoad() + "."
	if len(args) != 1 {
		return of + loadFunctionUse(function)
	}
	arg := c.source.textOf(args[0])
	if function == "status" || function == "grpc" {
		return of + function + "[" + arg + "]"
	}
	return of + function + "(" + arg + ")"
}

// anyLoad is the name of a load for an example.
func (c *compiler) anyLoad() string {
	if len(c.scope.Cohorts) > 0 {
		return c.scope.Cohorts[0]
	}
	return "jason"
}

// counter is what the proxies counted. No endpoint is ahead of another by more
// requests than there were.
func (c *compiler) counter(n Need) linear {
	counted := c.seen.counter(n, c.scope.seen.most(n))
	if n.Function == report.Imbalance {
		all := Need{Function: report.Requests, Args: n.Args}
		c.seen.limit(counted, inequality{linear: c.seen.counter(all, c.scope.seen.most(all)).minus(counted)})
	}
	return counted
}

// isCounted says whether a function is one of what proxies counted.
func (s Scope) isCounted(name string) bool {
	return slices.ContainsFunc(s.Functions, func(f Function) bool { return f.Name == name })
}

// quantity compiles the arguments of a quantity of proxies.
func (c *compiler) quantity(f Function, args []node, name token) (Need, error) {
	most, use := 1, f.Name+"(SERVICE)"
	if f.Versioned {
		most, use = 2, use+" or "+f.Name+"(SERVICE, VERSION)"
	}
	if len(args) < 1 || len(args) > most {
		return Need{}, &Error{Offset: name.start, Message: fmt.Sprintf("%s has %s", f.Name, plural.Of(len(args), "argument")), Hint: "write " + use}
	}
	service, err := c.nameOf(args[0], "service", c.scope.Services)
	if err != nil {
		return Need{}, err
	}
	need := Need{Function: f.Name, Args: []string{service}}
	if len(args) == 2 {
		version, err := c.nameOf(args[1], "version", c.scope.Versions)
		if err != nil {
			return Need{}, err
		}
		need.Args = append(need.Args, version)
	}
	c.need(need)
	c.need(requestsOf(need))
	if f.Name == report.Imbalance {
		c.need(Need{Function: report.Requests, Args: need.Args})
	}
	return need, nil
}

// text returns the quantity as it is written in a line.
func (n Need) text() string {
	return n.Function + "(" + strings.Join(n.Args, ", ") + ")"
}
