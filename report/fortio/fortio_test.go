package fortio

import (
	"encoding/json"
	"flag"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"fortio.org/fortio/fhttp"
	"fortio.org/fortio/periodic"
	"fortio.org/fortio/stats"
	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
	"github.com/meshchaos/meshchaos/test/records"
)

var update = flag.Bool("update", false, "write the golden files")

func TestTheFaceIsAsShown(t *testing.T) {
	for _, name := range records.Names(t) {
		files, err := Results(records.Read(t, name))
		if err != nil {
			t.Fatal(err)
		}
		var all strings.Builder
		for _, file := range slices.Sorted(maps.Keys(files)) {
			all.WriteString("== " + file + "\n" + string(files[file]))
		}
		golden := "testdata/" + name + ".txt"
		if *update {
			if err := os.WriteFile(golden, []byte(all.String()), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), all.String()); diff != "" {
			t.Errorf("%s differs (-want +got):\n%s", name, diff)
		}
	}
}

// fortio's own types read what is written, and have the record's numbers.
func TestEachLoadIsAResultOfFortio(t *testing.T) {
	for _, name := range records.Names(t) {
		r := records.Read(t, name)
		files, err := Results(r)
		if err != nil {
			t.Fatal(err)
		}
		loads := summary.Loads(r)
		if len(files) != len(loads) {
			t.Errorf("%s: %d files of %d loads", name, len(files), len(loads))
		}
		for _, load := range loads {
			sent, said := readByFortio(t, files[fileOf(load)+".json"], planOf(r, load).GRPC != nil)
			longest, _ := load.Result.Response.Max()
			var within int64
			for _, bucket := range said.Data {
				within += bucket.Count
			}
			if sent != load.Result.Sent || said.Count != load.Result.Response.Count() || within != said.Count || said.Max != longest.Seconds() {
				t.Errorf("%s: %s has %d requests, %d latencies, %d in buckets, at most %gs; the record %d, %d, %v", name, fileOf(load), sent, said.Count, within, said.Max, load.Result.Sent, load.Result.Response.Count(), longest)
			}
			for _, p := range said.Percentiles {
				if want, _ := load.Result.Response.Quantile(p.Percentile / 100); math.Abs(p.Value-want.Seconds()) > 1e-9 {
					t.Errorf("%s: %s has p%g %gs, not %v", name, fileOf(load), p.Percentile, p.Value, want)
				}
			}
		}
	}
}

// readByFortio is how many requests a result has, and their latencies.
func readByFortio(t *testing.T, text []byte, calls bool) (sent int64, latencies *stats.HistogramData) {
	t.Helper()
	var ofHTTP fhttp.HTTPRunnerResults
	var ofGRPC struct { // as fgrpc.GRPCRunnerResults, which takes modules of its own
		periodic.RunnerResults
		RetCodes map[string]int64
	}
	var into any = &ofHTTP
	if calls {
		into = &ofGRPC
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
	for _, n := range ofHTTP.RetCodes {
		sent += n
	}
	for _, n := range ofGRPC.RetCodes {
		sent += n
	}
	if calls {
		return sent, ofGRPC.DurationHistogram
	}
	return sent, ofHTTP.DurationHistogram
}

// Results of other runs lie beside those of one where somebody has fortio show all of them.
func TestAResultIsKnownByItsName(t *testing.T) {
	name := records.Names(t)[0]
	files, err := Results(records.Read(t, name))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for file, text := range files {
		if !IsResult(file, text) {
			t.Errorf("%s is none", file)
		}
		for other, content := range map[string]string{"monday-" + file: string(text), file: "{}", "a.json": "[1]"} {
			if IsResult(other, []byte(content)) {
				t.Errorf("%s is one", other)
			}
		}
	}
}

// Where nothing failed fortio's page must not speak of errors, whatever the status was.
func TestErrorsAreThoseThatFailed(t *testing.T) {
	for _, test := range []struct {
		outcomes []loadgen.Outcome
		want     int64 // -1: fortio counts what is not 200
	}{
		{[]loadgen.Outcome{{Status: 204, Count: 4}}, 0},
		{[]loadgen.Outcome{{Status: 200, Count: 4}, {Error: loadgen.ErrorCanceled, Count: 2}}, 0},
		{[]loadgen.Outcome{{Status: 503, Count: 1}, {Error: "timeout", Count: 3}}, 4},
		{[]loadgen.Outcome{{Status: 200, Count: 3}, {Status: 503, Count: 1}}, -1},
		{[]loadgen.Outcome{{Status: 204, Count: 3}, {Status: 503, Count: 1}}, 1},
	} {
		result := &loadgen.Result{Outcomes: test.outcomes, Response: new(loadgen.Histogram)}
		for i := range 4 {
			result.Response.Record(1e6 * 1 << i)
		}
		got := errors(summary.Load{Result: result}, histogram(result.Response))
		if test.want < 0 != (got == nil) || got != nil && (got.Count != test.want || got.Count > 0 && len(got.Data) == 0) {
			t.Errorf("%+v: %+v", test.outcomes, got)
		}
	}
}

// A name of a record that somebody else wrote leads nowhere else.
func TestFilesStayInTheirFolder(t *testing.T) {
	r := &report.Record{Windows: []report.Window{{Name: "../../x", Loads: map[string]*loadgen.Result{"a/b": {}, "a_b": {}, "..": {}}}}}
	files, err := Results(r)
	if err != nil || len(files) != 3 {
		t.Fatalf("%v, %v", files, err)
	}
	for name := range files {
		if strings.ContainsAny(strings.TrimSuffix(name, ".json"), "/.") {
			t.Errorf("a file is named %s", name)
		}
	}
}
