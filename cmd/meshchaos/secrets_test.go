package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/report"
)

// secretive has a secret in each place of a scenario that takes one.
const secretive = `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: secretive}
spec:
  app: bookinfo
  secret: [tenant]
  params:
    tenant: tenant-sesame
    api-token: token-sesame
  apply:
    - headers: {service: details, request: {set: {authorization: Bearer rule-sesame, x-tenant-key: key}}}
    - fault: {service: ratings, when: {end-user: jason}, delay: 20ms}
    - rules.yaml
  load:
    bearer:
      get: "http://productpage:9080/productpage?u=normal&access_token=query-sesame&q=$(tenant)"
      connections: 1
      requests: 5
      headers: {authorization: Bearer bearer-sesame, cookie: id=cookie-sesame, x-tenant-key: header-sesame, x-api-key: first-sesame, x-also: "$(api-token)"}
      secret: [x-tenant-key, body]
      body: a body-sesame within # comment-sesame is not one
    jason: {get: "http://productpage:9080/productpage", as: jason, connections: 1, requests: 5}
  expect:
    - bearer.status[200] == bearer.sent
    - jason.status[200] == jason.sent
    - 0 < faults(ratings)
`

const secretiveRules = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews}
spec:
  hosts: [reviews]
  http:
    - match: [{headers: {cookie: {regex: ".*pattern-sesame.*"}}}]
      route: [{destination: {host: reviews}}]
      timeout: 5s
    - route: [{destination: {host: reviews}}]
      timeout: 6s
`

// theSecrets are those of secretive, and of the setting that is given.
var theSecrets = []string{
	"tenant-sesame", "token-sesame", "rule-sesame", "query-sesame", "bearer-sesame", "cookie-sesame", "header-sesame", "first-sesame", "second-sesame",
	"a body-sesame within", "pattern-sesame", "id=cookie-sesame", "Bearer bearer-sesame",
}

// TestNoSecretIsInWhatARunLeavesOrSays searches all of it, also of a run that fails, that
// comes to nothing, that is refused, and that is judged again.
func TestNoSecretIsInWhatARunLeavesOrSays(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("rules.yaml", secretiveRules)
	set := "load.bearer.headers.x-api-key=second-sesame"
	for name, c := range map[string]struct {
		old, new string
		status   int
		has      string
	}{
		// The cookie that the rule asks for nobody has.
		"inconclusive": {"0 < faults", "0 < faults", exitInconclusive, "inconclusive"},
		"passed":       {"    - rules.yaml\n", "", exitPass, "pass"},
		"failed":       {"0 < faults(ratings)", "0 == faults(ratings)", exitFail, "FAIL"},
		"refused":      {"requests: 5\n", "requests: first-sesame\n", exitUsage, "requests takes a whole number"},
		"of nobody":    {"service: details", "service: rule-sesame", exitUsage, "no service"},
	} {
		t.Run(name, func(t *testing.T) {
			file, dir := write(strings.ReplaceAll(name, " ", "-")+".yaml", strings.Replace(secretive, c.old, c.new, 1)), t.TempDir()
			var out, said bytes.Buffer
			status := execute(t.Context(), []string{"run", file, "--set", set, "--report-dir", dir, "--explain", "--seed", "1"}, &out, &said)
			all := map[string]string{"stdout": out.String(), "stderr": said.String()}
			if status != c.status || !strings.Contains(out.String()+said.String(), c.has) {
				t.Errorf("status %d\n%s%s", status, &said, &out)
			}
			err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
				if err == nil && !entry.IsDir() {
					text, err := os.ReadFile(path)
					all[entry.Name()] = string(text)
					return err
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if status != exitUsage {
				var again, warned bytes.Buffer
				if judged := execute(t.Context(), []string{"judge", dir, "-o", "json"}, &again, &warned); judged != status || warned.Len() > 0 {
					t.Errorf("judged again its status is %d: %s", judged, &warned)
				}
				all["judge"] = again.String()
				saysWhatIsMasked(t, filepath.Join(dir, recordFile))
			}
			for where, text := range all {
				for _, secret := range theSecrets {
					for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret)), url.QueryEscape(secret)} {
						if at := strings.Index(text, form); at >= 0 {
							t.Errorf("%s has %q: …%s…", where, form, text[max(0, at-80):min(len(text), at+80)])
						}
					}
				}
			}
		})
	}
}

// onceOpen has a parameter and a header that its second half marks to be secret.
const onceOpen = `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: once-open}
spec:
  app: bookinfo
  params: {tenant: %s}
  apply: [fault: {service: ratings, delay: 20ms}]
  load:
    pages: {get: "http://productpage:9080/productpage?q=$(tenant)", connections: 1, requests: 3, headers: {x-key: %s}}
  expect: ["pages.status[200] == pages.sent"]
