package secret

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// quoting are the fields of a record that may quote what a load sent, what an object has or
// what a service said: they are masked. Whoever adds a field to a record decides here, or
// in kept, which it is.
var quoting = []string{
	"loadgen.Check.Body", "loadgen.Check.Match",
	"loadgen.GRPC.Address", "loadgen.GRPC.Body", "loadgen.GRPC.Connect", "loadgen.GRPC.Header",
	"loadgen.HTTP.Body", "loadgen.HTTP.Connect", "loadgen.HTTP.Header", "loadgen.HTTP.Messages", "loadgen.HTTP.URL",
	"loadgen.Login.Form", "loadgen.Login.URL",
	"loadgen.Outcome.Message",
	"loadgen.Refusal.Words",
	"loadgen.Result.Failure", "loadgen.Result.Other",
	"loadgen.Sender.Lost", "loadgen.Sender.Name",
	"loadgen.StopError.Limit", "loadgen.StopError.Observed",
	"loadgen.TCP.Address", "loadgen.TCP.Connect", "loadgen.TCP.Lines",
	"loadgen.TLS.PrivateKey", "loadgen.TLS.SNI",
	"loadgen.Take.Match", "loadgen.Values.Rows",
	"report.Amount.Source", "report.Amount.Words",
	"report.Bite.Absent", "report.Bite.Source",
	"report.Call.Path",
	"report.Change.After", "report.Change.Before", "report.Change.Left", "report.Change.Proof",
	"report.Compared.Unlike",
	"report.Conclusion.Text",
	"report.Difference.Remarks",
	"report.Doubt.Problem",
	"report.Expectation.KnownBug", "report.Expectation.Limit", "report.Expectation.Observed", "report.Expectation.Reason", "report.Expectation.Source",
	"report.Explained.Note",
	"report.Killer.Problem",
	"report.Mesh.Account", "report.Mesh.Context", "report.Mesh.Server",
	"report.Mutant.Advice", "report.Mutant.Excuse", "report.Mutant.Reason", "report.Mutant.What",
	"report.Observed.Words",
	"report.Quantity.Absent", "report.Quantity.Source",
	"report.Reconciliation.Source",
	"report.Record.Judged", "report.Record.Problems", "report.Record.Warnings",
	"report.Scenario.Files", "report.Scenario.Params", "report.Scenario.Set", "report.Scenario.Summary", "report.Scenario.Text",
	"report.Who.Host", "report.Who.User",
	"report.Window.Cut",
}

// isText says whether a field holds texts.
func isText(of reflect.Type) bool {
	for slices.Contains([]reflect.Kind{reflect.Pointer, reflect.Slice, reflect.Map}, of.Kind()) && of != rawMessage {
		of = of.Elem()
	}
	return of == plainText || of == rawMessage
}

func TestOfEachTextOfARecordItIsDecidedWhetherItIsMasked(t *testing.T) {
	var texts, decided []string
	for _, of := range []reflect.Type{reflect.TypeFor[report.Record](), reflect.TypeFor[report.Mutation]()} {
		eachField(of, map[reflect.Type]bool{}, func(of reflect.Type, field reflect.StructField) {
			if isText(field.Type) {
				texts = append(texts, of.String()+"."+field.Name)
			}
		})
	}
	for of, fields := range kept {
		for _, field := range fields {
			decided = append(decided, of.String()+"."+field)
		}
	}
	decided = append(decided, quoting...)
	slices.Sort(texts)
	slices.Sort(decided)
	if diff := cmp.Diff(slices.Compact(texts), decided); diff != "" {
		t.Errorf("kept and quoting together are not the texts of a record (-texts +decided):\n%s", diff)
	}
}

// filled puts a text into all that holds one, one element into each list and map.
func filled(at reflect.Value, text string, depth int) {
	switch at.Kind() {
	case reflect.Pointer:
		if depth < 12 {
			at.Set(reflect.New(at.Type().Elem()))
			filled(at.Elem(), text, depth+1)
		}
	case reflect.Struct:
		for i := range at.NumField() {
			if at.Type().Field(i).IsExported() {
				filled(at.Field(i), text, depth+1)
			}
		}
	case reflect.Slice:
		if depth < 12 && at.Type() != rawMessage {
			at.Set(reflect.MakeSlice(at.Type(), 1, 1))
			filled(at.Index(0), text, depth+1)
		}
	case reflect.Map:
		value := reflect.New(at.Type().Elem()).Elem()
		filled(value, text, depth+1)
		at.Set(reflect.MakeMap(at.Type()))
		at.SetMapIndex(reflect.ValueOf(text).Convert(at.Type().Key()), value)
	case reflect.String:
		at.SetString(text)
	}
}

