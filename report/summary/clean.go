package summary

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// mostShown is how many bytes of a text are shown.
const mostShown = 4000

// escapes are what a terminal takes for an order: control sequences, and strings such
// as the title of its window.
var escapes = regexp.MustCompile("(?s)(\x1b\\[|\u009b)[0-?]*[ -/]*[@-~]|(\x1b[\\]PX^_]|[\u009d\u0090\u0098\u009e\u009f]).*?(\x07|\x1b\\\\|\u009c)|\x1b[ -/]*[0-~]")

// Text is a text on one line, without what could act on whoever shows it: terminal
// escapes, control characters, what turns the direction of writing. What is no UTF-8
// stands as �. Of one that is very long it is the beginning.
func Text(text string) string {
	if len(text) <= mostShown {
		return strings.TrimSpace(plain(text, false))
	}
	end := mostShown
	for end > mostShown-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return strings.TrimSpace(plain(text[:end], false)) + fmt.Sprintf("… (the beginning of %d bytes)", len(text))
}

// Short is a text, or its beginning where it has more characters than that.
func Short(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// Lines is Text of several lines, whole.
func Lines(text string) string { return plain(text, true) }

func plain(text string, lines bool) string {
	text = escapes.ReplaceAllString(strings.ToValidUTF8(text, "\uFFFD"), "")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' && lines, r == '\t' && lines:
			return r
		case unicode.IsSpace(r):
			return ' '
		case harmful(r):
			return -1
		}
		return r
	}, text)
}

// harmful are control characters, and those without a width that change what is around
// them.
func harmful(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}

// JSON is a manifest in which nothing acts on whoever shows it: what would is written
// as JSON's \u, so that it is the same manifest.
func JSON(manifest []byte) string {
	var out strings.Builder
	for _, r := range string(manifest) {
		switch {
		case !harmful(r):
			out.WriteRune(r)
		case r > 0xffff:
			high, low := (r-0x10000)>>10+0xd800, (r-0x10000)&0x3ff+0xdc00
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.String()
}

// Clean is a record whose texts are as Text has them; the scenario's own have their
// lines. Services, files and whoever sent a record have a say in them, so no face shows
// them otherwise.
func Clean(r *report.Record) *report.Record {
	clean := new(report.Record)
	into(reflect.ValueOf(clean).Elem(), reflect.ValueOf(r).Elem())
	clean.Scenario.Text = Lines(r.Scenario.Text)
	for name, text := range r.Scenario.Files {
		clean.Scenario.Files[Text(name)] = Lines(text)
	}
	return clean
}

// CleanMutation does the same for mutants.
func CleanMutation(m *report.Mutation) *report.Mutation {
	clean := new(report.Mutation)
	into(reflect.ValueOf(clean).Elem(), reflect.ValueOf(m).Elem())
	return clean
}

// into copies a value, and cleans its texts.
func into(to, from reflect.Value) {
	switch from.Kind() {
	case reflect.String:
		to.SetString(Text(from.String()))
	case reflect.Pointer:
		if from.IsNil() || from.Type() == reflect.TypeFor[*loadgen.Histogram]() {
			to.Set(from)
			return
		}
		to.Set(reflect.New(from.Type().Elem()))
		into(to.Elem(), from.Elem())
	case reflect.Slice:
		if from.IsNil() || from.Type().Elem().Kind() == reflect.Uint8 {
			to.Set(from)
			return
		}
		to.Set(reflect.MakeSlice(from.Type(), from.Len(), from.Len()))
		for i := range from.Len() {
			into(to.Index(i), from.Index(i))
		}
	case reflect.Map:
		intoMap(to, from)
	case reflect.Struct:
		to.Set(from)
		for i := range from.NumField() {
			if from.Type().Field(i).IsExported() {
				into(to.Field(i), from.Field(i))
			}
		}
	default:
		to.Set(from)
	}
}

func intoMap(to, from reflect.Value) {
	if from.IsNil() {
		to.Set(from)
		return
	}
	to.Set(reflect.MakeMapWithSize(from.Type(), from.Len()))
	for _, key := range from.MapKeys() {
		clean, value := reflect.New(key.Type()).Elem(), reflect.New(from.Type().Elem()).Elem()
		into(clean, key)
		into(value, from.MapIndex(key))
		to.SetMapIndex(clean, value)
	}
}
