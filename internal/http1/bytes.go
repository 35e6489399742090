package http1

// isToken says whether text is a word, which stands here in lower case, in any case.
func isToken(text []byte, word string) bool {
	if len(text) != len(word) {
		return false
	}
	for i, c := range text {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != word[i] {
			return false
		}
	}
	return true
}

// trim is text without the blanks around it.
func trim(text []byte) []byte {
	for len(text) > 0 && isBlank(text[0]) {
		text = text[1:]
	}
	return trimEnd(text)
}

func trimEnd(text []byte) []byte {
	for len(text) > 0 && isBlank(text[len(text)-1]) {
		text = text[:len(text)-1]
	}
	return text
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// nameBytes are those of a field's name: of a token (RFC 9110, 5.6.2), and the blank,
// which net/http takes as well.
var nameBytes = func() (is [256]bool) {
	for _, c := range []byte("!#$%&'*+-.^_`|~ 0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
		is[c] = true
	}
	return is
}()

func isName(text []byte) bool {
	for _, c := range text {
		if !nameBytes[c] {
			return false
		}
	}
	return true
}

// isValue says whether text may be a field's value: without control characters, but for
// the tab (RFC 9110, 5.5).
func isValue(text []byte) bool {
	for _, c := range text {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// chunkSize reads the line before a chunk: a hexadecimal number, blanks, and what
// extends it behind a semicolon.
func chunkSize(line []byte) (size uint64, ok bool) {
	line = trimEnd(line)
	for i, c := range line {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		case c == ';':
			return size, i > 0
		default:
			return 0, false
		}
		if i == 16 {
			return 0, false
		}
		size = size<<4 | uint64(c)
	}
	return size, len(line) > 0
}
