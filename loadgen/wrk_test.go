package loadgen

import (
	"os/exec"
	"regexp"
	"strconv"
	"testing"
)

// wrkOnly is what wrk 4.1 makes of an act, where that is not what came of it.
var wrkOnly = map[string]string{
	"an early hint before it":     "it counts the hint as an answer, too",
	"not modified, with a length": "it waits for a body that never comes",
	"until the end":               "it counts an answer, and an error as well",
	"more than the answer":        "it counts an answer, and an error as well",
	"two answers":                 "it takes the second for the answer to its next request",
	"none at all":                 "it waits, and says nothing of what is in flight as it ends",
	"a part of one":               "it waits, and says nothing of what is in flight as it ends",
}

// TestWrkCountsTheSameOrHidesWhatIsKnown: where wrk is installed, its counts are held
// against those of a server that misbehaves by a script.
func TestWrkCountsTheSameOrHidesWhatIsKnown(t *testing.T) {
	if _, err := exec.LookPath("wrk"); err != nil {
		t.Skip("it needs wrk, a package of Debian")
	}
	const connections = 3 // and as many requests may be in flight as it ends
	for _, a := range acts {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			server := startScript(t, acts[0], a, acts[0])
			out, err := exec.Command("wrk", "-t1", "-c"+strconv.Itoa(connections), "-d1s", server.url).CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			var answers, bad, errs int64
			read, want := server.counts(EngineEpoll)
			for how, n := range want {
				switch {
				case how.err != "":
					errs += n
				case how.status >= 400:
					bad += n
					fallthrough
				default:
					answers += n
				}
			}
			near := func(pattern string, want int64) bool {
				n := int64(0)
				if m := regexp.MustCompile(pattern).FindSubmatch(out); m != nil {
					n, _ = strconv.ParseInt(string(m[1]), 10, 64)
				}
				return want-connections <= n && n <= want+connections
			}
			same := near(`(\d+) requests in`, answers) && near(`read (\d+)`, errs) && near(`Non-2xx or 3xx responses: (\d+)`, bad)
			if why := wrkOnly[a.name]; same != (why == "") && read > 10*connections {
				t.Errorf("%d answers, %d of them bad, and %d errors; known of wrk: %q; it says:\n%s", answers, bad, errs, why, out)
			}
		})
	}
}
