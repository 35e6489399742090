package yamlnode

import (
	"fmt"
	"strconv"
	"strings"
)

// Part is one part of a path such as steps[1].load.pages["a.b"]: a key of a
// mapping, or an entry of a list.
type Part struct {
	Name  string // the key; or the name of an entry, of those that have one
	Index int    // of an entry, from 0; -1: it is Name
	List  bool   // it was written in brackets, without quotes
}

// ParsePath reads a path: keys parted by dots, entries of lists in brackets by
// their number or their name, and keys that hold a dot or a bracket in brackets
// and quotes.
func ParsePath(text string) ([]Part, error) {
	var parts []Part
	for rest := text; rest != ""; {
		if rest[0] == '[' {
			part, after, err := bracket(rest)
			if err != nil {
				return nil, fmt.Errorf("reading the path %q: %w", text, err)
			}
			parts, rest = append(parts, part), after
			continue
		}
		if len(parts) > 0 {
			if rest[0] != '.' {
				return nil, fmt.Errorf("reading the path %q: write a dot before %q", text, rest)
			}
			rest = rest[1:]
		}
		end := strings.IndexAny(rest, ".[")
		if end < 0 {
			end = len(rest)
		}
		if end == 0 {
			return nil, fmt.Errorf("reading the path %q: a name is missing", text)
		}
		parts, rest = append(parts, Part{Name: rest[:end], Index: -1}), rest[end:]
	}
	if len(parts) == 0 {
		return nil, fmt.Errorf("reading the path %q: it is empty", text)
	}
	return parts, nil
}

// bracket reads [2], [name] or ["a.b"], and returns what follows it.
func bracket(text string) (Part, string, error) {
	if quoted, err := strconv.QuotedPrefix(text[1:]); err == nil {
		after, closed := strings.CutPrefix(text[1+len(quoted):], "]")
		name, err := strconv.Unquote(quoted)
		if !closed || err != nil || name == "" {
			return Part{}, "", fmt.Errorf("%s is no key in brackets and quotes", text)
		}
		return Part{Name: name, Index: -1}, after, nil
	}
	inside, after, closed := strings.Cut(text[1:], "]")
	if !closed || inside == "" {
		return Part{}, "", fmt.Errorf("%s is no entry in brackets", text)
	}
	part := Part{Name: inside, Index: -1, List: true}
	if i, err := strconv.ParseUint(inside, 10, 16); err == nil {
		part.Index = int(i)
	}
	return part, after, nil
}
