package secret

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

func TestCredentialsAreKnownByTheirNames(t *testing.T) {
	for name, want := range map[string]bool{
		"Authorization": true, "proxy-authorization": true, "Cookie": true, "set-cookie": true, "X-Api-Key": true, "x_api_key": true, "apikey": true,
		"x-auth-token": true, "access_token": true, "client-secret": true, "db.password": true, "X-Session-Id": true,
		"x-request-id": false, "end-user": false, "host": false, "tokens": false, "allowCredentials": false, "secretary": false, "x-forwarded-for": false, "key": false,
	} {
		if Name(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}

func TestASecretIsHiddenInEachForm(t *testing.T) {
	var v Values
	v.Add("Bearer s3same/+x")
	v.Add(`Basic dXNlcjpvcGVuIHNlc2FtZQ==`) // user:open sesame
	v.Add("id=s3cret-id; theme=dark")
	v.Add("kurz")
	for text, want := range map[string]string{
		"was Bearer s3same/+x":                    "was ***",
		"token s3same/+x, twice: s3same/+x":       "token ***, twice: ***",
		"/path?q=s3same%2F%2Bx&r=1":               "/path?q=***&r=1",
		"czNzYW1lLyt4 is it in base64":            "*** is it in base64",
		"the password open sesame":                "the password ***",
		"cookie s3cret-id":                        "cookie ***",
		"a dark night, and a kurzer Tag":          "a dark night, and a kurzer Tag",
		"http://jason:hunter2@shop/x?a=1":         "http://jason:***@shop/x?a=1",
		"/x?access_token=ab&b=2&api_key=c;":       "/x?access_token=***&b=2&api_key=***;",
		`{"q": "s3same/+x"}`:                      `{"q": "***"}`,
		"5.9s <= jason.p50 && a.share(503) == 0%": "5.9s <= jason.p50 && a.share(503) == 0%",
	} {
		if got := v.Hide(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestATextKeepsItsLinesAndComments(t *testing.T) {
	text := "# the sesame-1 of all\na: 'sesame-1' # and sesame-1\nb: {c: \"x sesame-1\\\" y\", d: sesame-1 text, e: 5}\nbody: |\n  first\n\n  sesame-1\n\nf: short\ng: >-\n  a\n  b\nh: $(p) $$(q)\n\ni: Bearer $(p)\n---\nlast: sesame-1\r\nk: ü\n"
	want := "# the *** of all\na: \"***\" # and ***\nb: {c: \"x ***\\\" y\", d: \"*** text\", e: 5}\nbody: \"***\"\n\n\n\n\nf: \"***\"\ng: \"***\"\n\n\nh: $(p) $$(q)\n\ni: Bearer $(p)\n---\nlast: \"***\"\r\nk: ü\n"
	v := Values{Keep: regexp.MustCompile(`\$?\$\(([a-z]+)\)`)}
	v.Add("sesame-1")
	got, ok := v.Text(text, map[Place]Form{{4, 7}: Plain, {9, 4}: Plain, {10, 4}: Plain, {13, 4}: Plain, {15, 4}: Plain})
	if diff := cmp.Diff(want, got); !ok || diff != "" {
		t.Errorf("ok %v (-want +got):\n%s", ok, diff)
	}
	if strings.Count(got, "\n") != strings.Count(text, "\n") {
		t.Error("it has another number of lines")
	}
}

func TestALineIsMaskedLetterByLetter(t *testing.T) {
	var v Values
	v.Mark("x-tenant")
	v.Add("open sesame")
	v.Add("open sesame at night")
	for line, want := range map[string]string{
		`  a: {headers: {authorization: Bearer x, X-Tenant: "abc"}, requests: many} # open sesame`: `  a: {headers: {authorization: ********, X-Tenant: *****}, requests: many} # ***********`,
		`    cookie: ü=1; b=2`:               `    cookie: ********`,
		`    # open sesame at night, or not`: `    # ********************, or not`,
		`--set load.a.headers.x-api-key=abc`: `--set load.a.headers.x-api-key=***`,
		`  token: {get: "http://a"}`:         `  token: {get: "http://a"}`,
	} {
		if got := v.Line(line); got != want {
			t.Errorf("%s:\n%s, want\n%s", line, got, want)
		}
	}
}

// A change may have what is no manifest, and it is in the record all the same.
func TestWhatIsNoManifestIsMaskedAsAText(t *testing.T) {
	for _, text := range []string{`{"note": sesame-5`, `{"note":"fine"} sesame-5`, `<sesame-5>`} {
		var v Values
		v.Add("sesame-5")
		record := &report.Record{Changes: []report.Change{{Before: json.RawMessage(text), After: json.RawMessage(text), Left: json.RawMessage(text)}}}
		v.Record(record)
		for _, shown := range []json.RawMessage{record.Changes[0].Before, record.Changes[0].After, record.Changes[0].Left} {
			if strings.Contains(string(shown), "sesame-5") || !strings.Contains(string(shown), report.Mask) {
				t.Errorf("%s: it is %s", text, shown)
			}
		}
	}
}

// What one object shows to be a secret another may quote, also one that was written before.
func TestAManifestIsMaskedByWhatALaterOneShows(t *testing.T) {
	var v Values
	record := &report.Record{Changes: []report.Change{
		{Before: json.RawMessage(`{"metadata":{"annotations":{"was":"authorization: sesame-6"}}}`)},
		{After: json.RawMessage(`{"spec":{"headers":{"set":{"authorization":"sesame-6"}}}}`)},
	}}
	v.Record(record)
	if shown := string(record.Changes[0].Before); strings.Contains(shown, "sesame-6") {
		t.Errorf("it is %s", shown)
	}
}

func TestARecordIsMaskedAndThePlanThatItIsOfStays(t *testing.T) {
	var v Values
	v.Mark("x-tenant")
	v.Add("ab")
	plan := loadgen.Plan{
		HTTP:   &loadgen.HTTP{URL: "http://web/?token=zz", Header: map[string]string{"Cookie": "a=b", "x-tenant": "ab", "x-y": "fine"}, Body: "ab", Login: &loadgen.Login{URL: "http://web/login", Form: map[string]string{"username": "jason", "password": "pw"}}},
		Checks: []loadgen.Check{{Name: "c", Body: "sesame-4"}},
	}
	manifest := `{"spec":{"http":[{"match":[{"headers":{"cookie":{"regex":"^sesame-4$"}}}],"headers":{"request":{"set":{"authorization":"sesame-4"},"remove":["cookie"]}}}]},"metadata":{"annotations":{"last":"{\"authorization\":\"sesame-4\"}"},"generation":12345678901234567890}}`
	record := &report.Record{
		Asked: []report.Asked{{Cohort: "a", Plan: plan}}, Problems: []string{"it said sesame-4"},
		Changes: []report.Change{{Object: "x", After: json.RawMessage(manifest)}},
		Windows: []report.Window{{Loads: map[string]*loadgen.Result{"a": {Failure: "answered sesame-4"}}, Calls: []report.Explained{{Call: &report.Call{Path: "/?token=zz", Calls: []report.Call{{Path: "/?a=sesame-4"}}}}}}},
	}
	v.Record(record)
	text, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"sesame-4", `"ab"`, "zz", "a=b", `"pw"`} {
		if strings.Contains(string(text), secret) {
			t.Errorf("it has %s: %s", secret, text)
		}
	}
	for _, kept := range []string{`"x-y":"fine"`, `"username":"jason"`, `"remove":["cookie"]`, "12345678901234567890", `"regex":"\\*\\*\\*"`} {
		if !strings.Contains(string(text), kept) {
			t.Errorf("it has no %s: %s", kept, text)
		}
	}
	if plan.HTTP.Header["Cookie"] != "a=b" || plan.Checks[0].Body != "sesame-4" || plan.HTTP.Login.Form["password"] != "pw" {
		t.Errorf("what is sent was changed: %+v", plan)
	}
}

// Of Digest and its like, what is public is looked for nowhere: it is a name, or a word.
func TestOfAnAuthorizationWithParametersTheCredentialsAloneAreLookedFor(t *testing.T) {
	for value, want := range map[string]string{
		`Digest username=alice, realm="the shop", uri=/admin, algorithm=SHA-256, nonce="n0nce-sesame", response="resp-sesame"`: "alice the shop /admin SHA-256 *** ***",
		`Digest username=alice`:            "alice the shop /admin SHA-256 n0nce-sesame resp-sesame",
		`Token resp-sesame=`:               "alice the shop /admin SHA-256 n0nce-sesame resp-sesame",
		`Bearer resp-sesame`:               "alice the shop /admin SHA-256 n0nce-sesame ***",
		`user=alice; id=resp-sesame`:       "*** the shop /admin SHA-256 n0nce-sesame ***",
		`Custom pin=resp-sesame,user=bob1`: "alice the shop /admin SHA-256 n0nce-sesame ***",
	} {
		var v Values
		v.Add(value)
		if got := v.Hide("alice the shop /admin SHA-256 n0nce-sesame resp-sesame"); got != want {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
		if got := v.Hide("it was " + value); strings.Contains(got, value) {
			t.Errorf("%s is shown as %q", value, got)
		}
	}
}
