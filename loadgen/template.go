package loadgen

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"
)

// piece is a part of a text: that, or what a name stands for.
type piece struct {
	text string
	name string // empty: it is the text
}

// piecesOf reads a text with {{.name}} in it, in the syntax of text/template, of which it
// takes nothing else than that, comments, and texts in quotes.
func piecesOf(field, text string) ([]piece, error) {
	if !strings.Contains(text, "{{") {
		return []piece{{text: text}}, nil
	}
	const hint = `write {{.name}}, or {{"{{"}} for two braces`
	trees, err := parse.Parse(field, text, "", "")
	if err != nil {
		return nil, wrong(field, "%s cannot be read as a template: %w; %s", field, err, hint)
	}
	if len(trees) > 1 {
		return nil, wrong(field, "%s defines templates, and nothing but names is filled in; %s", field, hint)
	}
	var all []piece
	for _, node := range trees[field].Root.Nodes {
		switch n := node.(type) {
		case *parse.TextNode:
			all = append(all, piece{text: string(n.Text)})
		case *parse.CommentNode:
		case *parse.ActionNode:
			p, ok := pieceOf(n)
			if !ok {
				return nil, wrong(field, "%s has %s, and nothing but names is filled in; %s", field, n, hint)
			}
			all = append(all, p)
		default:
			return nil, wrong(field, "%s has %s, and nothing but names is filled in; %s", field, n, hint)
		}
	}
	return all, nil
}

// pieceOf is what stands in braces; ok is false if that is neither a name nor a text.
func pieceOf(action *parse.ActionNode) (p piece, ok bool) {
	pipe := action.Pipe
	if len(pipe.Decl) > 0 || len(pipe.Cmds) != 1 || len(pipe.Cmds[0].Args) != 1 {
		return p, false
	}
	switch arg := pipe.Cmds[0].Args[0].(type) {
	case *parse.FieldNode:
		return piece{name: arg.Ident[0]}, len(arg.Ident) == 1
	case *parse.StringNode:
		return piece{text: arg.Text}, true
	}
	return p, false
}

// form is how a value stands in a request.
type form uint8

const (
	plain   form = iota
	inPath       // escaped, but for the slash
	inQuery      // escaped, a blank as +
)

// appendAs appends a value in its form.
func appendAs(out []byte, value string, as form) []byte {
	if as == plain {
		return append(out, value...)
	}
	const digits = "0123456789ABCDEF"
	for i := range len(value) {
		switch c := value[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-_.~", c) >= 0, c == '/' && as == inPath:
			out = append(out, c)
		case c == ' ' && as == inQuery:
			out = append(out, '+')
		default:
			out = append(out, '%', digits[c>>4], digits[c&0xf])
		}
	}
	return out
}

// gap is where a value stands in a text that is written with a stand-in for it.
type gap struct {
	field  string // where it stands in a plan
	name   string
	as     form
	inHead bool   // of a message, where not every value may stand
	mark   string // the stand-in, which every writer of a request leaves as it is
}

// gaps finds those of a request, and puts stand-ins in their places.
type gaps struct {
	marks string // what all stand-ins begin with, and nothing else has in it
	all   []gap
}

// newGaps looks for a beginning of stand-ins that none of the texts has.
func newGaps(h *HTTP) *gaps {
	texts := h.URL + "\n" + h.Body
	for name, value := range h.Header {
		texts += "\n" + name + "\n" + value
	}
	for i := 0; ; i++ {
		if marks := "gap" + strconv.Itoa(i) + "x"; !strings.Contains(texts, marks) {
			return &gaps{marks: marks}
		}
	}
}

// fill returns a text with stand-ins in the gaps.
func (g *gaps) fill(field, text string, as form, inHead bool) (string, error) {
	pieces, err := piecesOf(field, text)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for _, p := range pieces {
		if p.name == "" {
			out.WriteString(p.text)
			continue
		}
		if as == inPath && strings.Contains(out.String(), "?") {
			as = inQuery
		}
		mark := g.marks + strconv.Itoa(len(g.all)) + "x"
		g.all = append(g.all, gap{field, p.name, as, inHead, mark})
		out.WriteString(mark)
	}
	return out.String(), nil
}

// filled is a request with stand-ins in its gaps.
func filled(field string, h *HTTP) (*HTTP, []gap, error) {
	g, out := newGaps(h), *h
	var err error
	if out.URL, err = g.fill(field+"url", h.URL, inPath, true); err != nil {
		return nil, nil, err
	}
	out.Header = nil
	for _, name := range slices.Sorted(maps.Keys(h.Header)) {
		value, err := g.fill(field+"header."+name, h.Header[name], plain, true)
		if err != nil {
			return nil, nil, err
		}
		if out.Header == nil {
			out.Header = map[string]string{}
		}
		out.Header[name] = value
	}
	if out.Body, err = g.fill(field+"body", h.Body, plain, false); err != nil {
		return nil, nil, err
	}
	return &out, g.all, nil
}

// Literally returns a copy of the plan whose requests are sent as they stand here: two braces
// are two braces, whatever is behind them.
func (p Plan) Literally() Plan {
	if p.HTTP != nil {
		h := p.HTTP.literally()
		p.HTTP = &h
	}
	p.Send = slices.Clone(p.Send)
	for i := range p.Send {
		p.Send[i].HTTP = p.Send[i].HTTP.literally()
	}
	return p
}

func (h HTTP) literally() HTTP {
	quote := func(text string) string { return strings.ReplaceAll(text, "{{", `{{"{{"}}`) }
	h.URL, h.Body, h.Header = quote(h.URL), quote(h.Body), maps.Clone(h.Header)
	for name, value := range h.Header {
		h.Header[name] = quote(value)
	}
	return h
}

// Varies says whether something in the head of a request is filled in as it is sent, so
// that it is not as it stands here.
func (h *HTTP) Varies() bool {
	head := *h
	head.Body = ""
	return varies(&head)
}

// varies says whether a value stands in a request, or what only a template has.
func varies(h *HTTP) bool {
	stands, gaps, err := filled("", h)
	return err != nil || len(gaps) > 0 || stands.URL != h.URL || stands.Body != h.Body || !maps.Equal(stands.Header, h.Header)
}
