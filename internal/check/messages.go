package check

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/meshchaos/meshchaos/internal/nearest"
)

// Error says what is wrong with a line.
type Error struct {
	Offset  int    // the byte of the line at which it is wrong, from 0
	Message string // what is wrong
	Hint    string // what to write instead; may be empty
}

// Error returns the message and the hint.
func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Message
	}
	return e.Message + "; " + e.Hint
}

// shown shortens a piece of a line for a message.
func shown(text string) string {
	const most = 40
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return fmt.Sprintf("%q", text)
}

// unknown is the error of a name that nothing has.
func unknown(t token, what string, known []string) *Error {
	return &Error{Offset: t.start, Message: fmt.Sprintf("unknown %s %s", what, shown(t.text)), Hint: nearest.Hint(t.text, known)}
}

// unexpected is the error of a token that cannot stand where it does.
func unexpected(text string, t token) error {
	err := &Error{Offset: t.start, Message: "unexpected " + shown(text[t.start:t.end])}
	switch strings.ToLower(t.text) {
	case "and", "&":
		err.Hint = "write &&"
	case "or", "|":
		err.Hint = "write ||"
	case "not":
		err.Hint = "write !"
	case "=", "is":
		err.Hint = "write == to compare"
	case "≤":
		err.Hint = "write <="
	case "≥":
		err.Hint = "write >="
	case "≠":
		err.Hint = "write !="
	case "×":
		err.Hint = "write *"
	case "between", "within":
		err.Hint = "write lo <= x <= hi"
	case "h", "m", "s", "ms", "us", "µs", "ns", "sec", "second", "seconds", "minute", "minutes":
		err.Hint = "a duration is written 6s, without a space"
	case ".":
		err.Hint = "a decimal is written 0.5"
	case "%":
		err.Hint = "a percentage is written 5%, without a space"
	}
	return err
}

// badLiteral is the error of a number with something on it that is no unit.
func badLiteral(at int, text string) error {
	digits := strings.TrimRight(text[:len(text)-len(strings.TrimLeft(text, "0123456789."))], ".")
	err := &Error{Offset: at, Message: shown(text) + " is neither a number nor a duration", Hint: "the units are h, m, s, ms, µs and ns, as in 1m30s"}
	switch strings.ToLower(strings.TrimPrefix(text, digits)) {
	case "sec", "secs", "second", "seconds":
		err.Hint = "write " + digits + "s"
	case "msec", "millis", "milliseconds":
		err.Hint = "write " + digits + "ms"
	case "min", "mins", "minute", "minutes":
		err.Hint = "write " + digits + "m"
	case "xx":
		err.Hint = "a status is one number, as in status[503]; add up several"
	}
	return err
}

// mismatch is the error of two sides that cannot be compared or added.
func mismatch(doing string, a, b term) error {
	if b.literal == nil || a.literal != nil && a.kind == number {
		a, b = b, a
	}
	err := &Error{Offset: b.at, Message: fmt.Sprintf("%s is %s and %s is %s: they cannot be %s", shown(a.text), a.kind, shown(b.text), b.kind, doing)}
	switch {
	case b.literal != nil && b.kind == share && a.kind == number:
		err.Hint = "write a number, or divide the count by .sent"
	case b.literal == nil || b.kind != number:
	case a.kind == duration:
		err.Message, err.Hint = shown(b.text)+" has no unit, and "+shown(a.text)+" is a duration", withUnit(b.text, b.literal)
	case a.kind == share:
		err.Message, err.Hint = shown(b.text)+" is a number, and "+shown(a.text)+" is a share", "write "+percent(b.text, b.literal)
	}
	return err
}

// withUnit asks which duration is meant by a number: of a large one rather milliseconds.
func withUnit(text string, amount *big.Rat) string {
	switch {
	case amount.Sign() == 0:
		return "write 0s"
	case amount.Cmp(big.NewRat(20, 1)) >= 0:
		return fmt.Sprintf("did you mean %sms, or %[1]ss?", text)
	}
	return fmt.Sprintf("did you mean %ss, or %[1]sms?", text)
}

// percent is the percentage that is most likely meant by a number: one up to 1 is a share
// of 1.
func percent(text string, amount *big.Rat) string {
	if amount.Cmp(big.NewRat(1, 1)) <= 0 {
		in, _ := new(big.Rat).Mul(amount, big.NewRat(100, 1)).Float64()
		text = strconv.FormatFloat(in, 'f', -1, 64)
	}
	return text + "%"
}
