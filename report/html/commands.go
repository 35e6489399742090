package html

import (
	"regexp"
	"strings"
)

// span is a part of a text: words, or a command for whoever reads it to enter.
type span struct {
	Text  string
	Words []string // of a command
}

// command finds the commands that a text has in it: those of this program and of kubectl,
// with the options that follow.
var command = regexp.MustCompile(`\b(?:meshchaos (?:doctor|install|judge|lint|manifests|plan|report|restore|run|uninstall|validate)|kubectl [a-z]+)(?: --?[a-z][a-z-]*(?:[ =][A-Za-z0-9][^ ,;()]*)?| -)*`)

// spans are the parts of a text.
func spans(text string) []span {
	var all []span
	from := 0
	for _, found := range command.FindAllStringIndex(text, -1) {
		if found[0] > from {
			all = append(all, span{Text: text[from:found[0]]})
		}
		all = append(all, span{Words: strings.Fields(text[found[0]:found[1]])})
		from = found[1]
	}
	if from < len(text) {
		all = append(all, span{Text: text[from:]})
	}
	return all
}
