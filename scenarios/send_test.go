package scenarios

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// buying is a scenario whose load is a list of requests, made of answers and of values.
const buying = `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: buying}
spec:
  apply:
    - fault: {service: shop, delay: 1s}
  load:
    buyers:
      send:
        - {name: login, post: "http://shop:80/login", body: "user={{.user}}&password={{.password}}", take: {name: token, pointer: /auth/token}}
        - {name: order, get: "http://shop:80/order?who={{.user}}", headers: {authorization: "Bearer {{.token}}", x-key: "k3y-{{.user}}"}}
      values: users.csv
      think: {from: 1s, to: 2s}
      requests: 30
  expect:
    - buyers.order.p50 < 1s
`

const users = "user,password\nann,sesame-open\n\"bo \"\"b\"\"\",hunter-two\n"

// readBuying reads it with something in the place of something else, beside a file.
func readBuying(t *testing.T, file, text string, change ...string) (*Scenario, error) {
	t.Helper()
	folder := t.TempDir()
	scenario := strings.NewReplacer(change...).Replace(buying)
	for name, text := range map[string]string{file: text, "buying.yaml": scenario} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Read(filepath.Join(folder, "buying.yaml"))
}

func TestALoadIsAListOfRequests(t *testing.T) {
	s, err := readBuying(t, "users.csv", users)
	if err != nil {
		t.Fatal(err)
	}
	second := func(n float64) loadgen.Duration {
		var d loadgen.Duration
		_ = json.Unmarshal(fmt.Append(nil, n), &d)
		return d
	}
	want := loadgen.Plan{
		Send: []loadgen.Request{
			{Name: "login", HTTP: loadgen.HTTP{Method: "POST", URL: "http://shop:80/login", Body: "user={{.user}}&password={{.password}}"}, Take: &loadgen.Take{Name: "token", Pointer: "/auth/token"}},
			{Name: "order", HTTP: loadgen.HTTP{Method: "GET", URL: "http://shop:80/order?who={{.user}}", Header: map[string]string{"authorization": "Bearer {{.token}}", "x-key": "k3y-{{.user}}"}}},
		},
		Values: &loadgen.Values{File: "users.csv", Digest: digest(users), Columns: []string{"user", "password"}, Count: 2, Rows: [][]string{{"ann", "sesame-open"}, {`bo "b"`, "hunter-two"}}},
		Think:  &loadgen.Think{From: second(1), To: second(2)}, Connections: 4, Requests: 30,
	}
	if diff := cmp.Diff(want, s.Steps[0].Cohorts[0].Plan); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	inJSON, err := readBuying(t, "users.json", `[{"password": "sesame-open", "user": "ann"}, {"user": 7, "password": true}]`, "users.csv", "users.json")
	if err != nil {
		t.Fatal(err)
	}
	if rows := inJSON.Steps[0].Cohorts[0].Plan.Values.Rows; !slices.EqualFunc(rows, [][]string{{"sesame-open", "ann"}, {"true", "7"}}, slices.Equal) {
		t.Errorf("%v", rows)
	}
}

// A report has what a file of values was, and nothing that stood in it; and the scenario in
// it asks for the same.
func TestAReportHasNoValuesOfAFile(t *testing.T) {
	s, err := readBuying(t, "users.csv", users, "requests: 30", "requests: 30\n      secret: [x-key]")
	if err != nil {
		t.Fatal(err)
	}
	recorded := s.Recorded()
	record := &report.Record{Scenario: recorded, Asked: []report.Asked{{Cohort: "buyers", Plan: s.Steps[0].Cohorts[0].Plan.AsRecorded()}},
		Windows: []report.Window{{Calls: []report.Explained{{Call: &report.Call{Path: "/x?p=hunter-two"}}}}}}
	s.HideRecord(record)
	text, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{"sesame-open", "hunter-two", "ann,", "k3y-"} {
		if strings.Contains(string(text), value) {
			t.Errorf("the record has %q: %s", value, text)
		}
	}
	for _, stays := range []string{`"digest":"` + digest(users), `"columns":["user","password"]`, `"count":2`, "Bearer {{.token}}"} {
		if !strings.Contains(string(text), stays) {
			t.Errorf("the record has no %s: %s", stays, text)
		}
	}
	again, err := OfRecord(recorded)
	if err != nil {
		t.Fatal(err)
	}
	was, is := s.Steps[0].Cohorts[0].Plan.AsRecorded(), again.Steps[0].Cohorts[0].Plan
	is.Send[1].HTTP.Header, was.Send[1].HTTP.Header = nil, nil // of which one is masked
	if diff := cmp.Diff(was, is); diff != "" {
		t.Errorf("(-was +is):\n%s", diff)
	}
}

