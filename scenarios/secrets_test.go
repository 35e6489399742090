package scenarios

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/report"
)

// telling has a secret in each place that takes one.
const telling = `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: telling}
spec:
  app: bookinfo
  secret: [key]
  params:
    key: sesame-01 # not sesame-01 again
    user-password: sesame-02
    session: sesame-03
    host: productpage
  apply:
    - headers: {service: details, request: {set: {authorization: sesame-04}}}
    - route: {service: reviews, when: {cookie: sesame-05}, to: v2}
    - route: {service: reviews, when: {cookie: sesame-06}, to: v3}
    - rules.yaml
  load:
    jason:
      post: "http://$(host):9080/productpage?access_token=sesame-08&q=$(key)"
      headers:
        Authorization: Bearer $(session)
        cookie: "user=jason; id=sesame-09"
        x-tenant-key: ab
        x-api-key: sesame-10
        x-open: "$(user-password)"
      secret: [X-Tenant-Key, body]
      body: |
        sesame-11

        and more
      requests: 5
  checks:
    lost: {body: sesame-09}
  expect:
    - jason.p50 <= 6.6s
    - jason.share("lost") == 0%
`

const tellingRules = `# sesame-12
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ratings}
spec:
  hosts: [ratings]
  http:
    - match: [{headers: {cookie: {regex: "^.*sesame-12$"}, x-tenant-key: {exact: abc}}}]
      route: [{destination: {host: ratings}}]
`

func readTelling(t *testing.T, text string, set ...string) *Scenario {
	t.Helper()
	s, err := parse("t.yaml", text, set, func(string, int64) (string, error) { return tellingRules, nil })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAReportHasNoSecretOfAScenarioAndItsLinesAreTheFiles(t *testing.T) {
	s := readTelling(t, telling, "load.jason.headers.x-api-key=sesame-13", `params.key="sesame-14"`, `load.jason.body="sesame-15"`)
	if plan := s.Steps[0].Cohorts[0].Plan.HTTP; plan.Header["x-api-key"] != "sesame-13" || plan.Header["Authorization"] != "Bearer sesame-03" || plan.Body != "sesame-15" {
		t.Errorf("what is sent is masked: %+v", plan)
	}
	recorded := s.Recorded()
	all := strings.Join(append([]string{recorded.Text, recorded.Files["rules.yaml"]}, recorded.Set...), "\n") + strings.Join([]string{recorded.Params["key"], recorded.Params["user-password"], recorded.Params["session"]}, "\n")
	if strings.Contains(all, "sesame") || strings.Contains(recorded.Text, ": ab") || strings.Contains(all, "abc") {
		t.Errorf("a secret is in it:\n%s", all)
	}
	if recorded.Params["host"] != "productpage" || !strings.Contains(recorded.Text, "$(host)") || !strings.Contains(recorded.Text, "Bearer $(session)") {
		t.Errorf("what is none is masked, too:\n%s", all)
	}
	for _, where := range []string{"spec.load.jason.headers.x-tenant-key", "spec.load.jason.body", "spec.load.jason.post", "spec.params.key", "spec.params.session", "spec.apply[0].headers.request.set.authorization", "rules.yaml: spec.http[0].match[0].headers.cookie.regex"} {
		if !strings.Contains(strings.Join(recorded.Masked, "\n"), where) {
			t.Errorf("it does not say that %s is masked: %q", where, recorded.Masked)
		}
	}
	again, err := OfRecord(recorded)
	if err != nil {
		t.Fatalf("it cannot be judged: %v\n%s", err, recorded.Text)
	}
	for i, line := range s.Steps[0].Expect {
		if again.Steps[0].Expect[i].Line != line.Line || again.Steps[0].Expect[i].Text() != line.Text() {
			t.Errorf("expectation %d is %q of line %d, and was of line %d", i, again.Steps[0].Expect[i].Text(), again.Steps[0].Expect[i].Line, line.Line)
		}
	}
	if digest := readTelling(t, telling).Recorded().Digest; digest != recorded.Digest || digest == again.Recorded().Digest {
		t.Errorf("the digest is not that of the text as it was read: %s", digest)
	}
}

func TestAScenarioWithoutSecretsIsRecordedAsItIs(t *testing.T) {
	for _, name := range Names() {
		s, err := OfLibrary(name)
		if err != nil {
			t.Fatal(err)
		}
		if recorded := s.Recorded(); recorded.Text != s.Text || recorded.Masked != nil {
			t.Errorf("%s: masked is %q", name, recorded.Masked)
		}
	}
}

func TestWhatIsWrongIsSaidWithoutASecret(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"a value that is none":        {"      requests: 5", "      requests: sesame-09", `not "***"`},
		"YAML that is none":           {"x-api-key: sesame-10", "x-api-key: \"sesame-10", "t.yaml:"},
		"a header twice":              {"x-api-key: sesame-10", "x-api-key: sesame-10\n        x-api-key: sesame-16", "t.yaml:"},
		"a mark that nothing has":     {"[X-Tenant-Key, body]", "[x-tenant-kye]", `no "x-tenant-kye" that could be secret; did you mean x-tenant-key?`},
		"a parameter that is none":    {"secret: [key]", "secret: [kay]", `no parameter "kay" that could be secret; did you mean key?`},
		"a parameter that is no text": {"key: sesame-01 # not sesame-01 again", "key: 12345", "the parameter key is secret, and a whole number"},
	} {
		text := strings.Replace(telling, c.old, c.new, 1)
		_, err := parse("t.yaml", text, nil, func(string, int64) (string, error) { return tellingRules, nil })
		if err == nil {
			t.Errorf("%s: it was read", name)
			continue
		}
		if said := err.Error(); strings.Contains(said, "sesame") || !strings.Contains(said, c.want) {
			t.Errorf("%s: it says %s", name, said)
		}
	}
}

