package check

import (
	"math/big"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/meshchaos/meshchaos/report"
)

// tokenKind says what a token is.
type tokenKind int

const (
	wordToken    tokenKind = iota
	literalToken           // a number, a duration or a percentage
	stringToken
	symbolToken
)

// token is one word, literal or symbol of a line. Its text is the line's, but
// a string's is without the quotes.
type token struct {
	kind       tokenKind
	start, end int // bytes
	text       string
	unit       kind     // of a literal
	amount     *big.Rat // of a literal; a duration's in nanoseconds
}

// lexer cuts a line into tokens.
type lexer struct {
	text   string
	at     int
	tokens []token
}

var (
	decimal = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`)
	// run is a digit and what hangs on to it: a literal, or a mistake for one.
	run        = regexp.MustCompile(`^[0-9][0-9A-Za-z_µμ]*(\.[0-9A-Za-z_µμ]+)*`)
	plainWord  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*`)
	plainName  = regexp.MustCompile(plainWord.String() + "$")
	hyphenWord = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(-[A-Za-z0-9_]+)*`)
)

// symbols are tried in this order.
func symbols() []string {
	return []string{
		"&&", "||", "<=", ">=", "==", "!=",
		"<", ">", "!", "+", "-", "*", "/", "(", ")", "[", "]", ".", ",", "?", ":",
	}
}

// lex cuts text into tokens.
func lex(text string) ([]token, error) {
	l := &lexer{text: text}
	for l.at < len(text) {
		if strings.ContainsRune(" \t\r\n", rune(text[l.at])) {
			l.at++
			continue
		}
		next, err := l.next()
		if err != nil {
			return nil, err
		}
		if l.touches(next) {
			return nil, unexpected(text, next)
		}
		l.tokens = append(l.tokens, next)
		l.at = next.end
	}
	return l.tokens, nil
}

// touches says whether next hangs on to a word or literal, as in 5%x.
func (l *lexer) touches(next token) bool {
	if len(l.tokens) == 0 || next.kind == symbolToken {
		return false
	}
	last := l.tokens[len(l.tokens)-1]
	return last.kind != symbolToken && last.end == next.start
}

// is says whether t is the symbol, and not a name in quotes that reads so.
func (t token) is(symbol string) bool { return t.kind == symbolToken && t.text == symbol }

// isIn says whether t is the word in, an operator that is understood so that it
// can be refused with what to write instead.
func (t token) isIn() bool { return t.kind == wordToken && t.text == "in" }

// next reads one token.
func (l *lexer) next() (token, error) {
	rest := l.text[l.at:]
	switch c := rest[0]; {
	case c >= '0' && c <= '9':
		return l.literal()
	case c == '"' || c == '\'':
		return l.quoted()
	}
	names := hyphenWord
	if l.afterDot() {
		names = plainWord
	}
	if w := names.FindString(rest); w != "" {
		return token{kind: wordToken, start: l.at, end: l.at + len(w), text: w}, nil
	}
	return l.symbol()
}

// afterDot says whether a word here is a field. A field has no hyphens, so
// that jason.p50-5ms is a subtraction; a cohort after baseline or recovery may.
func (l *lexer) afterDot() bool {
	n := len(l.tokens)
	if n == 0 || !l.tokens[n-1].is(".") {
		return false
	}
	if n == 1 || l.tokens[n-2].kind != wordToken {
		return true
	}
	window := l.tokens[n-2].text
	return window != report.Baseline && window != report.Recovery
}

// literal reads a number, a duration or a percentage.
func (l *lexer) literal() (token, error) {
	rest := l.text[l.at:]
	text := run.FindString(rest)
	t := token{kind: literalToken, start: l.at, end: l.at + len(text), text: text}
	if decimal.MatchString(text) {
		amount, ok := new(big.Rat).SetString(text)
		if !ok {
			return token{}, &Error{Offset: l.at, Message: shown(text) + " is not a number"}
		}
		t.unit, t.amount = number, amount
		if strings.HasPrefix(rest[len(text):], "%") {
			t.unit, t.end, t.text = share, t.end+1, text+"%"
			t.amount.Quo(t.amount, big.NewRat(100, 1))
		}
		return t, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return token{}, badLiteral(l.at, text)
	}
	t.unit, t.amount = duration, new(big.Rat).SetInt64(int64(d))
	return t, nil
}

// quoted reads a name in quotes.
func (l *lexer) quoted() (token, error) {
	quote := l.text[l.at : l.at+1]
	inner, _, closed := strings.Cut(l.text[l.at+1:], quote)
	if !closed {
		return token{}, &Error{Offset: l.at, Message: "this quote is not closed", Hint: "write " + quote + " after the name"}
	}
	if strings.ContainsAny(inner, "\\\n") {
		return token{}, &Error{Offset: l.at, Message: "a name in quotes has neither backslashes nor line ends"}
	}
	return token{kind: stringToken, start: l.at, end: l.at + len(inner) + 2, text: inner}, nil
}

// symbol reads an operator, a bracket or the like.
func (l *lexer) symbol() (token, error) {
	rest := l.text[l.at:]
	if !strings.HasPrefix(rest, "//") {
		for _, s := range symbols() {
			if strings.HasPrefix(rest, s) {
				return token{kind: symbolToken, start: l.at, end: l.at + len(s), text: s}, nil
			}
		}
	}
	_, size := utf8.DecodeRuneInString(rest)
	return token{}, unexpected(l.text, token{start: l.at, end: l.at + size, text: rest[:size]})
}