func TestAListThatCannotBeIsRefusedWhereItStands(t *testing.T) {
	for _, tt := range []struct{ was, is, want string }{
		{"http://shop:80/order", "https://shop:80/order", `buying.yaml:11:25: send[1] goes to "https://shop:80" and the first to "http://shop:80"`},
		{"http://shop:80/order", "ws://shop:80/order", "buying.yaml:11:25: \"ws://shop:80/order"},
		{"values: users.csv", "values: users.csv\n      http2: true\n      engine: epoll", "buying.yaml:14:7: engine epoll speaks no HTTP/2"},
		{"values: users.csv", "values: users.csv\n      tls: {sni: a}", "buying.yaml:13:7: tls is for https"},
		{"name: login", "name: log-in", `buying.yaml:10:12: naming a request: "log-in" could not be named`},
		{"name: login", "name: sent", `"sent" is a quantity in expectations`},
		{"name: order", "name: sent", `buying.yaml:11:12: naming a request: "sent" is a quantity in expectations; choose another name`},
		{"name: login", "name: order", `buying.yaml:11:12: send has two requests named "order"`},
		{"name: order, get", "name: order, weight: 2, get", "buying.yaml:11:11: some requests of the list have a weight"},
		{"name: order, get", "name: order, weight: 0, get", "buying.yaml:11:25: weight is 0, and the request would never be drawn; write 1 or more"},
		{"shop:80/order", "other:80/order", `buying.yaml:11:25: send[1] goes to "http://other:80"`},
		{"/order?who={{.user}}", "/order?who={{.users}}", "buying.yaml:11:25: send[1].http.url has {{.users}}, and there is no such value; did you mean user?"},
		{"Bearer {{.token}}", "Bearer {{.tokens}}", "buying.yaml:11:78: send[1].http.header.authorization has {{.tokens}}"},
		{"user={{.user}}", "user={{.token}}", "buying.yaml:10:55: send[0].http.body has {{.token}}, which is taken only from an answer that comes later"},
		{"pointer: /auth/token", "pointer: auth", "buying.yaml:10:122: send[0].take.pointer is \"auth\": a JSON pointer begins with /"},
		{"pointer: /auth/token", "match: token", "send[0].take.match has 0 groups"},
		{"pointer: /auth/token", "match: token, pointer: /a", "exactly one of pointer and match"},
		{"pointer: /auth/token", "path: token", `unknown key "path"`},
		{"name: token,", "name: user,", "so is a column of users.csv"},
		{"think: {from: 1s, to: 2s}", "think: {from: 2s, to: 1s}", "buying.yaml:13:29: think is from 2s to 1s"},
		{"think: {from: 1s, to: 2s}", "think: often", "is not a duration"},
		{"think: {from: 1s, to: 2s}", "think: {from: 1s, to: 2s}\n      qps: 5", "buying.yaml:13:7: there is time to think, and at a rate"},
		{"think: {from: 1s, to: 2s}", "think: 1s\n      seed: 5", "buying.yaml:14:7: seed is 5, and nothing is drawn"},
		{"values: users.csv", "values: nobody.csv", "buying.yaml:12:7: reading"},
		{"values: users.csv", "values: buying.yaml", "buying.yaml:12:7: reading values from buying.yaml: it is neither .csv nor .json"},
		{"values: users.csv", "engine: fortio", "there is no such value; there are token"},
		{"values: users.csv", "values: users.csv\n      engine: fortio", "buying.yaml:13:7: engine fortio sends one request again and again"},
		{"values: users.csv", "values: users.csv\n      body: x", "buying.yaml:13:7: body is of one request"},
		{"values: users.csv", "values: users.csv\n      get: http://a/", "buying.yaml:9:7: a cohort has one of get, post, grpc, tcp, ws and send, not 2"},
		{"values: users.csv", "values: users.csv\n      secret: [x]", `the load has no "x" that could be secret`},
		{"buyers.order.p50 < 1s", "buyers.orders.p50 < 1s", "did you mean order?"},
		{"buyers.order.p50 < 1s", "buyers.order.sent <= 30", "always true"},
		{"buyers.order.p50 < 1s", "buyers.login.sent >= buyers.order.sent", "always true"},
		{"buyers.order.p50 < 1s", "baseline.buyers.order.sent > baseline.buyers.login.sent", "never be true"},
	} {
		_, err := readBuying(t, "users.csv", users, tt.was, tt.is)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v; want %s", tt.is, err, tt.want)
		}
	}
	for text, want := range map[string]string{
		"":                          "its first row names the columns",
		"user,password\n":           "it has no row",
		"user,password\na\n":        "record on line 2: wrong number of fields",
		"user,pass word\na,b\n":     `a column of users.csv is named "pass word"`,
		"user,user\na,b\n":          `a column of users.csv is named "user"`,
		"user,password\n\"a\nb\",c": "in row 1 of users.csv holds a character that no header field may",
		"\xff":                      "is not text in UTF-8",
		strings.Repeat("x", 300000): "is larger than 256 KiB",
		"user,password\n" + strings.Repeat("a,b\n", 10_001): "it has 10001 rows",
	} {
		if _, err := readBuying(t, "users.csv", text); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "buying.yaml:1") {
			t.Errorf("%.20q: %v; want %s", text, err, want)
		}
	}
	for text, want := range map[string]string{
		`{}`:                                "it is no list of mappings, or does not end; write a list of mappings, as in [{\"name\": \"ann\"}]",
		`[{"user": 1`:                       "it is no list of mappings, or does not end",
		"[{\"user\": 1,\n\"ü\" \"p\": 2}]":  "line 2, column 5: invalid character '\"' after object key; write a list",
		`[{"user": null, "password": "x"}]`: "user of its entry 1 is no text, number or truth",
		`[{"user": 1, "password": 2}, {}]`:  "its entry 2 has",
		`[{"user": 1, "password": 2}] []`:   "something follows",
		`[]`:                                "it has no row",
	} {
		if _, err := readBuying(t, "users.json", text, "users.csv", "users.json"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", text, err, want)
		}
	}
}