// What a run is judged by cannot be left out: who marks the name of a cohort is told so,
// unless it is no more than a value that happens to be alike.
func TestASecretThatIsANameAsWellLeavesTheNameAlone(t *testing.T) {
	s := readTelling(t, strings.Replace(telling, "x-api-key: sesame-10", "x-api-key: jason", 1))
	again, err := OfRecord(s.Recorded())
	if err != nil {
		t.Fatal(err)
	}
	if name := again.Steps[0].Cohorts[0].Name; name != "jason" {
		t.Errorf("the cohort is %s", name)
	}
	if key := again.Steps[0].Cohorts[0].Plan.HTTP.Header["x-api-key"]; !strings.HasPrefix(key, report.Mask) {
		t.Errorf("the key is %s", key)
	}
}

func TestAPlanIsShownWithoutItsSecrets(t *testing.T) {
	s := readTelling(t, telling)
	shown := s.HidePlan(s.Steps[0].Cohorts[0].Plan).HTTP
	if !strings.HasPrefix(shown.Body, report.Mask) || !strings.HasPrefix(shown.Header["x-tenant-key"], report.Mask) || strings.Contains(shown.URL, "sesame") || strings.Contains(shown.Header["x-open"], "sesame") {
		t.Errorf("it shows %+v", shown)
	}
	if s.Hide("the token sesame-03, and a productpage") != "the token ***14, and a productpage" {
		t.Error("a token that somebody quotes is not masked")
	}
	var none *Error
	if _, err := parse("t.yaml", telling, []string{"load.jason.headers.x-api-key=[sesame-10"}, nil); !errors.As(err, &none) || strings.Contains(err.Error(), "sesame") {
		t.Errorf("a setting that is wrong says %v", err)
	}
}

// pinned has a secret in a place.
const pinned = `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: pinned}
spec:
  app: bookinfo
  summary: "%s"
  secret: [pin]
  params: {pin: "%s"}
  apply:
    - fault: {service: ratings, when: {%s: "%s"}, delay: 20ms}
  load:
    pages:
      get: "http://productpage:9080/productpage%s"
      headers: {x-pin: "%s"}
      body: "%s"
      requests: 5
  expect:
    - pages.max < 3s
`

