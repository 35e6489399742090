// Package secret keeps out of a report what is not for everybody who reads it: the
// values of headers that carry credentials, and what a scenario marks.
//
// It may import report and loadgen.
package secret

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/meshchaos/meshchaos/report"
)

// pattern is report.Mask where an RE2 expression is to stand.
const pattern = `\*\*\*`

// Fewest is how many bytes a value has at least that is looked for wherever it may
// appear: a shorter one appears by chance.
const Fewest = 5

// known are headers, and other names, whose values are credentials.
var known = []string{"authorization", "cookie", "set-cookie", "x-amz-security-token", "x-csrf-token", "jwt", "x-jwt-assertion"}

// ends are how the names of credentials end, but for - and _ in them.
var ends = []string{"authorization", "apikey", "accesskey", "secretkey", "token", "secret", "password", "passwd", "passphrase", "credential", "sessionid"}

// Name says whether a header, or a parameter of a URL or of a scenario, is taken for a
// credential by its name.
func Name(name string) bool {
	name = strings.ToLower(name)
	bare := strings.NewReplacer("-", "", "_", "", ".", "").Replace(name)
	return slices.Contains(known, name) || slices.ContainsFunc(ends, func(end string) bool { return strings.HasSuffix(bare, end) })
}

// Values are the secrets of a scenario. The zero value has none, and hides what its
// place alone shows to be one. They may not be added to while something is hidden.
type Values struct {
	Keep *regexp.Regexp // what stays of a value that stands in a scenario, since it only refers to another

	numbers map[string]int // of each secret, in the order that they were found in
	headers map[string]bool
	parts   map[string]bool // those that are no more than a part of one
	open    map[string]bool // what the scenario calls something by

	spared   bool // what it says openly is left there, a whole secret as well
	numbered bool // masks tell one secret from another
	replacer *strings.Replacer
}

// Clone returns values to which others can be added.
func (v *Values) Clone() *Values {
	same := *v
	same.numbers, same.headers, same.parts, same.replacer = maps.Clone(v.numbers), maps.Clone(v.headers), maps.Clone(v.parts), nil
	return &same
}

// Short says whether a value is too short to be looked for wherever it may appear.
func Short(value string) bool { return value != "" && len(strings.TrimSpace(value)) < Fewest }

// Any says whether there is a secret.
func (v *Values) Any() bool { return len(v.numbers) > 0 }

// Number has masks tell one secret from another.
func (v *Values) Number() { v.numbered, v.replacer = true, nil }

// Open tells what the scenario calls something by: a cookie of that content is no secret
// wherever else it stands.
func (v *Values) Open(texts map[string]bool) { v.open, v.replacer = texts, nil }

// Spare leaves texts that the scenario says openly where they are, even those that are a
// whole secret as well.
func (v *Values) Spare(texts map[string]bool) { v.open, v.spared, v.replacer = texts, true, nil }

// looked says whether a secret is looked for wherever it may appear.
func (v *Values) looked(value string) bool {
	return !v.open[value] || !v.spared && !v.parts[value]
}

// Mark has the values of a header be secrets.
func (v *Values) Mark(header string) {
	if v.headers == nil {
		v.headers = map[string]bool{}
	}
	v.headers[strings.ToLower(header)] = true
}

// Header says whether the values of a header are secrets.
func (v *Values) Header(name string) bool { return Name(name) || v.headers[strings.ToLower(name)] }

// Add adds the value of something, and the credentials within it: the token behind
// Bearer, what Basic has encoded, each cookie.
func (v *Values) Add(value string) {
	v.add(value)
	delete(v.parts, value)
	if scheme, rest, found := strings.Cut(strings.TrimSpace(value), " "); found && !strings.ContainsAny(scheme, "=;:") && !strings.Contains(rest, " ") {
		v.add(rest)
		if plain, err := base64.StdEncoding.DecodeString(rest); err == nil && utf8.Valid(plain) {
			v.add(string(plain))
			if _, password, found := strings.Cut(string(plain), ":"); found {
				v.add(password)
			}
		}
	}
	for _, cookie := range strings.Split(value, ";") {
		if _, content, found := strings.Cut(cookie, "="); found {
			v.part(strings.TrimSpace(content))
		}
	}
}

// leastRun is how many letters of an expression stand for themselves in one piece, if they
// are looked for elsewhere.
const leastRun = 8

var run = regexp.MustCompile(`[A-Za-z0-9_-]+`)

// AddPattern adds what an RE2 expression asks for literally.
func (v *Values) AddPattern(text string) {
	for _, piece := range run.FindAllString(text, -1) {
		if len(piece) >= leastRun {
			v.part(piece)
		}
	}
}

// part adds a value that is no more than a part of another.
func (v *Values) part(value string) {
	if _, there := v.numbers[value]; there {
		return
	}
	if v.parts == nil {
		v.parts = map[string]bool{}
	}
	v.parts[value] = true
	v.add(value)
}

