package scenarios

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

// maxSize and maxDepth bound a file: the library's largest is a hundredth of
// this, and the parser's time grows faster than a file does.
const (
	maxSize  = 64 << 10
	maxDepth = 100
)

// reader reads one file. It adds the file's name and lines to what is wrong.
type reader struct {
	file  string
	lines []string
	open  func(name string) (string, error) // a file that this one names
}

// Read reads and compiles a scenario. What is wrong in it is an *Error, or
// several joined.
func Read(path string) (*Scenario, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return parse(path, text, openBeside(filepath.Dir(path)))
}

// readFile returns the text of a file, without the byte order mark that some
// editors put before it.
func readFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("reading %q: %w; is it in another folder?", path, errors.Unwrap(err))
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return "", fmt.Errorf("reading %q: it is a folder; name a file in it", path)
	}
	return readText(f)
}

func readText(r io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxSize+1))
	return strings.TrimPrefix(string(text), "\ufeff"), err
}

// parse reads the text of a scenario that was named file.
func parse(file, text string, open func(string) (string, error)) (*Scenario, error) {
	r := &reader{file: file, lines: strings.Split(text, "\n"), open: open}
	if err := r.guard(text); err != nil {
		return nil, err
	}
	body, err := r.document(text)
	if err != nil {
		return nil, r.place(err)
	}
	var f fileScenario
	if err := yamlnode.Decode(body, &f.file, "the scenario"); err != nil {
		return nil, r.place(err)
	}
	f.body = body
	s, err := r.compile(&f)
	if err != nil {
		return nil, err
	}
	s.File, s.Text = file, text
	return s, nil
}

// fileScenario is a decoded file with the node it was read from.
type fileScenario struct {
	file
	body ast.Node
}

// guard refuses what is no scenario before the parser sees it.
func (r *reader) guard(text string) error {
	refuse := func(format string, args ...any) error {
		return &Error{File: r.file, Message: fmt.Sprintf(format, args...)}
	}
	switch {
	case len(text) > maxSize:
		return refuse("the file is larger than %d KiB; a scenario is a few dozen lines", maxSize>>10)
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return refuse("the file is not text in UTF-8")
	case strings.TrimSpace(text) == "":
		return refuse("the file is empty; see meshchaos list for scenarios to begin with")
	case depth(text) > maxDepth:
		return refuse("the file is nested more than %d deep", maxDepth)
	}
	return nil
}

// document returns the single document of a file.
func (r *reader) document(text string) (ast.Node, error) {
	documents, err := documents(text)
	switch {
	case err != nil:
		return nil, err
	case len(documents) == 0:
		return nil, &Error{Message: "the file holds only comments; see meshchaos list for scenarios to begin with"}
	case len(documents) > 1:
		return nil, yamlnode.At(documents[1], "write a file for each", "the file holds %d documents", len(documents))
	}
	return documents[0], nil
}

// documents parses each document of a text. They are parted here, because the
// parser loses what follows an empty one.
func documents(text string) ([]ast.Node, error) {
	var nodes []ast.Node
	lines := strings.Split(text, "\n")
	for begin := 0; begin < len(lines); {
		end := begin + 1
		for end < len(lines) && !separates(lines[end]) {
			end++
		}
		// The lines before it stay, empty, so that positions are those of the file.
		part := strings.Repeat("\n", begin) + strings.Join(lines[begin:end], "\n")
		begin = end
		parsed, err := parser.ParseBytes([]byte(part), 0)
		if err != nil {
			return nil, err
		}
		for _, document := range parsed.Docs {
			if document.Body == nil || document.Body.Type() == ast.NullType || document.Body.Type() == ast.CommentType || document.Body.Type() == ast.CommentGroupType {
				continue
			}
			if err := plain(document.Body); err != nil {
				return nil, err
			}
			if err := yamlnode.Decimal(document.Body); err != nil {
				return nil, err
			}
			nodes = append(nodes, document.Body)
		}
	}
	return nodes, nil
}

// separates says whether a line begins a document.
func separates(line string) bool {
	rest, found := strings.CutPrefix(strings.TrimRight(line, "\r"), "---")
	return found && (rest == "" || rest[0] == ' ' || rest[0] == '\t')
}

// depth is how deep a text nests, at the most: brackets, or the column that a
// line begins at behind its indentation and dashes. The parser recurses on both.
func depth(text string) int {
	open, deepest := 0, 0
	for line := range strings.Lines(text) {
		deepest = max(deepest, len(line)-len(strings.TrimLeft(line, " -?:\t\r\n")))
		for _, c := range []byte(line) {
			switch c {
			case '[', '{':
				open++
				deepest = max(deepest, open)
			case ']', '}':
				open = max(0, open-1)
			}
		}
	}
	return deepest
}

// plain refuses anchors, aliases, merge keys and tags: a scenario is read by
// people, and an alias can stand for a million nodes.
func plain(node ast.Node) error {
	var wrong error
	ast.Walk(visitor(func(n ast.Node) bool {
		switch n.Type() {
		case ast.AnchorType, ast.AliasType, ast.MergeKeyType, ast.TagType:
			if wrong == nil {
				wrong = yamlnode.At(n, "write it out, or quote it if it is meant as a text", "anchors, aliases and tags have no place in a scenario")
			}
		}
		return wrong == nil
	}), node)
	return wrong
}

type visitor func(ast.Node) bool

// Visit implements ast.Visitor.
func (v visitor) Visit(node ast.Node) ast.Visitor {
	if v(node) {
		return v
	}
	return nil
}

// mendSyntax says what to do about what the parser of YAML says.
func mendSyntax(message string) string {
	switch {
	case strings.Contains(message, "already defined"):
		return "take one of the two out"
	case strings.Contains(message, "'\t'"):
		return "YAML is indented with blanks, not with tabs"
	case strings.Contains(message, "must be specified"):
		return "close the bracket, and quote a text with : # ! or quotes in it"
	}
	return "this is no YAML; a text with : # ! or quotes in it is to be quoted"
}

// place turns any error into one of this file, with the line it is about.
func (r *reader) place(err error) *Error {
	var own *Error
	var syntax *yaml.SyntaxError
	var theirs yaml.Error
	switch {
	case errors.As(err, &own):
	case errors.As(err, &syntax):
		own = yamlnode.AtToken(syntax.Token, mendSyntax(syntax.Message), "%s", syntax.Message)
	case errors.As(err, &theirs):
		own = yamlnode.AtToken(theirs.GetToken(), "", "%s", theirs.GetMessage())
	default:
		own = &Error{Message: err.Error()}
	}
	if own.File == "" {
		own.File = r.file
		if own.Line > 0 && own.Line <= len(r.lines) {
			own.Snippet = string(bytes.TrimRight([]byte(r.lines[own.Line-1]), "\r"))
		}
	}
	return own
}
