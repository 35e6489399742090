package secret

import (
	"encoding/json"
	"strings"

	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"

	"github.com/meshchaos/meshchaos/report"
)

// Place is where a scalar begins in a text, both from 1.
type Place struct{ Line, Column int }

// Form is how a secret is written.
type Form int

// The forms.
const (
	Plain   Form = iota + 1
	Pattern      // an RE2 expression
)

// Text masks the scalars of a YAML text that stand at some places, and every other
// secret in it. Its comments stay, and its lines where they are. ok is false where that
// cannot be done: nothing of the text is to be shown then.
func (v *Values) Text(text string, at map[Place]Form) (masked string, ok bool) {
	var out strings.Builder
	rest := text
	tokens := lexer.Tokenize(text)
	for i := 0; i < len(tokens); i++ {
		t := tokens[i]
		core, value := strings.TrimSpace(t.Origin), t.Value
		block := t.Type == token.LiteralType || t.Type == token.FoldedType
		if core == "" {
			continue
		}
		begin, end := placeOf(t, rest, core)
		if begin < 0 || strings.TrimSpace(rest[:begin]) != "" {
			return "", false
		}
		if block && i+1 < len(tokens) { // its text is the next token
			i++
			content := strings.TrimSpace(tokens[i].Origin)
			from := strings.Index(rest[end:], content)
			if from < 0 {
				return "", false
			}
			value, end = tokens[i].Value, end+from+len(content)
		}
		out.WriteString(rest[:begin])
		out.WriteString(v.scalar(rest[begin:end], t, value, at[Place{t.Position.Line, t.Position.Column}]))
		rest = rest[end:]
	}
	out.WriteString(rest)
	return out.String(), true
}

// placeOf is where a token begins in what is left of a text, and where it ends; below 0: it
// is not there. The lexer does not keep how a letter of a quoted text is escaped.
func placeOf(t *token.Token, rest, core string) (begin, end int) {
	begin = strings.Index(rest, core)
	if t.Type != token.DoubleQuoteType {
		return begin, begin + len(core)
	}
	if begin = strings.IndexByte(rest, '"'); begin < 0 {
		return -1, -1
	}
	for end = begin + 1; end < len(rest) && rest[end] != '"'; end++ {
		if rest[end] == '\\' {
			end++
		}
	}
	if end >= len(rest) {
		return -1, -1
	}
	return begin, end + 1
}

// scalar is what stands in the place of a token, over as many lines.
func (v *Values) scalar(raw string, t *token.Token, value string, secret Form) string {
	if t.Type == token.CommentType {
		return v.Hide(raw)
	}
	shown := v.Hide(value)
	switch secret {
	case Plain:
		shown = v.whole(value)
	case Pattern:
		shown = pattern
	}
	if shown == value {
		return raw
	}
	var quoted strings.Builder
	encoder := json.NewEncoder(&quoted) // a text of JSON is one of YAML
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(shown) // a text always can be
	return strings.TrimSpace(quoted.String()) + strings.Repeat("\n", strings.Count(raw, "\n"))
}

// whole is what stands in the place of a secret; what only refers to another stays.
func (v *Values) whole(value string) string {
	value = strings.TrimSpace(value)
	if strings.HasPrefix(value, report.Mask) || strings.HasPrefix(value, pattern) { // it is masked
		return value
	}
	if v.Keep == nil {
		return v.mask(value)
	}
	found := v.Keep.FindAllStringIndex(value, -1)
	if len(found) == 0 {
		return v.mask(value)
	}
	var out strings.Builder
	last := 0
	part := func(text string) string {
		switch strings.ToLower(strings.TrimSpace(text)) {
		case "", "bearer", "basic", "token":
			return text
		}
		return report.Mask
	}
	for _, m := range found {
		out.WriteString(part(value[last:m[0]]) + value[m[0]:m[1]])
		last = m[1]
	}
	return out.String() + part(value[last:])
}
