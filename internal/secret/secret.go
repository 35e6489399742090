// Package secret keeps out of a report what is not for everybody who reads it: the
// values of headers that carry credentials, and what a scenario marks.
//
// It may import report and loadgen.
package secret

import (
	"cmp"
	"encoding/base64"
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
	escaped  []masked // what is looked for letter by letter, the longest first: one may be within another
}

// Clone returns values to which others can be added.
func (v *Values) Clone() *Values {
	same := *v
	same.numbers, same.headers, same.parts, same.replacer = maps.Clone(v.numbers), maps.Clone(v.headers), maps.Clone(v.parts), nil
	return &same
}

// Short says whether a value is too short to be looked for wherever it may appear.
func Short(value string) bool { return value != "" && len(strings.TrimSpace(value)) < Fewest }

// Common says whether a value is a word that reports have anyway, or a part of one: it
// stands where it is no secret, and a mask there would tell what it is.
func Common(value string) bool {
	value = strings.ToLower(strings.TrimSpace(value))
	return value != "" && slices.ContainsFunc(words(), func(word string) bool { return strings.Contains(word, value) })
}

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

// looked says whether a secret is looked for wherever it may appear, as it is or encoded.
func (v *Values) looked(value string) bool {
	return !v.open[value] || !v.spared && !v.parts[value]
}

// tells says whether a form of a secret is no other text by chance.
func tells(form string) bool { return len(form) >= Fewest && !Common(form) }

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
// Bearer, what Basic has encoded, the parameters of Digest and the like that are some,
// each cookie.
func (v *Values) Add(value string) {
	v.add(value)
	delete(v.parts, value)
	if scheme, params, found := strings.Cut(strings.TrimSpace(value), " "); found && !strings.ContainsAny(scheme, "=;:") && isParams.MatchString(params) {
		for _, m := range param.FindAllStringSubmatch(params, -1) {
			if !slices.Contains(public, strings.ToLower(m[1])) {
				v.part(strings.Trim(m[2], `"`))
			}
		}
		return
	}
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

// The parameters of an authorization such as Digest (RFC 9110, 11.4), told from a token that
// ends in =.
var (
	isParams = regexp.MustCompile(`^[A-Za-z0-9*_-]+=[^=\s]`)
	param    = regexp.MustCompile(`([A-Za-z0-9*_-]+)=("[^"]*"|[^\s,]+)`)
)

// public are those of them that are no credentials, in lower case: who it is, for what, and
// how the rest was reckoned (RFC 7616, 3.4; AWS4-HMAC-SHA256).
var public = []string{"username", "username*", "userhash", "realm", "uri", "qop", "algorithm", "nc", "domain", "charset", "stale", "signedheaders"}

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

// The parts of a URL that are credentials: by their place, and by their name. A URL may
// stand in JSON, in HTML or in another URL, and be escaped for that.
var (
	userinfo = regexp.MustCompile(`(://[^/?#\s:@"']*:)([^/?#\s@"']+)@`)
	query    = regexp.MustCompile(`([?&;]|(?i:%3f|%26|\\u003f|\\u0026))([A-Za-z0-9_.%\[\]-]+?)(=|(?i:%3d|\\u003d))((?:\{\{[^{}]*\}\}|[^&;#\s"'<>,}\\]|\\[^u"'])+)`)
)

// nextInner ends a parameter of a URL that is escaped within another.
var nextInner = regexp.MustCompile(`(?i)%26|%23`)

// Hide masks each secret in a text, in the forms that a URL, JSON, HTML or base64 give it,
// and the password and the parameters of a URL that are credentials by their name. What
// only refers to a secret stays.
func (v *Values) Hide(text string) string {
	text = userinfo.ReplaceAllStringFunc(text, func(found string) string {
		m := userinfo.FindStringSubmatch(found)
		return m[1] + v.inPlace(m[2]) + "@"
	})
	text = v.inQuery(text, v.inPlace)
	if len(v.numbers) == 0 {
		return text
	}
	v.Prepare()
	for _, one := range v.escaped { // first: the end of one may be another, as it is
		text = one.hideEscaped(text)
	}
	return v.replacer.Replace(text)
}

// inQuery puts something into the place of each parameter of a URL that is a credential by
// its name, and of each of a URL in the value of another.
func (v *Values) inQuery(text string, instead func(value string) string) string {
	return query.ReplaceAllStringFunc(text, func(found string) string {
		m := query.FindStringSubmatch(found)
		if plain, err := url.QueryUnescape(m[2]); v.Header(m[2]) || err == nil && v.Header(plain) {
			value, rest := m[4], ""
			if end := nextInner.FindStringIndex(value); end != nil && strings.EqualFold(m[3], "%3d") {
				value, rest = value[:end[0]], value[end[0]:]
			}
			return m[1] + m[2] + m[3] + instead(value) + v.inQuery(rest, instead)
		}
		return m[1] + m[2] + m[3] + v.inQuery(m[4], instead)
	})
}

// inPlace is what stands in the place of a credential of a URL.
func (v *Values) inPlace(value string) string {
	if v.Keep != nil && v.Keep.MatchString(value) {
		return v.whole(value)
	}
	return report.Mask
}

// Prepare makes ready what Hide takes, so that several may hide at once.
func (v *Values) Prepare() {
	if v.replacer != nil {
		return
	}
	of := map[string]string{}
	for value := range v.numbers {
		for _, form := range formsOf(value) {
			if tells(form) && v.looked(value) {
				of[form] = v.mask(value)
			}
		}
	}
	longest := func(a, b string) int { return cmp.Or(len(b)-len(a), cmp.Compare(a, b)) } // one may be within another
	var pairs []string
	for _, form := range slices.SortedFunc(maps.Keys(of), longest) {
		pairs = append(pairs, form, of[form])
	}
	v.escaped = nil
	for _, value := range slices.SortedFunc(maps.Keys(v.numbers), longest) {
		if tells(value) && v.looked(value) {
			v.escaped = append(v.escaped, masked{value, v.mask(value)})
		}
	}
	v.replacer = strings.NewReplacer(pairs...)
}

// leastEncoded is how many letters of base64 are looked for: fewer appear by chance.
const leastEncoded = 6

// formsOf are a value itself, and what base64 makes of it: alone, and, where it is long
// enough to be found by that, behind other bytes, as a password behind its user.
func formsOf(value string) []string {
	raw := []byte(value)
	forms := []string{value, strings.TrimSpace(value)}
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		forms = append(forms, encoding.EncodeToString(raw), encoding.WithPadding(base64.NoPadding).EncodeToString(raw))
		for before := range 3 {
			within := encoding.EncodeToString(append(make([]byte, before), raw...))
			begin, end := (8*before+5)/6, 8*(before+len(raw))/6 // the letters that are of the value alone
			if end-begin >= leastEncoded {
				forms = append(forms, within[begin:end])
			}
		}
	}
	return forms
}

// InURL adds, and returns, the secrets of a URL that their place shows to be some.
func (v *Values) InURL(text string) []string {
	var found []string
	for _, m := range userinfo.FindAllStringSubmatch(text, -1) {
		found = append(found, m[2])
		v.addEscaped(strings.TrimPrefix(m[1], "://") + m[2]) // as Basic sends it
	}
	v.inQuery(text, func(value string) string {
		found = append(found, value)
		return value
	})
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
	v.Prepare()
	for _, one := range v.escaped {
		text = strings.ReplaceAll(text, one.value, stars(one.value))
	}
	return text
}