// A line of one request takes samples of that alone, and where it is known how many there
// are of it, it is held against those.
func TestALineTakesTheSamplesOfItsRequest(t *testing.T) {
	auto, err := readBuying(t, "users.csv", users, "requests: 30", "requests: auto", "buyers.order.p50 < 1s", "buyers.order.p99 < 1s")
	if err != nil {
		t.Fatal(err)
	}
	if n := auto.Steps[0].Cohorts[0].Plan.Requests; n != 204 { // a hundred of each, and the last login of four connections
		t.Errorf("auto is %d", n)
	}
	few, err := readBuying(t, "users.csv", users, "buyers.order.p50 < 1s", "buyers.order.p99 < 1s")
	if err != nil {
		t.Fatal(err)
	}
	if len(few.Warnings) == 0 || !strings.Contains(few.Warnings[0].Message, "it takes 100") {
		t.Errorf("%v", few.Warnings)
	}
	baseline, err := readBuying(t, "users.csv", users, "requests: 30", "requests: 3000", "buyers.order.p50 < 1s", "buyers.order.p50 < 1s\n    - baseline.buyers.order.p999 < 1s")
	if err != nil {
		t.Fatal(err)
	}
	if n := baseline.Cohorts(report.Baseline, Step{})[0].Plan.Requests; n != 2004 {
		t.Errorf("the baseline has %d", n)
	}
	plan := loadgen.Plan{Send: []loadgen.Request{{Name: "a", Weight: 1}, {Name: "b", Weight: 9}}}
	for seed := range int64(50) {
		if drawn := plan.Drawing(5000, seed+1); drawn[0] < 400 {
			t.Errorf("seed %d: %v", seed, drawn)
		}
	}
	// In turn, and nothing is taken: of thirty over four connections sixteen are the first.
	const second = `take: {name: token, pointer: /auth/token}`
	for line, want := range map[string]string{
		"buyers.login.sent == 16": "always true", "buyers.order.sent == 14": "always true", "buyers.order.status[200] <= 13": "", "buyers.order.status[200] > 14": "never be true",
	} {
		_, err := readBuying(t, "users.csv", users, ", "+second, "", "Bearer {{.token}}", "Bearer x-5-y", "buyers.order.p50 < 1s", line)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
	}
}
