package scenarios

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/goccy/go-yaml/ast"

	"github.com/meshchaos/meshchaos/internal/yamlnode"
	"github.com/meshchaos/meshchaos/loadgen"
)

// bearing is what a place in spec has to do with what a sentence says of a pass.
type bearing int

const (
	none  bearing = iota // such as the summary
	size                 // how large a load is, which a sentence names by amounts, or in numbers
	whole                // a rule, a caller, an expectation: what it is about
)

// bearingOf is that of what stands at a path into spec.
func bearingOf(path []string) bearing {
	if path[0] == "steps" && len(path) > 2 {
		path = path[2:]
	}
	harmless := []string{"params", "secret", "summary", "conclusion", "lint", "mutants", "abortWhen", "onFailure"}
	sizes := []string{"requests", "connections", "qps", "duration", "warmup", "senders"}
	switch {
	case slices.Contains(harmless, path[0]):
		return none
	case path[0] == "load" && len(path) == 3 && slices.Contains(sizes, path[2]):
		return size
	}
	return whole
}

// findUses notes what parameters bear upon, by the places that refer to them.
func (r *reader) findUses(node ast.Node, path []string) {
	note := func(text string) {
		for _, name := range refersTo(text) {
			r.uses[name] = max(r.uses[name], bearingOf(path))
			if len(path) == 3 || len(path) == 5 {
				r.times[name] = r.times[name] || path[len(path)-1] == "duration"
			}
		}
	}
	if list, ok := node.(*ast.SequenceNode); ok {
		for i, entry := range list.Values {
			r.findUses(entry, append(slices.Clone(path), strconv.Itoa(i)))
		}
		return
	}
	if text, scalar := yamlnode.Scalar(node); scalar {
		note(text)
		return
	}
	pairs, _ := yamlnode.Entries(node)
	for _, pair := range pairs {
		below := append(slices.Clone(path), yamlnode.Key(pair))
		for _, name := range refersTo(yamlnode.Key(pair)) {
			r.uses[name] = whole // of a cohort, a version, a header
		}
		r.findUses(pair.Value, below)
	}
}

// refersTo are the parameters to which a text refers.
func refersTo(text string) []string {
	var names []string
	for _, m := range reference.FindAllStringSubmatch(text, -1) {
		if !strings.HasPrefix(m[0], "$$") {
			names = append(names, m[1])
		}
	}
	return names
}

// named are the parameters that stand in a text as it was written.
func (r *reader) named(node ast.Node) []string {
	if literal, ok := node.(*ast.LiteralNode); ok {
		node = literal.Value
	}
	return refersTo(r.written[node.GetToken()].text)
}

// otherwise is the first setting by which a file may be about something else than a
// sentence says, such as a longer delay; nil: there is none. plain is what of the
// sentence is no amount, named are the parameters that stand in it.
func (r *reader) otherwise(plain string, named []string) *setting {
	for i := range r.set {
		s := &r.set[i]
		var path []string
		for _, part := range s.path {
			path = append(path, part.Name)
		}
		bears, former, timed := bearingOf(path), r.former(s), path[len(path)-1] == "duration"
		if s.isParam() {
			p := r.params[path[1]]
			if slices.Contains(named, path[1]) || !p.secret && p.text() == p.initial {
				continue
			}
			bears, former, timed = r.uses[path[1]], p.initial, r.times[path[1]]
		}
		if bears == whole || bears == size && saysNumber(plain, timed, former) {
			return s
		}
	}
	return nil
}

// former is what a size was that a setting changes.
func (r *reader) former(s *setting) string {
	if s.was == nil && s.path[len(s.path)-1].Name == "connections" {
		return strconv.Itoa(defaultConnections)
	}
	if s.was == nil {
		return ""
	}
	text, _ := yamlnode.Scalar(s.was)
	if names := refersTo(text); len(names) == 1 && r.params[names[0]] != nil {
		return r.params[names[0]].initial
	}
	return text
}