// TestAShortSecretStandsWhereAllOfAValueIsMasked: elsewhere nobody could find it again in
// what a report quotes.
func TestAShortSecretStandsWhereAllOfAValueIsMasked(t *testing.T) {
	const pin = "$(pin)"
	for name, c := range map[string]struct {
		summary, value, header, match, query, sent, body string
		set                                              []string
		at                                               string // empty: it is read
	}{
		"in a URL":                  {value: "0815", query: "?u=" + pin, at: "t.yaml:13:12"},
		"in a URL, by an option":    {value: "longer-than-that", query: "?u=" + pin, set: []string{`params.pin="0815"`}, at: "t.yaml:13:12"},
		"in a URL, long":            {value: "08154", query: "?u=" + pin},
		"in a URL, by its name":     {value: "0815", query: "?x-token=" + pin, sent: pin},
		"twice in a URL":            {value: "0815", query: "?x-token=" + pin + "&u=" + pin, at: "t.yaml:13:12"},
		"blanks do not make length": {value: " 0815  ", query: "?u=" + pin, at: "t.yaml:13:12"},
		"a whole header":            {value: "0815", sent: pin},
		"a part of a header":        {value: "0815", sent: "pin " + pin, at: "t.yaml:14:24"},
		"a whole body":              {value: "0815", body: pin},
		"a part of a body":          {value: "0815", body: "pin=" + pin, at: "t.yaml:15:13"},
		"in a rule":                 {value: "0815", header: "end-user", match: pin, at: "t.yaml:10:"},
		"in a rule, a credential":   {value: "0815", header: "cookie", match: pin},
		"a word of reports":         {value: "default", query: "?u=" + pin, at: "t.yaml:13:12"},
		"a word, a whole header":    {value: "default", sent: pin},
		"in the summary":            {value: "0815", summary: "With " + pin, at: "t.yaml:6:12"},
	} {
		if c.header == "" {
			c.header, c.match = "end-user", "jason"
		}
		if c.body == "" && c.sent == "" && c.query == "" && c.match != pin && c.summary == "" {
			t.Fatalf("%s: nothing refers to the parameter", name)
		}
		text := fmt.Sprintf(pinned, c.summary, c.value, c.header, c.match, c.query, c.sent, c.body)
		s, err := parse("t.yaml", text, c.set, nil)
		if c.at != "" {
			said := "the parameter pin is secret, and too short to be masked"
			if c.value == "default" {
				said = "the parameter pin is secret, and too common a word of reports to be masked"
			}
			if err == nil || !strings.Contains(err.Error(), c.at) || !strings.Contains(err.Error(), said) || strings.Contains(err.Error(), "0815") || strings.Contains(err.Error(), "default") {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		shown := s.HidePlan(s.Steps[0].Cohorts[0].Plan).HTTP
		if all := fmt.Sprint(s.Recorded(), *shown, s.Hide(s.Steps[0].Cohorts[0].Plan.HTTP.URL)); strings.Contains(all, "0815") {
			t.Errorf("%s: a report has it: %s", name, all)
		}
		if _, err := OfRecord(s.Recorded()); err != nil {
			t.Errorf("%s: it cannot be judged again: %v", name, err)
		}
	}
}

// TestAURLMayReferToASecret: the reference stays in what a report has of it, as it does in
// a header.
func TestAURLMayReferToASecret(t *testing.T) {
	for _, query := range []string{"?access_token=$(pin)", "?u=1&access_token=$(pin)&v=2", "?access_token=a-$(pin)"} {
		text := strings.Replace(fmt.Sprintf(pinned, "", "sesame-20", "end-user", "jason", query, "", ""), "  secret: [pin]\n", "", 1)
		s, err := parse("t.yaml", text, nil, nil)
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		if sent := s.Steps[0].Cohorts[0].Plan.HTTP.URL; !strings.Contains(sent, "sesame-20") {
			t.Errorf("%s: it sends %s", query, sent)
		}
		recorded := s.Recorded()
		if all := fmt.Sprint(recorded, *s.HidePlan(s.Steps[0].Cohorts[0].Plan).HTTP); strings.Contains(all, "sesame-20") || !strings.Contains(recorded.Text, "$(pin)") || strings.Contains(recorded.Text, "a-$(pin)") {
			t.Errorf("%s: a report has %s", query, all)
		}
	}
}

// A run is judged by whom its requests were to, beside what is expected of them.
func TestASecretThatIsTheHostOfALoadIsRefused(t *testing.T) {
	_, err := parse("t.yaml", fmt.Sprintf(pinned, "", "productpage", "end-user", "jason", "", "$(pin)", ""), nil, nil)
	if err == nil || !strings.Contains(err.Error(), "the load pages has a secret in it, that is the value of something else") || strings.Contains(err.Error(), "productpage") {
		t.Errorf("productpage: %v", err)
	}
}

// TestTheExampleOfSecretsIsReadAndMasked: the one of docs/security.md, with the lines that
// it leaves out.
func TestTheExampleOfSecretsIsReadAndMasked(t *testing.T) {
	docs, err := os.ReadFile("../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(docs), "```yaml\nspec:\n  secret:")
	example, _, _ := strings.Cut(rest, "```")
	if !found {
		t.Fatal("there is no example")
	}
	s, err := parse("t.yaml", "apiVersion: meshchaos/v1alpha1\nkind: Scenario\nmetadata: {name: t}\nspec:\n  secret:"+example+"      requests: 5\n  apply: [fault: {service: web, delay: 20ms}]\n  expect: [pages.max < 3s]\n", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	sent := s.Steps[0].Cohorts[0].Plan
	value := s.Params["tenant"]
	if value == "" || !strings.Contains(sent.HTTP.URL, value) {
		t.Errorf("it sends %+v, and the secret is %q", sent.HTTP, value)
	}
	if all := fmt.Sprint(*s.HidePlan(sent).HTTP, s.Recorded()); strings.Contains(all, value) || strings.Contains(all, "abc") || strings.Contains(all, "1234") || !strings.Contains(all, "x-plain:1") {
		t.Errorf("a report has %s", all)
	}
}

// However a secret is written, and wherever a URL has one, the scenario is run, and is shown
// without it.
func TestASecretIsMaskedHoweverItIsWritten(t *testing.T) {
	const text = `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: written}
spec:
  app: httpbin
  apply:
    - redirect: {service: httpbin, uri: "/get?a=1", redirectCode: 302}
  load:
    client: {get: "http://httpbin:8000/get", requests: 60, headers: {x-plain: plain}}
  expect:
    - client.status[302] > 1 # as it is
`
	for name, test := range map[string]struct{ old, new, where string }{
		"escaped":             {"x-plain: plain", `authorization: "S3\x43RET-\u0073esame"`, "spec.load.client.headers.authorization"},
		"with quotes":         {"x-plain: plain", `authorization: "S3CRET-\"sesame\""`, "spec.load.client.headers.authorization"},
		"over lines":          {"x-plain: plain", "authorization: \"S3CRET-\\\n      sesame\"", "spec.load.client.headers.authorization"},
		"in single quotes":    {"x-plain: plain", `authorization: 'S3CRET-''sesame'`, "spec.load.client.headers.authorization"},
		"in a redirect":       {"?a=1", "?token=S3CRET-sesame", "spec.apply[0].redirect.uri"},
		"in a URL of a rule":  {"/get?a=1", "http://u:S3CRET-sesame@web/", "spec.apply[0].redirect.uri"},
		"in a comment":        {"as it is", "see http://web/?token=S3CRET-sesame", "a comment"},
		"in what is expected": {"  expect:", "  checks: {lost: {body: \"?token=S3CRET-sesame\"}}\n  expect:", "spec.checks.lost.body"},
	} {
		s, err := ReadFrom(strings.NewReader(strings.Replace(text, test.old, test.new, 1)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		shown := s.Recorded()
		if strings.Contains(shown.Text, "sesame") || !strings.Contains(strings.Join(shown.Masked, " "), test.where) {
			t.Errorf("%s: masked at %q, of\n%s", name, shown.Masked, shown.Text)
		}
		if _, err := OfRecord(shown); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
