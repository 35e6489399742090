package check

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// printed writes a tree with brackets around every operand, so that nothing is
// left to how tightly operators bind.
func printed(n node) string {
	list := func(nodes []node, between string) string {
		var texts []string
		for _, n := range nodes {
			texts = append(texts, "("+printed(n)+")")
		}
		return strings.Join(texts, between)
	}
	written := func(t token) string {
		if t.kind == stringToken {
			return `"` + t.text + `"`
		}
		return t.text
	}
	switch n := n.(type) {
	case *literal:
		return written(n.token)
	case *name:
		return written(n.token)
	case *field:
		return printed(n.of) + "." + n.name.text
	case *index:
		return printed(n.of) + "[" + printed(n.key) + "]"
	case *call:
		text := n.name.text + "(" + list(n.args, ",") + ")"
		if n.of != nil {
			text = printed(n.of) + "." + text
		}
		return text
	case *minus:
		return "-(" + printed(n.operand) + ")"
	case *not:
		return "!(" + printed(n.operand) + ")"
	case *arithmetic:
		return list([]node{n.left, n.right}, " "+n.operator.text+" ")
	case *comparison:
		return list([]node{n.left, n.right}, " "+n.operator.text+" ")
	case *chain:
		return "(" + printed(n.low) + ")" + n.first.text + "(" + printed(n.middle) + ")" + n.second.text + "(" + printed(n.high) + ")"
	case *logic:
		return list(n.operands, " "+n.operator.text+" ")
	default:
		panic("a form that is not printed")
	}
}

// withoutPlaces compares trees by their forms and texts alone.
func withoutPlaces() cmp.Options {
	return cmp.Options{
		cmpopts.IgnoreTypes(place{}),
		cmp.AllowUnexported(literal{}, name{}, field{}, index{}, call{}, minus{}, not{}, arithmetic{}, comparison{}, chain{}, logic{}, token{}),
		cmpopts.IgnoreFields(token{}, "start", "end", "amount"),
	}
}

func TestOperatorsBindAsInMathematics(t *testing.T) {
	for line, want := range map[string]string{
		"a + b * c - d":            "((a) + ((b) * (c))) - (d)",
		"a / b / c":                "((a) / (b)) / (c)",
		"-a.b * c":                 "(-(a.b)) * (c)",
		"!a < b":                   "(!(a)) < (b)",
		"a || b && c || d":         "(a) || ((b) && (c)) || (d)",
		"(a || b) || c":            "((a) || (b)) || (c)",
		"a < b == c":               "",
		"1 <= a + b < 5":           "(1)<=((a) + (b))<(5)",
		"5 > a >= 1":               "(5)>(a)>=(1)",
		"(1 <= a) <= 5":            "((1) <= (a)) <= (5)",
		"a.b(c, d).e[f + 1]":       "a.b((c),(d)).e[(f) + (1)]",
		"f()":                      "f()",
		"baseline.tcp-echo.p50-5s": "(baseline.tcp-echo.p50) - (5s)",
		"a-b - c-d":                "(a-b) - (c-d)",
	} {
		got, err := parse(line)
		if err != nil {
			if want != "" {
				t.Errorf("%s: %v", line, err)
			}
			continue
		}
		if text := printed(got.tree); text != want {
			t.Errorf("%s is read as %s, not as %s", line, text, want)
		}
	}
}

