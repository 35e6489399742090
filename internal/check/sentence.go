package check

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"unicode"

	"github.com/meshchaos/meshchaos/report"
)

// maxSentence is how many bytes a sentence may have: it is to be read at a glance.
const maxSentence = 500

// Sentence is a compiled conclusion: a text in which {jason.p50} stands for what was
// observed. It may be told again and again, and by several goroutines.
type Sentence struct {
	text   string
	pieces []piece
}

// piece is a stretch of a sentence: a text, or an amount.
type piece struct {
	text   string // of an amount as it is written, without the braces
	amount *term  // nil: it is the text itself
	limits []limit
}

// limit is what an amount must not read like unless it is that.
type limit func(Windows) *big.Rat

// ReadSentence compiles a sentence that stands beside lines, in a file that has others in
// other steps. An amount is a quantity of the language of expectations, and only of what
// a line is about: a pass shows nothing else. The error is an *Error.
func ReadSentence(scope Scope, text string, beside, others []*Expectation) (*Sentence, error) {
	if strings.TrimSpace(text) == "" {
		return nil, &Error{Message: "the conclusion is empty", Hint: "write what a pass shows, with what was observed in braces, as in {jason.p50}"}
	}
	if len(text) > maxSentence {
		return nil, &Error{Offset: maxSentence, Message: fmt.Sprintf("the conclusion has %d bytes, and at most %d are read", len(text), maxSentence), Hint: "say it in a sentence"}
	}
	if at := strings.IndexFunc(strings.TrimSpace(text), unicode.IsControl); at >= 0 {
		return nil, &Error{Message: "the conclusion has several lines, or a control character", Hint: "fold it into one line, by >-"}
	}
	pieces, err := cut(text)
	if err != nil {
		return nil, err
	}
	s, amounts, at := &Sentence{text: text}, 0, 0
	for _, p := range pieces {
		if p.amount {
			compiled, err := amountOf(scope, p.text, said{beside, others})
			if err != nil {
				return nil, shifted(err, p.at)
			}
			s.pieces = append(s.pieces, compiled)
			amounts++
		} else {
			s.pieces = append(s.pieces, piece{text: p.text})
		}
		at = p.at
	}
	if amounts == 0 {
		return nil, &Error{Offset: at, Message: "the conclusion names nothing that was observed", Hint: "write an amount in braces, as in {jason.p50}; what needs none is the summary"}
	}
	return s, nil
}

// shifted is an error of an amount, placed in its sentence. What the parser says of a
// line it says of an amount here, to which nothing is compared.
func shifted(err error, by int) error {
	var wrong *Error
	if !errors.As(err, &wrong) {
		return err
	}
	moved := *wrong
	moved.Offset += by
	if rest, ofLine := strings.CutPrefix(moved.Message, "the line "); ofLine {
		moved.Message, moved.Hint = "the amount "+rest, "write what was observed, as in {jason.p50}"
	}
	return &moved
}

// stretch is a piece that is not compiled, and where it begins.
type stretch struct {
	text   string
	amount bool
	at     int
}

// cut cuts a sentence at its braces. {{ and }} are braces themselves, and so are those in
// a name in quotes.
func cut(text string) ([]stretch, error) {
	var all []stretch
	var plain strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case (c == '{' || c == '}') && i+1 < len(text) && text[i+1] == c:
			plain.WriteByte(c)
			i++
		case c == '}':
			return nil, &Error{Offset: i, Message: "this brace closes none", Hint: "write { before the amount, or }} for a brace"}
		case c == '{':
			end, err := closing(text, i)
			if err != nil {
				return nil, err
			}
			all = append(all, stretch{text: plain.String(), at: i}, stretch{text[i+1 : end], true, i + 1})
			plain.Reset()
			i = end
		default:
			plain.WriteByte(c)
		}
	}
	return append(all, stretch{text: plain.String()}), nil
}

// closing is where the brace is closed that opens at a byte of a text.
func closing(text string, open int) (int, error) {
	quote := byte(0)
	for i := open + 1; i < len(text); i++ {
		switch c := text[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '{':
			return 0, &Error{Offset: i, Message: "a brace opens within another", Hint: "close the first one behind its amount, by }"}
		case c == '}':
			return i, nil
		}
	}
	if quote != 0 {
		return 0, &Error{Offset: open, Message: "a quote is not closed behind this brace", Hint: fmt.Sprintf("write %c after the name, and } behind the amount", quote)}
	}
	return 0, &Error{Offset: open, Message: "this brace is not closed", Hint: "write } behind the amount, or {{ for a brace"}
}

// amountOf compiles what stands between braces.
func amountOf(scope Scope, text string, of said) (piece, error) {
	source, err := parse(text)
	if err != nil {
		return piece{}, err
	}
	c := newCompiler(scope, source)
	if isStatement(source.tree) {
		return piece{}, &Error{Offset: source.tree.at().start, Message: shown(text) + " is true or false, not an amount", Hint: "write what was observed alone, as in {jason.p50}"}
	}
	t, err := c.term(source.tree)
	if err != nil {
		return piece{}, err
	}
	if t.constant {
		return piece{}, &Error{Offset: t.at, Message: shown(t.text) + " is not observed", Hint: "write it without the braces"}
	}
	if err := of.covers(c, t); err != nil {
		return piece{}, err
	}
	return piece{strings.TrimSpace(text), &t, of.limits(t)}, nil
}

// isStatement says whether a node is true or false.
func isStatement(n node) bool {
	switch n.(type) {
	case *logic, *not, *comparison, *chain:
		return true
	}
	return isSplit(n)
}

// Text returns the sentence as it was written.
func (s *Sentence) Text() string { return s.text }

// Plain returns what of the sentence is no amount.
func (s *Sentence) Plain() string {
	var all []string
	for _, p := range s.pieces {
		if p.amount == nil {
			all = append(all, p.text)
		}
	}
	return strings.Join(all, " ")
}

// Amounts returns the amounts of the sentence, as they are written.
func (s *Sentence) Amounts() []string {
	var all []string
	for _, p := range s.pieces {
		if p.amount != nil {
			all = append(all, p.text)
		}
	}
	return all
}

// Tell fills the sentence with what windows show. Of one for which an amount is missing,
// or in doubt, it says only why: no sentence is better than one with a gap or a guess.
func (s *Sentence) Tell(w Windows) (text string, amounts []report.Amount, missing string) {
	var whole strings.Builder
	for _, p := range s.pieces {
		if p.amount == nil {
			whole.WriteString(p.text)
			continue
		}
		v := p.amount.eval(w)
		if v.amount == nil || len(v.doubts) > 0 {
			return "", nil, p.text + ": " + strings.Join(append(v.missing, v.doubts...), "; ")
		}
		words := p.words(w, v)
		whole.WriteString(words)
		amounts = append(amounts, report.Amount{
			Expression: p.text, Words: words, Measure: measures(p.amount.kind, v)[0], Samples: v.samples, Source: strings.Join(v.sources, ", "),
		})
	}
	return strings.TrimSpace(whole.String()), amounts, ""
}

// words words an amount so that it reads on the side of each limit on which it is, and
// not like nothing if it is something.
func (p piece) words(w Windows, v value) string {
	apart := []*big.Rat{new(big.Rat)}
	for _, limit := range p.limits {
		if amount := limit(w); amount != nil {
			apart = append(apart, amount)
		}
	}
	text := tellApart(p.amount.kind, v.amount, apart...)
	if v.least != "" {
		text = "at least " + text
	}
	return text
}