// sizesBefore is what of a plan's size another one has otherwise.
func sizesBefore(was, is loadgen.Plan) []string {
	var all []string
	if was.Requests != is.Requests {
		all = append(all, fmt.Sprint(was.Requests))
	}
	if was.Connections != is.Connections {
		all = append(all, fmt.Sprint(was.Connections))
	}
	if was.MaxConnections != is.MaxConnections {
		all = append(all, fmt.Sprint(was.MaxConnections))
	}
	if was.Senders != is.Senders {
		all = append(all, fmt.Sprint(was.Senders))
	}
	if was.QPS != is.QPS {
		all = append(all, fmt.Sprint(was.QPS))
	}
	if !slices.Equal(was.Rate, is.Rate) {
		for _, point := range was.Rate {
			all = append(all, fmt.Sprint(point.QPS))
		}
	}
	return all
}

// leaveUntold leaves out the sentences that may say how large a load was before an
// option has changed it.
func (s *Scenario) leaveUntold(former []string) {
	for i, step := range s.Steps {
		if c := step.Conclusion; c != nil && !c.set && len(former) > 0 && saysNumber(c.Plain(), false, former...) {
			message := fmt.Sprintf("the conclusion in line %d has a number that may be of the load in the file, which is another one by -n, -c or --qps, and is left out; name the number by an amount, as in {jason.sent}", c.Line)
			s.without = append(s.without, Warning{File: s.File, Message: message})
			s.Steps[i].Conclusion = nil
		}
	}
}

// small are the words of numbers that say something else so often, such as "one", that
// they count only where they are a size that was changed.
func small(word string) (string, bool) {
	switch word {
	case "single", "once":
		return "1", true
	case "both", "twice":
		return "2", true
	}
	i := slices.Index([]string{"one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"}, word)
	return strconv.Itoa(i + 1), i >= 0
}

// large says whether a word is that of a greater number, or of a part of one.
func large(word string) bool {
	for _, end := range []string{"teen", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety", "dozen", "hundred", "thousand", "million"} {
		if strings.HasSuffix(strings.TrimSuffix(word, "s"), end) {
			return true
		}
	}
	return false
}

// saysNumber says whether a text may say how large a load is of which something was
// former. timed: that is how long it lasts.
func saysNumber(text string, timed bool, former ...string) bool {
	words := strings.FieldsFunc(strings.ToLower(text), func(c rune) bool { return unicode.IsSpace(c) || strings.ContainsRune(`,;:!?()"'`, c) })
	for i, word := range words {
		word = strings.TrimRight(word, ".")
		isTime := isSpan(word) || i+1 < len(words) && isUnit(strings.TrimRight(words[i+1], "."))
		bare := strings.TrimLeft(word, "#~<>=+-±≈") // else it is a name, such as v2 or /status/204
		digits := bare != "" && unicode.IsDigit([]rune(bare)[0]) && !isWeights(bare)
		switch {
		case isTime && timed:
			return true
		case isTime:
			continue
		case digits:
			return true
		}
		for _, part := range strings.Split(word, "-") {
			if value, ok := small(part); ok && slices.Contains(former, value) || large(part) {
				return true
			}
		}
	}
	return false
}

// isSpan says whether a word is a time, such as 7s.
func isSpan(word string) bool {
	_, err := time.ParseDuration(word)
	return err == nil && strings.ContainsFunc(word, unicode.IsLetter)
}

func isUnit(word string) bool {
	return slices.Contains([]string{"ms", "s", "millisecond", "second", "minute", "hour"}, strings.TrimSuffix(word, "s")) || word == "ms" || word == "s"
}

// isWeights says whether a word is two weights of a route, such as 70/30.
func isWeights(word string) bool {
	a, b, found := strings.Cut(word, "/")
	one, wrong := strconv.Atoi(a)
	other, wrongToo := strconv.Atoi(b)
	return found && wrong == nil && wrongToo == nil && one+other == 100
}
