package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/test/records"
)

// tree is a record as JSON has it, of which parts can be changed.
type tree = map[string]any

func treeOf(t *testing.T, name string) tree {
	t.Helper()
	text, err := json.Marshal(records.Read(t, name))
	if err != nil {
		t.Fatal(err)
	}
	var of tree
	if err := json.Unmarshal(text, &of); err != nil {
		t.Fatal(err)
	}
	return of
}

// ofTree judges what a tree is the record of. The error is of reading it, or of judging.
func ofTree(t *testing.T, of tree) (*report.Record, error) {
	t.Helper()
	text, err := json.Marshal(of)
	if err != nil {
		t.Fatal(err)
	}
	r, err := report.Read(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	return r, judge(r)
}

// in walks down a tree: names, and numbers of entries.
func in(of any, path ...any) any {
	for _, at := range path {
		switch at := at.(type) {
		case string:
			of = of.(tree)[at]
		case int:
			of = of.([]any)[at]
		}
	}
	return of
}

func under(of tree, i int, cohort string) tree {
	return in(of, "windows", i, "loads", cohort).(tree)
}

func without(list any, i int) []any {
	all := list.([]any)
	return append(append([]any{}, all[:i]...), all[i+1:]...)
}

// compareWith enters into a record that it was compared with a run that passed.
func compareWith(r tree) {
	r["comparedWith"] = tree{
		"tool": r["tool"], "run": "0", "verdict": "pass", "restored": true, "scenario": tree{"name": "delay-jason"}, "mesh": r["mesh"],
		"started": r["started"], "ended": r["ended"], "asked": r["asked"], "windows": r["windows"], "expectations": r["expectations"],
		"comparison": tree{"regressed": false, "scenarios": []any{tree{"before": tree{"run": "0", "verdict": "pass", "restored": true}}}},
	}
}

// TestARecordThatHidesWhatHasRegressedIsToldOf: what has changed since an earlier run is
// reckoned anew, and who said otherwise is contradicted.
func TestARecordThatHidesWhatHasRegressedIsToldOf(t *testing.T) {
	for _, restored := range []bool{true, false} {
		of := treeOf(t, "not-restored")
		compareWith(of)
		in(of, "comparedWith").(tree)["restored"], in(of, "comparedWith", "comparison", "scenarios", 0, "before").(tree)["restored"] = restored, restored
		in(of, "comparedWith").(tree)["verdict"], in(of, "comparedWith", "comparison", "scenarios", 0, "before").(tree)["verdict"] = "inconclusive", "inconclusive"
		text, err := json.Marshal(of)
		if err != nil {
			t.Fatal(err)
		}
		r, err := report.Read(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		cmd := newJudge()
		var said bytes.Buffer
		cmd.SetErr(&said)
		_, err = judgeAgain(cmd, source{record: r, name: "it"})
		warns := strings.Contains(said.String(), "it says that nothing has regressed since run 0, and what it holds says that something has regressed")
		if err != nil || warns != restored {
			t.Errorf("restored before %v: %v, it says %q", restored, err, said.String())
		}
	}
}

// TestAChangedRecordIsFoundOut: whoever changes a record, in any of these ways, gets
// another verdict or a refusal that names the place.
func TestAChangedRecordIsFoundOut(t *testing.T) {
	for name, test := range map[string]struct {
		record string
		change func(tree)
		says   string // the refusal; empty: another verdict is reached
	}{
		"what was asked for is emptied": {"delay-jason", func(r tree) { r["asked"] = []any{} }, "asked has 0 entries"},
		"a cohort that was asked for":   {"delay-jason", func(r tree) { r["asked"] = without(r["asked"], 1) }, "asked has 2 entries"},
		"a number that was asked for":   {"delay-jason", func(r tree) { in(r, "asked", 0, "plan").(tree)["requests"] = 3 }, "asked[0].plan.requests is 3, and the scenario in the report comes to 5"},
		"who was to send":               {"delay-jason", func(r tree) { in(r, "asked", 0).(tree)["from"] = "ratings-v1" }, "asked[0].from is ratings-v1"},
		"a header that was to be sent":  {"delay-jason", func(r tree) { in(r, "asked", 0, "plan", "http").(tree)["header"] = tree{"a": "b"} }, "asked[0].plan.http.header is map[a:b]"},
		"the scenario's text": {"failing", func(r tree) {
			s := in(r, "scenario").(tree)
			s["text"] = strings.Replace(s["text"].(string), "6.6s", "1ms", 1) + " "
		}, "its text was changed since the run"},
		"no scenario":                        {"delay-jason", func(r tree) { delete(r, "scenario") }, "scenario.text is missing or empty"},
		"no text of the scenario":            {"delay-jason", func(r tree) { delete(in(r, "scenario").(tree), "text") }, "scenario.text is missing or empty"},
		"the scenario's text and its digest": {"delay-jason", func(r tree) { s := in(r, "scenario").(tree); s["text"] = s["text"].(string) + " "; delete(s, "digest") }, "scenario.digest is missing"},
		"the scenario's name":                {"delay-jason", func(r tree) { in(r, "scenario").(tree)["name"] = "gate" }, "scenario.name is gate"},
		"the scenario's summary":             {"failing", func(r tree) { in(r, "scenario").(tree)["summary"] = "All is well." }, "scenario.summary is All is well."},
		"a load that was cut off":            {"failing", func(r tree) { in(r, "windows", 1).(tree)["cut"], r["verdict"] = "it slept", "inconclusive" }, "windows[1].cut is there"},
		"a quantity that is there twice": {"failing", func(r tree) {
			w := in(r, "windows", 1).(tree)
			another := maps.Clone(in(w, "quantities", 0).(tree))
			another["value"] = 10
			w["quantities"] = append([]any{another}, w["quantities"].([]any)...)
		}, "windows[1].quantities[1] is there twice"},
		"what the earlier run came to": {"delay-jason", func(r tree) {
			compareWith(r)
			in(r, "comparedWith").(tree)["verdict"] = "fail"
		}, "comparedWith is not the run"},
		"the loads of an earlier run": {"delay-jason", func(r tree) {
			compareWith(r)
			in(r, "comparedWith", "comparison", "scenarios", 0).(tree)["values"] = []any{
				tree{"of": "verdict", "became": "alike", "before": tree{"words": "pass"}, "now": tree{"words": "pass"}},
				tree{"of": "p50", "window": "during", "cohort": "jason", "became": "regressed", "before": tree{"words": "6s"}, "now": tree{"words": "9s"}},
			}
			in(r, "comparedWith").(tree)["windows"] = []any{}
		}, "comparedWith.windows has no load of jason in the load under the rule, and comparison.scenarios[0].values[1] is of it"},
		"the expectations of an earlier run": {"delay-jason", func(r tree) {
			compareWith(r)
			in(r, "comparedWith", "comparison", "scenarios", 0).(tree)["values"] = []any{
				tree{"of": "jason.min >= 5.9s", "became": "untested", "before": tree{"words": "6s"}, "now": tree{"words": "6.1s"}},
			}
			in(r, "comparedWith").(tree)["expectations"] = []any{}
		}, "comparedWith.expectations has no jason.min >= 5.9s"},
		"what has changed since": {"delay-jason", func(r tree) {
			compareWith(r)
			delete(in(r, "comparedWith").(tree), "comparison")
		}, "comparedWith.comparison is not of one"},
		"all changes":                     {"delay-jason", func(r tree) { r["changes"] = []any{} }, "changes has none of the first load under rules"},
		"all changes and bites":           {"delay-jason", func(r tree) { r["changes"] = []any{}; in(r, "windows", 1).(tree)["bites"] = []any{} }, "changes has none"},
		"the change of a step":            {"delay-jason", func(r tree) { r["changes"] = without(r["changes"], 8) }, "changes has none of any load under rules"},
		"the first change of an object":   {"delay-jason", func(r tree) { r["changes"] = without(r["changes"], 6) }, "no earlier change has written it"},
		"a change that made an object":    {"delay-jason", func(r tree) { in(r, "changes", 0).(tree)["action"] = "updated" }, "changes[0].action is updated"},
		"all bites":                       {"delay-jason", func(r tree) { delete(in(r, "windows", 1).(tree), "bites") }, ""},
		"one bite":                        {"delay-jason", func(r tree) { w := in(r, "windows", 1).(tree); w["bites"] = without(w["bites"], 0) }, ""},
		"the proof of an undoing":         {"delay-jason", func(r tree) { delete(in(r, "changes", 2).(tree), "proof") }, "changes[2].restored is true, and no proof"},
		"that an object is restored":      {"delay-jason", func(r tree) { in(r, "changes", 2).(tree)["restored"] = false }, ""},
		"that all is restored":            {"delay-jason", func(r tree) { r["restored"] = false }, ""},
		"that somebody's change was kept": {"delay-jason", func(r tree) { in(r, "changes", 2).(tree)["kept"] = true }, "changes[2].kept is true"},
		"that something else was left":    {"delay-jason", func(r tree) { c := in(r, "changes", 2).(tree); c["left"] = c["after"] }, "changes[2].left is there, and restored says"},
		"that an object was gone":         {"delay-jason", func(r tree) { in(r, "changes", 2).(tree)["left"] = nil }, "changes[2].left is there, and restored says"},
		"that what was left is something else": {"not-restored", func(r tree) {
			c := in(r, "changes", 6).(tree)
			c["left"] = c["before"]
		}, "changes[6].left is what was there before"},
		"that what is left is somebody else's": {"inconclusive", func(r tree) {
			c := in(r, "changes", 7).(tree)
			c["kept"], c["left"] = true, c["after"]
		}, "changes[7].left is what the run wrote, and kept says"},
		"what is left of an object, in one place": {"inconclusive", func(r tree) {
			r["restored"] = false
			first, again := in(r, "changes", 6).(tree), in(r, "changes", 8).(tree)
			first["restored"], first["left"] = false, first["after"]
			again["restored"], again["left"] = false, again["after"]
		}, "changes[8].left is not that of the first change"},
		"what is left of an object": {"delay-jason-istio", func(r tree) {
			r["problems"] = []any{"somebody deleted it"}
			r["stages"] = []any{tree{"step": "given", "applied": r["started"]}, tree{"applied": r["started"]}}
			in(r, "changes", 2).(tree)["kept"] = true
		}, "changes[2].left is missing"},
		"when the rules of a load were live": {"delay-jason", func(r tree) {
			r["stages"] = []any{tree{"step": "given", "applied": r["started"]}, tree{"applied": r["started"]}}
		}, "stages[1].live is missing, and its load was driven"},
		"the end":             {"delay-jason", func(r tree) { r["ended"] = "2020-01-01T00:00:00Z" }, "ended is before windows[2].ended"},
		"the beginning":       {"delay-jason", func(r tree) { r["started"] = "2060-01-01T00:00:00Z" }, "windows[0].started is before started"},
		"the end of a window": {"delay-jason", func(r tree) { in(r, "windows", 1).(tree)["ended"] = in(r, "windows", 0, "ended") }, "windows[1].ended is before windows[1].started"},
		"the baseline":        {"delay-jason", func(r tree) { r["windows"] = without(r["windows"], 0) }, "windows has no baseline"},
		"how late requests were begun": {"delay-jason", func(r tree) {
			in(r, "windows", 1, "loads", "others").(tree)["lag"] = in(r, "windows", 1, "loads", "others", "service")
		}, ".lag is of 121 requests"},
		"the rate of a load":          {"delay-jason", func(r tree) { in(r, "windows", 1, "loads", "others").(tree)["rate"] = []any{tree{"at": 0, "qps": 20}} }, ".rate is [{0s 20}]"},
		"that a load came by chance":  {"delay-jason", func(r tree) { in(r, "windows", 1, "loads", "others").(tree)["seed"] = 7 }, ".seed is 7, and the scenario in the report comes to seed 0"},
		"that nothing was begun late": {"delay-jason", func(r tree) { in(r, "windows", 1, "loads", "others").(tree)["engine"] = "epoll" }, ".lag is of 0 requests, and 121 were sent at a rate of 20"},
		"how late few requests were": {"delay-jason", func(r tree) {
			others := in(r, "windows", 1, "loads", "others").(tree)
			others["engine"], others["lag"] = "epoll", others["response"]
			others["late"] = 2
		}, ".lag is above 10 ms of"},
		"the load under the rule":        {"delay-jason", func(r tree) { r["windows"] = without(r["windows"], 1) }, ""},
		"the load of a step":             {"canary-reviews", func(r tree) { r["windows"] = without(r["windows"], 2) }, ""},
		"the recovery":                   {"delay-jason", func(r tree) { r["windows"] = without(r["windows"], 2) }, "windows has no recovery"},
		"a window twice":                 {"delay-jason", func(r tree) { w := r["windows"].([]any); r["windows"] = append(w, w[1]) }, "windows[3] is the load under the rule, which does not come there"},
		"a window under another name":    {"canary-reviews", func(r tree) { in(r, "windows", 1).(tree)["step"] = "all-v2" }, "windows[2] is the load of step one-in-ten"},
		"a cohort's load under the rule": {"delay-jason", func(r tree) { delete(in(r, "windows", 1, "loads").(tree), "others") }, "reconciled"},
		"a cohort's load before it":      {"delay-jason", func(r tree) { delete(in(r, "windows", 0, "loads").(tree), "others") }, "reconciled"},
		"a cohort that nobody asked for": {"delay-jason", func(r tree) { in(r, "windows", 0, "loads").(tree)["more"] = under(r, 0, "others") }, "windows[0].loads has more"},
		"all expectations":               {"delay-jason", func(r tree) { r["expectations"] = []any{} }, "expectations has none of line"},
		"an expectation":                 {"delay-jason", func(r tree) { r["expectations"] = without(r["expectations"], 3) }, "expectations has none of line"},
		"the number that was sent":       {"delay-jason", func(r tree) { under(r, 1, "others")["sent"] = 100 }, "windows[1].loads.others.sent is 100, and its outcomes are of 121"},
		"the number of an outcome":       {"delay-jason", func(r tree) { in(under(r, 1, "others"), "outcomes", 0).(tree)["count"] = 120 }, "windows[1].loads.others.sent is 121, and its outcomes are of 120"},
		"both":                           {"delay-jason", func(r tree) { l := under(r, 1, "others"); l["sent"] = 120; in(l, "outcomes", 0).(tree)["count"] = 120 }, "windows[1].loads.others.response is of 121 requests"},
		"both, and the times": {"delay-jason", func(r tree) {
			l, b := under(r, 1, "others"), under(r, 1, "raters")
			l["sent"] = 61
			in(l, "outcomes", 0).(tree)["count"] = 61
			l["response"], l["service"] = b["response"], b["service"]
		}, "windows[1].loads.others"},
		"an outcome below none": {"breaker-httpbin", func(r tree) {
			o := under(r, 1, "client")["outcomes"].([]any)
			o[0].(tree)["count"], o[1].(tree)["count"] = -5, 25
		}, "outcomes[0].count is -5"},
		"a failure into a success":             {"breaker-httpbin", func(r tree) { in(under(r, 1, "client"), "outcomes", 1).(tree)["status"] = 200 }, "series.ended"},
		"the series":                           {"delay-jason", func(r tree) { in(under(r, 1, "others"), "series", "begun").([]any)[0] = 1 }, "windows[1].loads.others.series.begun comes to"},
		"how many were to be sent":             {"delay-jason", func(r tree) { under(r, 1, "jason")["planned"] = 4 }, "windows[1].loads.jason.planned is 4"},
		"the rate that was asked for":          {"delay-jason", func(r tree) { under(r, 1, "others")["targetQPS"] = 1 }, "windows[1].loads.others.targetQPS is 1"},
		"the times of another load":            {"delay-jason", func(r tree) { under(r, 1, "jason")["response"] = under(r, 0, "jason")["response"] }, "windows[1].loads.jason.response is of 2 requests"},
		"a percentile":                         {"delay-jason", func(r tree) { in(under(r, 1, "others"), "response").(tree)["p99"] = 0.001 }, "its p99 is 0.001s"},
		"the histogram":                        {"delay-jason", func(r tree) { delete(under(r, 1, "others"), "response") }, "windows[1].loads.others.response is of 0 requests"},
		"the slowest request":                  {"delay-jason", func(r tree) { in(under(r, 1, "others"), "outcomes", 0, "slowest").(tree)["response"] = 7 }, "windows[1].loads.others.outcomes has no request that took longer than 7s"},
		"what a proxy counted":                 {"delay-jason", func(r tree) { in(r, "windows", 1, "quantities", 0).(tree)["value"] = 4 }, ""},
		"what the proxies counted":             {"delay-jason", func(r tree) { delete(in(r, "windows", 1).(tree), "quantities") }, ""},
		"what a proxy counted of the clients'": {"delay-jason", func(r tree) { in(r, "windows", 1, "reconciled", 0).(tree)["proxy"] = 186 }, ""},
		"what a client and its proxy counted": {"delay-jason", func(r tree) {
			row := in(r, "windows", 1, "reconciled", 0).(tree)
			row["proxy"], row["client"] = 186, 186
		}, "windows[1].reconciled[0].client is 186, and its loads come to 187"},
		"what was reconciled":                   {"delay-jason", func(r tree) { delete(in(r, "windows", 1).(tree), "reconciled") }, "windows[1].reconciled has 0 entries"},
		"the verdict":                           {"failing", func(r tree) { r["verdict"] = "pass" }, ""},
		"the verdict of an expectation":         {"failing", func(r tree) { in(r, "expectations", 0).(tree)["verdict"] = "pass"; r["verdict"] = "pass" }, ""},
		"that a run left something":             {"not-restored", func(r tree) { r["restored"], r["verdict"] = true, "pass" }, ""},
		"what befell a run that has no undoing": {"inconclusive", func(r tree) { delete(r, "problems") }, "windows has no recovery"},
	} {
		t.Run(name, func(t *testing.T) {
			of := treeOf(t, test.record)
			test.change(of)
			r, err := ofTree(t, of)
			switch {
			case test.says != "":
				if err == nil || !strings.Contains(err.Error(), test.says) {
					t.Errorf("error %v, want one that says %q", err, test.says)
				}
			case err != nil:
				t.Errorf("it is refused: %v", err)
			case string(r.Verdict) == of["verdict"]:
				t.Errorf("it is %s all the same", r.Verdict)
			}
		})
	}
}

// number is one in a record, of those that stand at a like place the first.
type number struct {
	place string // its path, without the numbers of entries and the names of cohorts
	value float64
	set   func(float64)
}

// numbersIn finds those below a node.
func numbersIn(of any, place string, seen map[string]bool, set func(any)) (all []number, leaves int) {
	switch node := of.(type) {
	case float64:
		leaves = 1
		if !seen[place] {
			seen[place] = true
			all = append(all, number{place, node, func(v float64) { set(v) }})
		}
	case tree:
		for _, key := range slices.Sorted(maps.Keys(node)) {
			name := key
			if strings.HasSuffix(place, ".loads") {
				name = "*"
			}
			more, n := numbersIn(node[key], place+"."+name, seen, func(v any) { node[key] = v })
			all, leaves = append(all, more...), leaves+n
		}
	case []any:
		for i := range node {
			more, n := numbersIn(node[i], place+"[]", seen, func(v any) { node[i] = v })
			all, leaves = append(all, more...), leaves+n
		}
	}
	return all, leaves
}

// noWeight are the numbers of a record that can be changed without notice, and why no
// verdict is wrong for that.
var noWeight = map[string]string{
	".changes[].after":                "what a rule does is judged by what was seen of it; its parts, of which each must have bitten, have their places in the object",
	".changes[].before":               "likewise",
	".changes[].live":                 "how long the wait was: that it ended is what counts",
	".conclusions":                    "reckoned anew by each judgement",
	".expectations":                   "likewise, from the windows",
	".windows[].calls":                "they explain a verdict, and none stands on them",
	".windows[].loads.*.dialed":       "no expectation can ask for it",
	".windows[].loads.*.setup":        "logins, which are no requests",
	".windows[].loads.*.series.p50[]": "for pictures, to two figures: the histogram is held against itself",
	".windows[].loads.*.series.p99[]": "likewise",
	".windows[].loads.*.series.width": "likewise",
	".windows[].quantities[].each":    "it makes room for counting in steps: an expectation that is no multiple away holds as it is",
	".windows[].quantities[].most":    "how far a count could have gone, which decides whether an expectation could have failed",
	".windows[].bites[].most":         "likewise",
}

// weighs says whether a place is none of those without weight.
func weighs(place string) bool {
	for light := range noWeight {
		if strings.HasPrefix(place, light) {
			return false
		}
	}
	return true
}

// TestEachNumberOfARecordHasWeight: of each kind of number that a record has, one that is
// another, none or several times what it was, is another verdict or refused, once at
// least; or it is known why that need not be.
func TestEachNumberOfARecordHasWeight(t *testing.T) {
	places, found, once := 0, 0, 0
	for _, name := range []string{"delay-jason", "breaker-httpbin"} {
		of := treeOf(t, name)
		all, leaves := numbersIn(of, "", map[string]bool{}, nil)
		for _, n := range all {
			if !weighs(n.place) {
				continue
			}
			noticed := 0
			for _, value := range []float64{0, 3*n.value + 1} {
				n.set(value)
				if r, err := ofTree(t, of); err != nil || r.Verdict != report.Pass || value == n.value {
					noticed++
				}
			}
			n.set(n.value)
			places++
			switch noticed {
			case 2:
				found++
			case 1:
				once++
			case 0:
				t.Errorf("%s: %s can be changed from %v, and it is a pass all the same", name, n.place, n.value)
			}
		}
		t.Logf("%s has %d numbers, of %d kinds", name, leaves, len(all))
	}
	t.Logf("of %d kinds with weight %d are noticed whatever they become, %d where they become much less or much more", places, found, once)
}

// TestARunThatSentNothingIsJudgedAgain: a cohort that cannot log in keeps all from beginning,
// so that there is nothing to hold against the proxies' counts, and nobody has changed it.
func TestARunThatSentNothingIsJudgedAgain(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "login.yaml")
	text := `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: login}
spec:
  summary: What a login comes to where there is none.
  app: httpbin
  apply: [{fault: {service: httpbin, delay: 10ms}}]
  load: {pages: {get: "http://httpbin:8000/get", as: jason, connections: 2, requests: 4}}
  expect: ['pages.status[200] == pages.sent']
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"run", file, "--report-dir", dir}, {"judge", dir}} {
		var out, said strings.Builder
		if status := execute(t.Context(), args, &out, &said); status != exitInconclusive || !strings.Contains(out.String(), "it was answered 404 Not Found") || strings.Contains(said.String(), "warning") {
			t.Errorf("%s: status %d\n%s\n%s", args, status, &out, &said)
		}
	}
}

// TestANumberThatIsReckonedAnewIsToldOf: what came of an expectation or a conclusion is
// judged anew, so that no verdict takes what the record says of it; but whoever reads the
// record does, and is warned.
func TestANumberThatIsReckonedAnewIsToldOf(t *testing.T) {
	for name, test := range map[string]struct {
		change func(tree)
		says   string // the warning; empty: there is none
	}{
		"nothing":                     {func(tree) {}, ""},
		"what was observed":           {func(r tree) { in(r, "expectations", 0, "values", 0).(tree)["value"] = 1.5 }, "it.json: expectations[0].values[0].value is 1.5, and what the report holds comes to "},
		"what was not":                {func(r tree) { delete(in(r, "expectations", 0).(tree), "values") }, "it.json: expectations[0].values has 0 entries"},
		"a count":                     {func(r tree) { in(r, "expectations", 2, "values", 0, "part").(tree)["count"] = 1 }, "it.json: expectations[2].values[0].part.count is 1"},
		"what was asked":              {func(r tree) { in(r, "expectations", 0, "bounds", 0).(tree)["value"] = 0.1 }, "it.json: expectations[0].bounds[0].value is 0.1"},
		"samples":                     {func(r tree) { in(r, "expectations", 3).(tree)["samples"] = 5000 }, "it.json: expectations[3].samples is 5000"},
		"what came of an expectation": {func(r tree) { in(r, "expectations", 3).(tree)["verdict"] = "fail" }, "it.json: expectations[3].verdict is fail, and what the report holds comes to pass"},
		"a number of a sentence":      {func(r tree) { in(r, "conclusions", 0, "amounts", 0, "measure").(tree)["value"] = 0.2 }, "it.json: conclusions[0].amounts[0].measure.value is 0.2"},
		"a digit that machines differ in": {func(r tree) {
			part := in(r, "expectations", 2, "values", 0, "part").(tree)
			part["low"] = part["low"].(float64) * (1 + 1e-15)
		}, ""},
	} {
		of := treeOf(t, "delay-jason")
		test.change(of)
		text, err := json.Marshal(of)
		if err != nil {
			t.Fatal(err)
		}
		r, err := report.Read(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		cmd := newJudge()
		var said bytes.Buffer
		cmd.SetErr(&said)
		differs, err := judgeAgain(cmd, source{record: r, name: "it.json"})
		if err != nil || differs || (said.Len() > 0) != (test.says != "") || !strings.Contains(said.String(), test.says) {
			t.Errorf("%s: verdict otherwise %v, %v, said %q, want %q", name, differs, err, &said, test.says)
		}
	}
	for _, name := range records.Names(t) {
		cmd := newJudge()
		var said bytes.Buffer
		cmd.SetErr(&said)
		if _, err := judgeAgain(cmd, source{record: records.Read(t, name), name: name}); err != nil || said.Len() > 0 {
			t.Errorf("%s, which nobody changed: %v, said %q", name, err, &said)
		}
	}
}