// Of a record that is full of a secret, the fields that are kept have it, and no other.
func TestWhatARecordIsReadByIsKeptAndAllElseMasked(t *testing.T) {
	const secret = "sesame-07"
	var record report.Record
	filled(reflect.ValueOf(&record).Elem(), secret, 0)
	var v Values
	v.Add(secret)
	v.Record(&record)
	seen := map[string]bool{}
	var look func(at reflect.Value, place string)
	look = func(at reflect.Value, place string) {
		switch at.Kind() {
		case reflect.Pointer:
			if !at.IsNil() {
				look(at.Elem(), place)
			}
		case reflect.Struct:
			for i := range at.NumField() {
				if field := at.Type().Field(i); field.IsExported() {
					look(at.Field(i), at.Type().String()+"."+field.Name)
				}
			}
		case reflect.Slice, reflect.Array:
			for i := range at.Len() {
				look(at.Index(i), place)
			}
		case reflect.Map:
			for _, value := range at.Seq2() {
				look(value, place)
			}
		case reflect.String:
			if at.Type() == plainText {
				seen[place] = true
				if masks := slices.Contains(quoting, place); masks == (at.String() == secret) {
					t.Errorf("%s: it is %q", place, at)
				}
			}
		}
	}
	look(reflect.ValueOf(record), "")
	if len(seen) < 80 {
		t.Errorf("only %d fields were looked at: %q", len(seen), slices.Sorted(maps.Keys(seen)))
	}
}

func TestAPrivateKeyIsMaskedWhetherOrNotAnythingIsSecret(t *testing.T) {
	plan := loadgen.Plan{TLS: &loadgen.TLS{ClientCertificate: "public", PrivateKey: "-----BEGIN PRIVATE KEY-----"}}
	record := report.Record{Asked: []report.Asked{{Plan: plan}}}
	var v Values
	v.Record(&record)
	if got := record.Asked[0].Plan.TLS; got.PrivateKey != report.Mask || got.ClientCertificate != "public" {
		t.Errorf("it is %+v", got)
	}
	if plan.TLS.PrivateKey == report.Mask {
		t.Error("the plan itself lost it")
	}
}

func TestAWordOfEachReportIsNotLookedFor(t *testing.T) {
	for _, word := range []string{"embedded", "default", "during", "Report", "inconclusive", "pass", "seconds", "windows", "VirtualService", "meshchaos/v1alpha1", "efaul"} {
		var v Values
		v.Add(word)
		if !Common(word) || v.Hide("a "+word+" text") != "a "+word+" text" {
			t.Errorf("%s is masked", word)
		}
		header := v.Plan(loadgen.Plan{HTTP: &loadgen.HTTP{Header: map[string]string{"x-any": word}}}).HTTP.Header["x-any"]
		if header != report.Mask {
			t.Errorf("as the whole of a header %s is %s", word, header)
		}
	}
	for _, word := range []string{"sesame", "hunter2", "default-7", "jason", "changeit"} {
		if Common(word) {
			t.Errorf("%s is taken for a word of each report", word)
		}
	}
}

