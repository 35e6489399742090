// Package re2 reads regular expressions as Envoy does. It imports nothing else of this
// module.
package re2

import (
	"regexp"
	"regexp/syntax"
)

// Whole compiles an expression that is to match a text as a whole, as Envoy's regex matcher
// has it (RE2::FullMatch). The error is that of the expression by itself.
func Whole(text string) (*regexp.Regexp, error) {
	// What stands between anchors as it is may reach beyond them: \Q quotes as far as the
	// end, and a parenthesis may close the one that is not its own.
	alone, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, err
	}
	return regexp.Compile(`\A(?:` + alone.String() + `)\z`)
}
