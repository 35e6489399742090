package report

import (
	"encoding/json"
	"regexp"
)

// Indent is JSON as a report's file and -o json have it: a line for each field, and one
// for each list of numbers. A record has thousands of those, and with a line for each it
// would be five times as large. The error is that of a value that is no JSON.
func Indent(of any) ([]byte, error) {
	text, err := json.MarshalIndent(of, "", "  ")
	return numbers.ReplaceAllFunc(text, func(list []byte) []byte {
		list = breaks.ReplaceAll(list, []byte(" "))
		return append(append([]byte("["), list[2:len(list)-2]...), ']')
	}), err
}

// A bracket before the end of a line is one of JSON itself: within a text that end would be
// written as \n.
var (
	numbers = regexp.MustCompile(`\[\n +(?:-?[0-9.eE+-]+|null)(?:,\n +(?:[0-9.eE+-]+|null))*\n +\]`)
	breaks  = regexp.MustCompile(`\n +`)
)