`

// TestWhatIsSecretNowIsMaskedInTheEarlierRun: the report has numbers and loads of that, and
// its scenario did not say that there was a secret.
func TestWhatIsSecretNowIsMaskedInTheEarlierRun(t *testing.T) {
	folder := t.TempDir()
	file, first, second := filepath.Join(folder, "s.yaml"), filepath.Join(folder, "first"), filepath.Join(folder, "second")
	run := func(text, dir string, more ...string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var out, said bytes.Buffer
		if status := execute(t.Context(), append([]string{"run", file, "-q", "--seed", "1", "--report-dir", dir}, more...), &out, &said); status != exitPass {
			t.Fatalf("status %d\n%s%s", status, &out, &said)
		}
	}
	run(fmt.Sprintf(onceOpen, "sesame-31", "sesame-32"), first, "--set", "params.tenant=sesame-35")
	marked := strings.NewReplacer("  params:", "  secret: [tenant]\n  params:", "x-key: sesame-34}", "x-key: sesame-34}, secret: [x-key]").Replace(fmt.Sprintf(onceOpen, "sesame-33", "sesame-34"))
	run(marked, second, "--baseline", first)
	err := filepath.WalkDir(second, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if at := bytes.Index(text, []byte("sesame")); at >= 0 {
			t.Errorf("%s has …%s…", entry.Name(), text[max(0, at-80):min(len(text), at+80)])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var out, said bytes.Buffer
	if status := execute(t.Context(), []string{"judge", second}, &out, &said); status != exitPass || said.Len() > 0 {
		t.Errorf("judged again its status is %d: %s", status, &said)
	}
	out.Reset()
	if execute(t.Context(), []string{"compare", first, second}, &out, &said); strings.Contains(out.String(), "sesame") {
		t.Errorf("compare says\n%s", &out)
	}
}

// TestAReportWhoseSecretIsAWordOfReportsIsReadAndJudged as any other is.
func TestAReportWhoseSecretIsAWordOfReportsIsReadAndJudged(t *testing.T) {
	for _, word := range []string{"Report", "during", "default", "VirtualService", "embedded", "updated", "ratings"} {
		folder := t.TempDir()
		file, dir := filepath.Join(folder, "s.yaml"), filepath.Join(folder, "out")
		text := strings.Replace(fmt.Sprintf(onceOpen, "open", word), "x-key", "x-api-key", 1)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var out, said bytes.Buffer
		if status := execute(t.Context(), []string{"run", file, "-q", "--seed", "1", "--report-dir", dir}, &out, &said); status != exitPass || !strings.Contains(out.String(), "on the embedded mesh") || strings.Contains(out.String(), "***") {
			t.Errorf("%s: status %d: %s%s", word, status, &out, &said)
		}
		said.Reset()
		if status := execute(t.Context(), []string{"judge", dir}, &out, &said); status != exitPass || said.Len() > 0 {
			t.Errorf("%s: judged again: status %d: %s", word, status, &said)
		}
	}
}

// saysWhatIsMasked holds that a record tells of what is not in it.
func saysWhatIsMasked(t *testing.T, file string) {
	t.Helper()
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	record, err := report.Read(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, where := range []string{"spec.params.tenant", "spec.params.api-token", "spec.load.bearer.headers.authorization", "spec.load.bearer.headers.x-tenant-key", "spec.load.bearer.body", "spec.load.bearer.get", "spec.apply[0].headers.request.set.authorization"} {
		if !strings.Contains(strings.Join(record.Scenario.Masked, "\n")+"\n", where+"\n") {
			t.Errorf("it does not say that %s is masked: %q", where, record.Scenario.Masked)
		}
	}
	if asked := record.Asked[0].Plan.HTTP; asked.Header["authorization"] != "***" || asked.Header["x-also"] == "" {
		t.Errorf("what was asked is %+v", asked)
	}
}

// What a run would write is shown without what is secret in it, and where one secret takes
// the place of another.
func TestAPlanHasNoSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secretive.yaml")
	given := "  given:\n    - headers: {service: details, request: {set: {authorization: Bearer given-sesame}}}\n  apply:\n"
	text := strings.NewReplacer("    - rules.yaml\n", "", "  apply:\n", given).Replace(secretive)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	told := regexp.MustCompile(`authorization: ["']\*\*\*[0-9]*`)
	for _, output := range []string{"diff", "yaml"} {
		var out, said bytes.Buffer
		if status := execute(t.Context(), []string{"plan", file, "-o", output}, &out, &said); status != exitPass {
			t.Fatalf("status %d, %s", status, said.String())
		}
		if all := out.String() + said.String(); strings.Contains(all, "sesame") || len(slices.Compact(slices.Sorted(slices.Values(told.FindAllString(all, -1))))) < 2 {
			t.Errorf("-o %s prints\n%s", output, all)
		}
	}
}
