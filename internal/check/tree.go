package check

// node is a part of a parsed line. There is one type for each form of the
// grammar, and nothing of the meaning is known to it.
type node interface {
	at() *place
}

// place is where a node stands. Its own brackets are outside of its text, those
// of its parts inside: of (a - b) / 2 the left part is a - b, and the whole
// begins with the bracket.
type place struct {
	start, end           int // bytes
	outerStart, outerEnd int // with its own brackets
}

func (p *place) at() *place { return p }

// bracketed says whether the node stands in brackets of its own.
func (p *place) bracketed() bool { return p.outerStart < p.start }

// from is the place of a node that begins with a and ends with b.
func from(a, b int) place { return place{start: a, end: b, outerStart: a, outerEnd: b} }

type (
	// literal is 5, 6s or 12.5%.
	literal struct {
		place
		token token
	}
	// name is a word, or a name in quotes.
	name struct {
		place
		token token
	}
	// field is OF.NAME.
	field struct {
		place
		of   node
		name token
	}
	// index is OF[KEY].
	index struct {
		place
		of, key node
	}
	// call is NAME(ARGS) or OF.NAME(ARGS).
	call struct {
		place
		of   node // nil: a function that stands alone
		name token
		args []node
	}
	// minus is -OPERAND.
	minus struct {
		place
		operand node
	}
	// not is !OPERAND.
	not struct {
		place
		operand node
	}
	// arithmetic is LEFT + RIGHT, or the same with - * /.
	arithmetic struct {
		place
		operator    token
		left, right node
	}
	// comparison is LEFT < RIGHT, or the same with <= > >= == !=.
	comparison struct {
		place
		operator    token
		left, right node
	}
	// chain is LOW <= MIDDLE <= HIGH, in either direction.
	chain struct {
		place
		first, second     token
		low, middle, high node
	}
	// logic is A && B && C, or the same with ||.
	logic struct {
		place
		operator token
		operands []node
	}
)

// parts returns the operands of the && at the top, or the whole.
func parts(n node) []node {
	all, ok := n.(*logic)
	if !ok || all.operator.text != "&&" {
		return []node{n}
	}
	var list []node
	for _, operand := range all.operands {
		list = append(list, parts(operand)...)
	}
	return list
}