// trees draws a tree of any form.
func trees(depth int) *rapid.Generator[node] {
	leaf := rapid.Custom(func(t *rapid.T) node {
		text := rapid.SampledFrom([]string{"jason", "tcp-echo", "v1", `"a b"`, "6s", "12.5%", "0.25", "1m30s", "not", "is"}).Draw(t, "leaf")
		tokens, err := lex(text)
		if err != nil {
			t.Fatal(err)
		}
		if tokens[0].kind == literalToken {
			return &literal{token: tokens[0]}
		}
		return &name{token: tokens[0]}
	})
	if depth == 0 {
		return leaf
	}
	return rapid.OneOf(leaf, rapid.Custom(func(t *rapid.T) node {
		part := func() node { return trees(depth-1).Draw(t, "part") }
		operator := func(texts ...string) token {
			return token{kind: symbolToken, text: rapid.SampledFrom(texts).Draw(t, "operator")}
		}
		word := func() token {
			return token{kind: wordToken, text: rapid.SampledFrom([]string{"p50", "share", "in_", "x1"}).Draw(t, "word")}
		}
		switch rapid.IntRange(0, 8).Draw(t, "form") {
		case 0:
			return &field{of: &name{token: word()}, name: word()}
		case 1:
			return &index{of: &field{of: &name{token: word()}, name: word()}, key: part()}
		case 2:
			return &call{name: word(), args: rapid.SliceOfN(trees(depth-1), 0, 3).Draw(t, "args")}
		case 3:
			return &call{of: &name{token: word()}, name: word(), args: []node{part()}}
		case 4:
			return &minus{operand: part()}
		case 5:
			return &not{operand: part()}
		case 6:
			return &comparison{operator: operator("<", "<=", ">", ">=", "==", "!="), left: part(), right: part()}
		case 7:
			if rapid.Bool().Draw(t, "down") {
				return &chain{first: operator(">", ">="), second: operator(">", ">="), low: part(), middle: part(), high: part()}
			}
			return &chain{first: operator("<", "<="), second: operator("<", "<="), low: part(), middle: part(), high: part()}
		default:
			if rapid.Bool().Draw(t, "logic") {
				return &logic{operator: operator("&&", "||"), operands: rapid.SliceOfN(trees(depth-1), 2, 4).Draw(t, "operands")}
			}
			return &arithmetic{operator: operator("+", "-", "*", "/"), left: part(), right: part()}
		}
	}))
}

func TestATreeThatIsPrintedReadsAsItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := trees(3).Draw(t, "tree")
		line := printed(want)
		got, err := parse(line)
		if err != nil {
			if wrong := new(Error); errors.As(err, &wrong) && strings.Contains(wrong.Message, "at most") {
				t.Skip("longer than a line may be")
			}
			t.Fatalf("%s: %v", line, err)
		}
		if diff := cmp.Diff(want, got.tree, withoutPlaces(), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
	})
}

func TestAPartIsShownWithoutItsOwnBracketsAndWithThoseOfItsParts(t *testing.T) {
	e := mustCompile(t, "((jason.p50 < 7s)) && ((jason.sent - 1) / (2) > 0.5 || (others.p50 < 1s))")
	var texts []string
	for _, row := range e.Judge(observed()) {
		texts = append(texts, row.Expression)
	}
	if diff := cmp.Diff([]string{"jason.p50 < 7s", "(jason.sent - 1) / (2) > 0.5 || (others.p50 < 1s)"}, texts); diff != "" {
		t.Error(diff)
	}
}

func TestTheLimitsOfALineHold(t *testing.T) {
	long := "1" + strings.Repeat("+1", 260) + " < jason.sent"
	for line, want := range map[string]struct {
		offset  int
		message string
	}{
		strings.Repeat("(", 40) + "jason.p50": {maxDepth, "too deeply nested: at most 32 levels"},
		strings.Repeat("!", 40) + "jason.p50": {maxDepth, "too deeply nested"},
		strings.Repeat("a[", 40) + "jason":    {2 * maxDepth, "too deeply nested"},
		strings.Repeat("f(", 40) + "jason":    {2 * maxDepth, "too deeply nested"},
		long:                                  {maxNodes, "more than 500 parts"},
	} {
		var wrong *Error
		if _, err := Compile(shop(), line); !errors.As(err, &wrong) || !strings.Contains(wrong.Message, want.message) || wrong.Offset != want.offset {
			t.Errorf("%s: %#v", line, err)
		}
	}
	if _, err := Compile(shop(), strings.Repeat("(", 30)+"jason.p50"+strings.Repeat(")", 30)+" < 1s"); err != nil {
		t.Errorf("thirty brackets: %v", err)
	}
}