func (v *Values) add(value string) {
	if trimmed := strings.TrimSpace(value); trimmed == "" || strings.Trim(trimmed, `*\0123456789`) == "" && strings.Contains(trimmed, "*") {
		return // it is a mask
	}
	if v.numbers == nil {
		v.numbers = map[string]int{}
	}
	if _, there := v.numbers[value]; !there {
		v.numbers[value], v.replacer = 1+len(v.numbers), nil
	}
}

// mask is what stands in the place of a value.
func (v *Values) mask(value string) string {
	if n := v.numbers[value]; v.numbered && n > 1 {
		return report.Mask + strconv.Itoa(n)
	}
	return report.Mask
}

// Is says whether a text is a secret as a whole, however short.
func (v *Values) Is(text string) bool { return v.numbers[text] > 0 }

var (
	userinfo = regexp.MustCompile(`(://[^/?#\s:@"']*:)([^/?#\s@"']+)@`)
	query    = regexp.MustCompile(`([?&;])([A-Za-z0-9_.%\[\]-]+)=([^&;#\s"'<>,}]+)`)
)

// Hide masks each secret in a text, in the forms that a URL, JSON or base64 give it, and
// the password and the parameters of a URL that are credentials by their name.
func (v *Values) Hide(text string) string {
	text = userinfo.ReplaceAllString(text, "${1}"+report.Mask+"@")
	text = query.ReplaceAllStringFunc(text, func(found string) string {
		name, _, _ := strings.Cut(found[1:], "=")
		if plain, err := url.QueryUnescape(name); !v.Header(name) && (err != nil || !v.Header(plain)) {
			return found
		}
		return found[:1] + name + "=" + report.Mask
	})
	if len(v.numbers) == 0 {
		return text
	}
	return v.replacement().Replace(text)
}

// Prepare makes ready what Hide takes, so that several may hide at once.
func (v *Values) Prepare() { v.replacement() }

func (v *Values) replacement() *strings.Replacer {
	if v.replacer != nil {
		return v.replacer
	}
	of := map[string]string{}
	for value := range v.numbers {
		for _, form := range formsOf(value) {
			if len(form) >= Fewest && v.looked(value) {
				of[form] = v.mask(value)
			}
		}
	}
	forms := slices.SortedFunc(maps.Keys(of), func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, form := range forms {
		pairs = append(pairs, form, of[form])
	}
	v.replacer = strings.NewReplacer(pairs...)
	return v.replacer
}

func formsOf(value string) []string {
	inJSON, _ := json.Marshal(value) // a text always can be
	quoted := strconv.Quote(value)
	raw := []byte(value)
	return []string{
		value, strings.TrimSpace(value), string(inJSON[1 : len(inJSON)-1]), quoted[1 : len(quoted)-1], url.QueryEscape(value), url.PathEscape(value),
		base64.StdEncoding.EncodeToString(raw), base64.RawStdEncoding.EncodeToString(raw), base64.URLEncoding.EncodeToString(raw), base64.RawURLEncoding.EncodeToString(raw),
	}
}

// InURL adds, and returns, the secrets of a URL that their place shows to be some.
func (v *Values) InURL(text string) []string {
	var found []string
	for _, m := range userinfo.FindAllStringSubmatch(text, -1) {
		found = append(found, m[2])
	}
	for _, m := range query.FindAllStringSubmatch(text, -1) {
		if v.Header(m[2]) {
			found = append(found, m[3])
		}
	}
	for _, value := range found {
		v.addEscaped(value)
	}
	return found
}

func (v *Values) addEscaped(value string) {
	if v.Keep != nil && v.Keep.MatchString(value) || value == report.Mask {
		return
	}
	v.add(value)
	if plain, err := url.QueryUnescape(value); err == nil {
		v.add(plain)
	}
}

// inLine is the value of a header in a line of YAML.
var inLine = regexp.MustCompile(`([A-Za-z][A-Za-z0-9_.-]*)(["']?\s*[:=]\s*)("[^"]*"?|'[^']*'?|[^,}\]\s{\[][^,}\]]*)`)

// Line masks, letter by letter so that what stands behind keeps its column, the secrets of
// a line that may be no YAML.
func (v *Values) Line(line string) string {
	stars := func(s string) string { return strings.Repeat("*", utf8.RuneCountInString(s)) }
	var out strings.Builder
	last := 0
	for _, m := range inLine.FindAllStringSubmatchIndex(line, -1) {
		if v.Header(line[m[2]:m[3]]) {
			out.WriteString(line[last:m[6]] + stars(line[m[6]:m[7]]))
			last = m[7]
		}
	}
	text := out.String() + line[last:]
	for _, value := range slices.SortedFunc(maps.Keys(v.numbers), func(a, b string) int { return len(b) - len(a) }) { // one may be within another
		if len(value) >= Fewest && v.looked(value) {
			text = strings.ReplaceAll(text, value, stars(value))
		}
	}
	return text
}
