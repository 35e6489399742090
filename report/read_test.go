package report_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/test/records"
)

func encoded(t *testing.T, of any) string {
	t.Helper()
	text, err := json.Marshal(of)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestSeveralRecordsAreReadHoweverTheyStand(t *testing.T) {
	one, two := records.Read(t, "delay-jason"), records.Read(t, "failing")
	list := encoded(t, report.ListOf([]*report.Record{one, two}))
	indented := new(bytes.Buffer)
	if err := json.Indent(indented, []byte(list), "", "  "); err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{
		"a list":                   list,
		"an indented list":         indented.String(),
		"a record a line":          encoded(t, one) + "\n" + encoded(t, two) + "\n",
		"lists behind each other":  encoded(t, report.ListOf([]*report.Record{one})) + encoded(t, report.ListOf([]*report.Record{two})),
		"a list and then a record": encoded(t, report.ListOf([]*report.Record{one})) + "\n\n" + encoded(t, two),
	} {
		all, without, err := report.ReadAll(strings.NewReader(text))
		if err != nil || len(without) > 0 || len(all) != 2 || encoded(t, all[0]) != encoded(t, one) || encoded(t, all[1]) != encoded(t, two) {
			t.Errorf("%s: %d records, %v", what, len(all), err)
		}
		if _, err := report.Read(strings.NewReader(text)); err == nil {
			t.Errorf("%s: it is read as one record", what)
		}
	}
}

func TestAmongRecordsStandsWhatWasNotRun(t *testing.T) {
	record, refused := records.Read(t, "delay-jason"), report.NotRunOf("wrong", "folder/wrong.yaml", "refused", "it is wrong")
	for what, text := range map[string]string{
		"a list":       encoded(t, report.ListOf([]any{refused, record, refused})),
		"line by line": encoded(t, refused) + "\n" + encoded(t, record) + "\n" + encoded(t, refused),
	} {
		all, without, err := report.ReadAll(strings.NewReader(text))
		if err != nil || len(all) != 1 || len(without) != 2 || without[1] != refused {
			t.Errorf("%s: %d records, %v, %v", what, len(all), without, err)
		}
	}
}

func TestWhatIsNoRecordIsAnError(t *testing.T) {
	record, err := os.ReadFile("../test/records/failing.json")
	if err != nil {
		t.Fatal(err)
	}
	line := encoded(t, records.Read(t, "failing"))
	for want, text := range map[string]string{
		"it is empty":                                        " \n",
		"it is cut off":                                      line + "\n" + line[:len(line)/2],
		"ends in the middle of the report":                   string(record[:3000]),
		"its kind \"Pod\"":                                   line + `{"apiVersion": "meshchaos/v1alpha1", "kind": "Pod"}`,
		"without a report":                                   encoded(t, report.ListOf[*report.Record](nil)),
		"its item 1: it is no report":                        `{"apiVersion": "meshchaos/v1alpha1", "kind": "List", "items": [null]}`,
		"its item 2: it is no report":                        strings.Replace(encoded(t, report.ListOf([]*report.Record{{APIVersion: report.APIVersion, Kind: report.Kind}})), "]", `,{"kind": "Report"}]`, 1),
		"line 2, column":                                     line + "\n" + strings.Replace(line, `"sent":5`, `"sent":"5"`, 1),
		"line 4, column 67: its item 2":                      `{"apiVersion": "meshchaos/v1alpha1", "kind": "List", "items": [` + line + ",\n\n\n" + `{"apiVersion": "meshchaos/v1alpha1", "kind": "Report", "verdict": 1}]}`,
		"it has no report: x was refused: y":                 encoded(t, report.ListOf([]report.NotRun{report.NotRunOf("x", "x.yaml", "refused", "y")})),
		"unknown field \"why\"":                              strings.Replace(encoded(t, report.NotRunOf("x", "x.yaml", "refused", "y")), "error", "why", 1),
		"line 3, column 1: invalid":                          line + "\n" + line + "\n]",
		`it begins with "<!doctype html>"; name report.json`: "\n<!doctype html>\n<html>",
		`it begins with "caf"`:                               "caf\xc3",
		`it begins with "0.0s opening the emb"`:              "   0.0s opening the embedded mesh\n" + line,
		"unknown field \"more\"; take the version":           strings.Replace(line, `{"apiVersion"`, `{"more":1,"apiVersion"`, 1),
	} {
		if _, _, err := report.ReadAll(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %s, got %v", want, err)
		}
	}
}

func TestALoadThatIsNotThereIsNoLoad(t *testing.T) {
	r := records.Read(t, "breaker-httpbin")
	r.Windows[1].Loads["client"] = nil
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := report.Read(bytes.NewReader(text)); err == nil || !strings.Contains(err.Error(), "windows[1].loads has nothing of client") {
		t.Errorf("it is read: %v", err)
	}
}
