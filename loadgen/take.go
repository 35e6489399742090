package loadgen

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// taker is a Take, made ready.
type taker struct {
	slot    int            // of the value among those of a user
	pointer []string       // without its escapes
	match   *regexp.Regexp // nil: pointer is what to take
	inHead  bool           // a request has the value in its head
}

func newTaker(field string, t *Take) (*taker, error) {
	switch {
	case (t.Pointer == "") == (t.Match == ""):
		return nil, wrong(field, "%s must have exactly one of pointer and match", field)
	case t.Pointer != "":
		parts, err := pointerOf(t.Pointer)
		if err != nil {
			return nil, wrong(field+".pointer", "%s.pointer is %q: %w", field, t.Pointer, err)
		}
		return &taker{pointer: parts}, nil
	}
	re, err := regexp.Compile(t.Match)
	switch {
	case err != nil:
		return nil, wrong(field+".match", "%s.match is no RE2 expression: %w", field, err)
	case re.NumSubexp() != 1:
		return nil, wrong(field+".match", "%s.match has %d groups; it takes one, in which the value stands, as in basket=(\\w+)", field, re.NumSubexp())
	}
	return &taker{match: re}, nil
}

// pointerOf are the names and numbers that a JSON pointer leads along (RFC 6901).
func pointerOf(text string) ([]string, error) {
	rest, rooted := strings.CutPrefix(text, "/")
	if !rooted {
		return nil, errors.New("a JSON pointer begins with /, as in /basket/id")
	}
	parts := strings.Split(rest, "/")
	for i, part := range parts {
		if tilde := strings.ReplaceAll(strings.ReplaceAll(part, "~0", ""), "~1", ""); strings.Contains(tilde, "~") {
			return nil, errors.New("in a JSON pointer ~ stands as ~0, and / in a name as ~1")
		}
		parts[i] = strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
	}
	return parts, nil
}

// from takes the value from the body of an answer; ok is false if it is not there.
func (t *taker) from(body []byte) (value string, ok bool) {
	if t.match != nil {
		if found := t.match.FindSubmatch(body); found != nil {
			value = string(found[1])
		}
	} else {
		value = pointedAt(body, t.pointer)
	}
	return value, value != "" && (!t.inHead || httpguts.ValidHeaderFieldValue(value))
}

// pointedAt is the text, the number or the truth at the end of a pointer; empty: there is
// none.
func pointedAt(body []byte, pointer []string) string {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var at any
	if decoder.Decode(&at) != nil {
		return ""
	}
	if _, err := decoder.Token(); err != io.EOF { // more follows
		return ""
	}
	for _, part := range pointer {
		switch node := at.(type) {
		case map[string]any:
			at = node[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(node) || part != strconv.Itoa(i) {
				return ""
			}
			at = node[i]
		default:
			return ""
		}
	}
	switch value := at.(type) {
	case string:
		return value
	case json.Number, bool:
		return fmt.Sprint(value)
	}
	return ""
}
