package check

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"
)

// nameOf compiles the name of a service or version, in quotes or without. Of
// what is not known, any name is taken.
func (c *compiler) nameOf(e ast.Expr, what string, known []string) (string, error) {
	t := c.source.name(e)
	if e.Kind() != ast.IdentKind || t.kind == literalToken || t.text == "" {
		return "", &Error{Offset: c.source.startOf(e), Message: fmt.Sprintf("%s is no %s", c.source.textOf(e), what), Hint: "if it is one, write it in quotes"}
	}
	if len(known) > 0 && !slices.Contains(known, t.text) {
		return "", unknown(t, what, known)
	}
	return t.text, nil
}

// proxyFunction compiles requests(reviews, v2) and its like.
func (c *compiler) proxyFunction(e ast.Expr) (term, error) {
	call, name := e.AsCall(), c.source.name(e)
	var names []string
	for _, f := range quantityFunctions() {
		if f.name == name.text {
			need, err := c.quantity(f, call.Args(), name)
			if err != nil {
				return term{}, err
			}
			return term{kind: number, eval: ofProxies(need)}, nil
		}
		names = append(names, f.name)
	}
	switch name.text {
	case "split":
		return term{}, &Error{Offset: name.start, Message: "split is true or false of given shares", Hint: "write split(reviews).is(v1 == 90%, v2 == 10%)"}
	case "not":
		return term{}, &Error{Offset: name.start, Message: `unknown function "not"`, Hint: "write !"}
	case "within", "between":
		return term{}, &Error{Offset: name.start, Message: "unknown function " + shown(name.text), Hint: "write a range as lo <= x <= hi"}
	}
	return term{}, unknown(name, "function", append(names, "split"))
}

// quantity compiles the arguments of a quantity of proxies.
func (c *compiler) quantity(f quantityFunction, args []ast.Expr, name token) (Need, error) {
	most, use := 1, f.name+"(SERVICE)"
	if f.versioned {
		most, use = 2, use+" or "+f.name+"(SERVICE, VERSION)"
	}
	if len(args) < 1 || len(args) > most {
		return Need{}, &Error{Offset: name.start, Message: fmt.Sprintf("%s has %d arguments", f.name, len(args)), Hint: "write " + use}
	}
	service, err := c.nameOf(args[0], "service", c.scope.Services)
	if err != nil {
		return Need{}, err
	}
	need := Need{Function: f.name, Args: []string{service}}
	if len(args) == 2 {
		version, err := c.nameOf(args[1], "version", c.scope.Versions)
		if err != nil {
			return Need{}, err
		}
		need.Args = append(need.Args, version)
	}
	c.need(need)
	return need, nil
}

// text returns the quantity as it is written in a line.
func (n Need) text() string {
	return n.Function + "(" + strings.Join(n.Args, ", ") + ")"
}
