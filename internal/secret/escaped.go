package secret

import (
	"encoding/hex"
	"html"
	"regexp"
	"slices"
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

// at is where a secret ends that begins at a place in a text; 0: none does. What may be
// read in two ways is read in both: a secret may have a % itself, or a backslash.
func (m masked) at(text string, i int) (end int) {
	type state struct{ read, at int } // so much of the secret, by so much of the text
	open := []state{{0, i}}
	for k := 0; k < len(open); k++ {
		now := open[k]
		left := m.value[now.read:]
		if left == "" {
			end = max(end, now.at)
			continue
		}
		for _, as := range readings(text[now.at:]) {
			next := state{now.read + len(as.plain), now.at + as.length}
			if as.length > 0 && strings.HasPrefix(left, as.plain) && !slices.Contains(open, next) {
				open = append(open, next)
			}
		}
	}
	return end
}

// reading is what a text may begin with, and how long that is written; 0: nothing.
type reading struct {
	plain  string
	length int
}

// readings are the ways to read the first letter of a text: as it is, escaped, and escaped
// twice, as in a URL within a URL.
func readings(text string) (all [3]reading) {
	if text == "" {
		return all
	}
	all[0] = reading{text[:1], 1}
	all[1].plain, all[1].length = unescaped(text)
	switch all[1] {
	case reading{"%", 3}:
		if twice, ok := hexed(text, 3); ok {
			all[2] = reading{twice, 5}
		}
	case reading{"+", 3}:
		all[2] = reading{" ", 3}
	}
	return all
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
		if plain, ok := hexed(text, 1); ok {
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