// What services make of a secret when they quote it: in an answer, a path, a log.
func TestASecretIsHiddenHoweverItIsEscaped(t *testing.T) {
	const secret = `s3/ame+ x"<&>'%ü€𝄞\`
	lower := func(text string) string { // the digits of escapes alone
		var out strings.Builder
		for i := 0; i < len(text); i++ {
			if text[i] == '%' {
				out.WriteString(strings.ToLower(text[i : i+3]))
				i += 2
			} else {
				out.WriteByte(text[i])
			}
		}
		return out.String()
	}
	inJSON := func(escape bool) string {
		var out strings.Builder
		encoder := json.NewEncoder(&out)
		encoder.SetEscapeHTML(escape)
		if err := encoder.Encode(secret); err != nil {
			t.Fatal(err)
		}
		return strings.Trim(strings.TrimSpace(out.String()), `"`)
	}
	for name, form := range map[string]string{
		"as it is":                          secret,
		"in a query":                        url.QueryEscape(secret),
		"in a query, in small letters":      lower(url.QueryEscape(secret)),
		"in a query, a blank as a blank":    strings.ReplaceAll(url.QueryEscape(secret), "+", "%20"),
		"in a path":                         url.PathEscape(secret),
		"in a path, in small letters":       lower(url.PathEscape(secret)),
		"in a path that is in a query":      url.QueryEscape(url.PathEscape(secret)),
		"in JSON":                           inJSON(false),
		"in JSON for HTML":                  inJSON(true),
		"in JSON, its slashes too":          strings.ReplaceAll(inJSON(false), "/", `\/`),
		"in JSON, of ASCII, in big letters": strings.NewReplacer("ü", `\u00FC`, "€", `\u20AC`, "𝄞", `\uD834\uDD1E`).Replace(inJSON(true)),
		"in HTML":                           html.EscapeString(secret),
		"in HTML, by names":                 strings.NewReplacer("&#34;", "&quot;", "&#39;", "&apos;").Replace(html.EscapeString(secret)),
		"in HTML, by big numbers":           strings.NewReplacer("&#34;", "&#x22;", "&#39;", "&#X27;", "/", "&#x2F;").Replace(html.EscapeString(secret)),
		"in a log of Go":                    strings.NewReplacer("\\", `\\`, `"`, `\"`).Replace(secret),
		"in a log, by bytes":                strings.NewReplacer("\\", `\\`, `"`, `\"`, "ü", `\xc3\xbc`).Replace(secret),
		"in base64":                         base64.StdEncoding.EncodeToString([]byte(secret)),
		"in base64 of URLs":                 base64.RawURLEncoding.EncodeToString([]byte(secret)),
	} {
		var v Values
		v.Add(secret)
		if got := v.Hide("a " + form + " b"); got != "a *** b" {
			t.Errorf("%s: %s is shown as %s", name, form, got)
		}
	}
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		var v Values
		v.Add("???>>>~") // of which both alphabets write other letters
		if got := v.Hide("a " + encoding.EncodeToString([]byte("???>>>~")) + " b"); got != "a *** b" {
			t.Errorf("in base64 it is shown as %s", got)
		}
	}
	for _, user := range []string{"a", "ab", "abc"} {
		var v Values
		v.Add("hunter2")
		sent := base64.StdEncoding.EncodeToString([]byte(user + ":hunter2"))
		if got := v.Hide("Basic " + sent); strings.Contains(got, sent[6:len(sent)-3]) || !strings.Contains(got, report.Mask) {
			t.Errorf("the password behind %s: %s", user, got)
		}
	}
}

// A secret that reads like something escaped, and one whose end is a secret too.
func TestASecretIsHiddenThatReadsInTwoWays(t *testing.T) {
	for _, secret := range []string{"p%C3%BCabc", "100%ab", "%2541abc", "a+b+c+d", "a&amp;bcd", `a\u0041bcd`, `C:\new\table`, "swordfish battery"} {
		quoted := strconv.Quote(secret)
		inJSON, err := json.Marshal(secret)
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range []string{
			secret, url.QueryEscape(secret), url.PathEscape(secret), url.QueryEscape(url.QueryEscape(secret)),
			html.EscapeString(secret), quoted[1 : len(quoted)-1], string(inJSON[1 : len(inJSON)-1]),
		} {
			var v Values
			v.Add(secret)
			if got := v.Hide("a " + form + " b"); got != "a *** b" {
				t.Errorf("%s as %s is shown as %s", secret, form, got)
			}
		}
	}
}

func TestACredentialOfAURLIsMaskedByItsNameInAURLThatIsEscaped(t *testing.T) {
	var v Values
	for text, want := range map[string]string{
		`{"url": "/x?a=1\u0026access_token=ab\u0026b=2"}`: `{"url": "/x?a=1\u0026access_token=***\u0026b=2"}`,
		`<a href="/x?a=1&amp;access_token=ab&amp;b=2">`:   `<a href="/x?a=1&amp;access_token=***&amp;b=2">`,
		`/to?next=%2Fx%3Faccess_token%3Dab`:               `/to?next=%2Fx%3Faccess_token%3D***`,
		`/to?next=%2fx%3faccess_token%3dab`:               `/to?next=%2fx%3faccess_token%3d***`,
		`/to?next=%2Fx%3Faccess_token%3Dab%26b%3D2&c=3`:   `/to?next=%2Fx%3Faccess_token%3D***%26b%3D2&c=3`,
		`/to?n=%3Fa_token%3Dab%26b_token%3Dcd%23top`:      `/to?n=%3Fa_token%3D***%26b_token%3D***%23top`,
	} {
		if got := v.Hide(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	v.InURL("http://x/to?next=%2Fx%3Faccess_token%3Dzebra-99%26b%3D2")
	if got := v.Hide("a zebra-99 b"); got != "a *** b" {
		t.Errorf("elsewhere it is shown as %s", got)
	}
}
