package secret

import (
	"encoding/hex"
	"html"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
)

// masked is a secret, and what stands in its place.
type masked struct{ value, mask string }

// hideEscaped masks a secret where any of its letters is escaped: as a URL, JSON, a quoted
// text of Go or an access log, or HTML has them. There is more than one way to write each,
// so what stands there is read, rather than each way be looked for.
func (m masked) hideEscaped(text string) string {
	if !strings.ContainsAny(text, `%\&+`) {
		return text
	}
	var out strings.Builder
	last := 0
	for i := 0; i < len(text); i++ {
		if end := m.at(text, i); end > 0 {
			out.WriteString(text[last:i] + m.mask)
			last, i = end, end-1
		}
	}
	return out.String() + text[last:]
}

// at is where a secret ends that begins at a place in a text; 0: none does.
func (m masked) at(text string, i int) (end int) {
	left := m.value
	for left != "" {
		plain, length := unescaped(text[i:])
		switch {
		case length > 0 && strings.HasPrefix(left, plain):
			left, i = left[len(plain):], i+length
		case i < len(text) && text[i] == left[0]:
			left, i = left[1:], i+1
		default:
			return 0
		}
	}
	return i
}

// entity is what HTML writes for a letter.
var entity = regexp.MustCompile(`^&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});`)

// unescaped is what the escaped letter stands for that a text begins with, and how long
// that is written; 0: it begins with none.
func unescaped(text string) (plain string, length int) {
	switch {
	case text == "":
	case text[0] == '+':
		return " ", 1
	case text[0] == '&':
		found := entity.FindString(text)
		if plain := html.UnescapeString(found); plain != found {
			return plain, len(found)
		}
	case text[0] == '%':
		plain, ok := hexed(text, 1)
		if ok && plain == "%" { // a URL within a URL
			if twice, ok := hexed(text, 3); ok {
				return twice, 5
			}
		}
		if ok {
			return plain, 3
		}
	case text[0] == '\\' && len(text) > 1:
		return backslashed(text)
	}
	return "", 0
}

// hexed is the byte that two letters of a text write.
func hexed(text string, from int) (string, bool) {
	if len(text) < from+2 {
		return "", false
	}
	plain, err := hex.DecodeString(text[from : from+2])
	return string(plain), err == nil
}

// backslashed is as unescaped, of what begins with a backslash.
func backslashed(text string) (plain string, length int) {
	switch text[1] {
	case 'x':
		if plain, ok := hexed(text, 2); ok {
			return plain, 4
		}
	case 'u':
		unit, ok := unitOf(text)
		if !ok {
			return "", 0
		}
		if second, ok := unitOf(text[6:]); ok && utf16.IsSurrogate(unit) {
			return string(utf16.DecodeRune(unit, second)), 12
		}
		return string(unit), 6
	case '"', '\'', '\\', '/':
		return text[1:2], 2
	case 'n', 'r', 't', 'b', 'f', 'v', 'a':
		plain, _ := strconv.Unquote(`"` + text[:2] + `"`) // these always are
		return plain, 2
	}
	return "", 0
}

// unitOf is the unit of UTF-16 that \u and four digits write.
func unitOf(text string) (rune, bool) {
	if len(text) < 6 || text[:2] != `\u` {
		return 0, false
	}
	unit, err := strconv.ParseUint(text[2:6], 16, 16)
	return rune(unit), err == nil
}
