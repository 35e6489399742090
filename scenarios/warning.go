package scenarios

import (
	"errors"
	"fmt"

	"github.com/goccy/go-yaml/ast"

	"github.com/meshchaos/meshchaos/internal/lint"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

// Warning is something that is allowed and probably not meant.
type Warning struct {
	Trap    string // the id; empty: it is of an option
	File    string // the scenario's, or one of rules that it names
	Option  string // of the command line, where it stands if it is not in the file
	Line    int    // 0: it is of an option, and of no line
	Column  int
	Message string
}

// Place returns file:line:column, as far as they are known.
func (w Warning) Place() string {
	switch {
	case w.Option != "":
		return w.File + ": " + w.Option
	case w.Line == 0:
		return w.File
	}
	return fmt.Sprintf("%s:%d:%d", w.File, w.Line, w.Column)
}

// Words returns the message with the trap's id.
func (w Warning) Words() string {
	if w.Trap == "" {
		return w.Message
	}
	return fmt.Sprintf("%s [%s]", w.Message, w.Trap)
}

// source is where an object stands in a file.
type source struct {
	node   ast.Node
	in     *reader
	before int // the lines of the file before what was read
}

// at is the place of a field of the object, or of what it would stand in.
func (w source) at(path string) Error {
	placed := w.in.place(yamlnode.At(yamlnode.Follow(w.node, path), "", ""))
	placed.Line += w.before
	return *placed
}

// Caught is the warning of a trap that an object is caught in, as the rule has left
// it: at the field, if the rule writes the object as it stands, or else at the rule.
func (r Rule) Caught(o *rules.Object, w lint.Warning) Warning {
	return warningAt(r.at(o.Ref, w.Path), w.Trap, fmt.Sprintf("%s: %s: %s", w.Ref, w.Path, w.Message))
}

// at is the place of a field of an object, if the rule writes it as it stands, or
// else of the rule.
func (r Rule) at(ref rules.Ref, path string) Error {
	for i, own := range r.Objects {
		if own.Kind == ref.Kind && own.Name == ref.Name && i < len(r.sources) { // else it stands in no file
			return r.sources[i].at(path)
		}
	}
	return r.place
}

func warningAt(place Error, trap, message string) Warning {
	return Warning{Trap: trap, File: place.File, Option: place.Option, Line: place.Line, Column: place.Column, Message: message}
}

// warn is the warning of a trap that an expectation is caught in.
func (l Line) warn(trap, format string, args ...any) Warning {
	message := fmt.Sprintf(format, args...)
	var placed *Error
	if !errors.As(l.place(errors.New(message)), &placed) {
		return Warning{Trap: trap, Message: message}
	}
	return warningAt(*placed, trap, message)
}
