package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fortio.org/fortio/fhttp"
	"fortio.org/fortio/periodic"
	"fortio.org/log"
	gocmp "github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/pflag"
)

// serveScript gives a script a service, at $URL, which is http://$HOST: / is well, /fifth fails each fifth time,
// /bad always, /slow takes a second, and /echo sends back what it was sent.
func serveScript(env *testscript.Env) error {
	var asked atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/fifth", func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1)%5 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("/bad", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	mux.HandleFunc("/slow", func(http.ResponseWriter, *http.Request) { <-time.After(time.Second) })
	mux.HandleFunc("POST /form", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		user, password, _ := r.BasicAuth()
		if said := fmt.Sprint(string(body), r.Header.Get("Content-Type"), r.Header.Get("X-A"), user, password, r.Host); said != "a=bapplication/octet-streambubobsecretweb.shop" {
			w.WriteHeader(http.StatusTeapot)
		}
	})
	server := httptest.NewServer(mux)
	env.Defer(server.Close)
	env.Setenv("URL", server.URL)
	env.Setenv("HOST", strings.TrimPrefix(server.URL, "http://"))
	return nil
}

func TestOneDashIsAsGoodAsTwo(t *testing.T) {
	root := newRoot(io.Discard, io.Discard)
	for _, test := range []struct{ args, want string }{
		{"load -qps 10 -t 5s URL", "load --qps 10 -t 5s URL"},
		{"load -qps=10 --t 5s -c16 -c=2 URL", "load --qps=10 --t 5s -c16 -c=2 URL"},
		{"load -abort-on -1 URL", "load --abort-on -1 URL"},
		{"load -H -not-a-flag:1 -nocatchup URL", "load -H -not-a-flag:1 --nocatchup URL"},
		{"load --expect -qps<3 -json - URL", "load --expect -qps<3 --json - URL"},
		{"load -payload -qps URL", "load --payload -qps URL"},
		{"load -k -h2 -http1.0 URL", "load -k --h2 --http1.0 URL"},
		{"load -keepalive=false -nocatchp URL", "load --keepalive=false --nocatchp URL"},
		{"load -t 0 -- -qps", "load -t 0 -- -qps"},
		{"load -json", "load --json"},
		{"run -qps 10", "run -qps 10"},
		{"load", "load"},
		{"__complete load -qps 5 -loglevel w", "__complete load --qps 5 --loglevel w"},
		{"__completeNoDesc load -qps 5 -log", "__completeNoDesc load --qps 5 --log"},
		{"__complete run -loglevel w", "__complete run -loglevel w"},
		{"__complete loa", "__complete loa"},
		{"__complete", "__complete"},
		{"", ""},
	} {
		if got := strings.Join(fortioStyle(root, strings.Fields(test.args)), " "); got != test.want {
			t.Errorf("%s: %s, want %s", test.args, got, test.want)
		}
	}
}

// fortioFlag is a flag as fortio's sources define it, with its default where that is plain.
var fortioFlag = regexp.MustCompile(`(?:d?flag)\.(?:\w+)\((?:&[\w.]+, |flag\.CommandLine, )?"([\w.-]+)",(?: (?:dflag\.New\()?([^,\n]*))?`)

// flagsOfFortio are those of fortio load, with their defaults as they stand there.
func flagsOfFortio(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for module, files := range map[string][]string{
		"fortio.org/fortio": {"cli/fortio_main.go", "bincommon/commonflags.go"},
		"fortio.org/cli":    {"cli.go"},
		"fortio.org/scli":   {"scli.go"},
	} {
		dir, err := exec.Command("go", "mod", "download", "-json", module).Output()
		var where struct{ Dir string }
		if err == nil {
			err = json.Unmarshal(dir, &where)
		}
		if err != nil {
			t.Fatalf("finding the sources of %s: %v", module, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(filepath.Join(where.Dir, file))
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range fortioFlag.FindAllStringSubmatch(string(text), -1) {
				all[found[1]] = found[2]
			}
		}
	}
	return all
}

// Each flag that fortio load has is taken, by its name and with its default, or refused with
// a reason; and none is refused that fortio does not have.
func TestEachFlagOfFortioIsTakenOrRefused(t *testing.T) {
	flags := newLoad().Flags()
	lookup := func(name string) *pflag.Flag {
		if len(name) == 1 {
			return flags.ShorthandLookup(name)
		}
		return flags.Lookup(name)
	}
	theirs := flagsOfFortio(t)
	if len(theirs) < 90 {
		t.Fatalf("fortio has %d flags: %v", len(theirs), slices.Sorted(maps.Keys(theirs)))
	}
	plain := regexp.MustCompile(`^(true|false|\d+|".*")$`)
	for name, byDefault := range theirs {
		flag := lookup(name)
		if flag == nil {
			t.Errorf("-%s is neither taken nor refused", name)
			continue
		}
		if flag.Hidden || !plain.MatchString(byDefault) {
			continue
		}
		if got, want := cmp.Or(flag.DefValue, "0"), cmp.Or(strings.Trim(byDefault, `"`), "0"); got != want {
			t.Errorf("-%s is %s by default, and with fortio %s", name, got, want)
		}
	}
	for name, want := range map[string]string{"qps": "8", "c": "4", "t": "5s", "r": "0.001", "timeout": "3s"} {
		if got := lookup(name).DefValue; got != want {
			t.Errorf("-%s is %s by default, want %s", name, got, want)
		}
	}
	for _, one := range refusals() {
		if _, has := theirs[cmp.Or(one.short, one.name)]; !has {
			t.Errorf("-%s is refused, and fortio has none", cmp.Or(one.short, one.name))
		}
		if one.why == "" {
			t.Errorf("-%s is refused, and nobody knows why", one.name)
		}
	}
}

// scripted is a server whose n-th answer is that of a script, whoever asks.
func scripted(t *testing.T, script ...int) (url string, served *atomic.Int64) {
	served = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(script[int(served.Add(1)-1)%len(script)])
	}))
	t.Cleanup(server.Close)
	return server.URL, served
}

// byFortio drives a load as fortio load does, and returns its result and what it said.
func byFortio(t *testing.T, url string, o fhttp.HTTPRunnerOptions) (*fhttp.HTTPRunnerResults, string) {
	t.Helper()
	var said bytes.Buffer
	o.URL, o.Out, o.Stop, o.Percentiles = url, &said, periodic.NewAborter(), []float64{50, 75, 90, 99, 99.9}
	result, err := fhttp.RunHTTPTest(&o)
	if err != nil {
		t.Fatal(err)
	}
	return result, said.String()
}

// byLoad does so with our command.
func byLoad(t *testing.T, args ...string) (result *fhttp.HTTPRunnerResults, written map[string]any, said string) {
	t.Helper()
	var out, err bytes.Buffer
	args = append([]string{loadCommand, "-json", "-"}, args...)
	if status := execute(t.Context(), args, &out, &err); status != exitPass {
		t.Fatalf("%v: exit status %d: %s", args, status, &err)
	}
	result = new(fhttp.HTTPRunnerResults)
	for _, to := range []any{result, &written} {
		if err := json.Unmarshal(out.Bytes(), to); err != nil {
			t.Fatalf("%v in %s", err, &out)
		}
	}
	return result, written, err.String()
}

// kinds are the lines that both print, by how each begins, in their order.
func kinds(said string) (all []string) {
	said = regexp.MustCompile(`(?s)# Socket and IP used.*?(Sockets used)`).ReplaceAllString(said, "$1") // of each connection
	said = regexp.MustCompile(`(?s)Aggregated Sleep Time.*?falling behind`).ReplaceAllString(said, "")  // where the machine was late
	for _, line := range strings.Split(said, "\n") {
		kind := regexp.MustCompile(`^(Starting at|Ended after|Aggregated Function Time :|# range, mid point, percentile, count|# target \S+%|Error cases :|Sockets used:|Uniform: \w+, Jitter: \w+, Catchup allowed: \w+|Code +-?\d+ : |All done)`).FindString(line)
		if kind != "" {
			all = append(all, kind)
		}
	}
	return all
}

// On a server that answers by script both count the same, and say so in the same words, in
// the same order, and in the same fields.
func TestALoadIsToldOfAsFortioTellsOfIt(t *testing.T) {
	log.SetLogLevelQuiet(log.Info) // at which fortio load tells
	log.Config.LogFileAndLine, log.Config.GoroutineID = false, false
	defer log.SetLogLevelQuiet(log.Error)
	log.SetOutput(io.Discard)
	defer log.SetOutput(os.Stderr)
	for _, test := range []struct {
		name   string
		script []int
		o      fhttp.HTTPRunnerOptions
		args   []string
		warmup int64
	}{
		{"closed loop", []int{200, 200, 503, 200, 404, 418, 201}, fhttp.HTTPRunnerOptions{RunnerOptions: periodic.RunnerOptions{QPS: -1, NumThreads: 4, Exactly: 140}}, []string{"-qps", "0", "-c", "4", "-n", "140"}, 0},
		{"rate", []int{200, 500}, fhttp.HTTPRunnerOptions{RunnerOptions: periodic.RunnerOptions{QPS: 100, NumThreads: 2, Exactly: 40}}, []string{"-qps", "100", "-c", "2", "-n", "40"}, 0},
		{"duration", []int{200}, fhttp.HTTPRunnerOptions{RunnerOptions: periodic.RunnerOptions{QPS: 40, NumThreads: 4, Duration: time.Second, NoCatchUp: true}}, []string{"-qps", "40", "-t", "1s", "-nocatchup"}, 4},
		{"all fail", []int{503}, fhttp.HTTPRunnerOptions{AllowInitialErrors: true, RunnerOptions: periodic.RunnerOptions{QPS: 40, NumThreads: 4, Duration: time.Second, Uniform: true}}, []string{"-qps", "40", "-t", "1s", "-allow-initial-errors", "-uniform"}, 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			theirURL, theirsServed := scripted(t, test.script...)
			theirs, theySaid := byFortio(t, theirURL, test.o)
			ourURL, oursServed := scripted(t, test.script...)
			ours, written, weSaid := byLoad(t, append(test.args, ourURL)...)
			sameCounts(t, theirs, ours, test.o.Exactly > 0)
			for of, served := range map[*fhttp.HTTPRunnerResults]int64{ours: oursServed.Load(), theirs: theirsServed.Load()} {
				if sent := of.DurationHistogram.Count + test.warmup; served != sent {
					t.Errorf("%s: the server had %d requests, want %d", of.Version, served, sent)
				}
			}
			theySaid += "All done" // which its command line adds
			if diff := gocmp.Diff(collapsed(kinds(theySaid)), collapsed(kinds(weSaid))); diff != "" {
				t.Errorf("other words (-fortio +load):\n%s\n%s", diff, weSaid)
			}
			sameFields(t, theirs, written)
		})
	}
}

// sameCounts holds how many requests ended how against fortio's. Where none was asked for
// exactly, a machine that is late has fewer of them, and it is the kinds that are the same.
func sameCounts(t *testing.T, theirs, ours *fhttp.HTTPRunnerResults, exactly bool) {
	t.Helper()
	if !exactly {
		if diff := gocmp.Diff(slices.Sorted(maps.Keys(theirs.RetCodes)), slices.Sorted(maps.Keys(ours.RetCodes))); diff != "" {
			t.Errorf("other codes (-fortio +load):\n%s", diff)
		}
		return
	}
	if diff := gocmp.Diff(theirs.RetCodes, ours.RetCodes); diff != "" {
		t.Errorf("other codes (-fortio +load):\n%s", diff)
	}
	if ours.DurationHistogram.Count != theirs.DurationHistogram.Count || ours.ErrorsDurationHistogram.Count != theirs.ErrorsDurationHistogram.Count {
		t.Errorf("%d calls and %d error cases, and with fortio %d and %d", ours.DurationHistogram.Count, ours.ErrorsDurationHistogram.Count, theirs.DurationHistogram.Count, theirs.ErrorsDurationHistogram.Count)
	}
}

// collapsed has what both print for each bucket but once: their times are not the same.
func collapsed(kinds []string) []string { return slices.Compact(kinds) }

// sameFields holds the fields of a result against those of fortio's, and those of which
// both say what was asked.
func sameFields(t *testing.T, theirs *fhttp.HTTPRunnerResults, written map[string]any) {
	t.Helper()
	text, err := json.Marshal(theirs)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(slices.Sorted(maps.Keys(fields)), slices.Sorted(maps.Keys(written))); diff != "" {
		t.Errorf("other fields (-fortio +load):\n%s", diff)
	}
	for _, name := range []string{"RunType", "RequestedQPS", "RequestedDuration", "NumThreads", "Exactly", "Jitter", "Uniform", "NoCatchUp", "RunID", "AbortOn", "MethodOverride"} {
		if fields[name] != written[name] {
			t.Errorf("%s is %v, and with fortio %v", name, written[name], fields[name])
		}
	}
}

// A stall is in the percentiles of whoever says when requests were due.
func TestAStallIsInThePercentiles(t *testing.T) {
	stalling := func() string {
		var served atomic.Int64
		server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			if served.Add(1) == 100 {
				<-time.After(time.Second)
			}
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
	ours, _, _ := byLoad(t, "-qps", "100", "-c", "1", "-n", "400", stalling())
	if p99 := ours.DurationHistogram.Percentiles[3]; p99.Percentile != 99 || p99.Value < 0.89 {
		t.Errorf("%+v", p99)
	}
	log.SetLogLevelQuiet(log.Error)
	theirs, _ := byFortio(t, stalling(), fhttp.HTTPRunnerOptions{RunnerOptions: periodic.RunnerOptions{QPS: 100, NumThreads: 1, Exactly: 400}})
	if p99 := theirs.DurationHistogram.Percentiles[3]; p99.Value > 0.5 {
		t.Errorf("fortio has it, too: %+v; docs/load.md says otherwise", p99)
	}
}

func TestDaysAndWeeks(t *testing.T) {
	for text, want := range map[string]time.Duration{"5s": 5 * time.Second, "1d": 24 * time.Hour, "1w2d3h": (9*24 + 3) * time.Hour, "0": 0, "-1s": -time.Second} {
		var got longTime
		if err := got.Set(text); err != nil || time.Duration(got) != want {
			t.Errorf("%s: %v, %v", text, time.Duration(got), err)
		}
	}
	for _, text := range []string{"", "5", "d", "1day", "s1d"} {
		if err := new(longTime).Set(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

// Ctrl-C ends a load, and what came of it is told and kept; the second one gives up what is
// in flight. What is expected of a load that had an end of its own is inconclusive then.
func TestAnInterruptedLoadIsToldOf(t *testing.T) {
	for _, test := range []struct {
		name    string
		args    []string
		signals int
		status  int
		want    string
	}{
		{"endless", []string{"-t", "0", "-expect", "share(200) == 100%"}, 1, exitPass, "pass  share"},
		{"of a number", []string{"-n", "100000", "-expect", "share(200) == 100%"}, 1, exitInconclusive, "inconclusive: the load was interrupted"},
		{"in flight", []string{"-n", "100000", "-timeout", "1h"}, 2, exitPass, "# Code -1, canceled : "},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var served atomic.Int64
			held := make(chan struct{})
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if served.Add(1); test.signals > 1 && served.Load() > 20 {
					select {
					case <-held:
					case <-r.Context().Done():
					}
				}
			}))
			defer server.Close()
			defer close(held)
			kept := filepath.Join(t.TempDir(), "out.json")
			cmd, said, _ := start(t, append([]string{loadCommand, "-qps", "200", "-json", kept, server.URL}, test.args...)...)
			for served.Load() < 22 {
				<-time.After(10 * time.Millisecond)
			}
			began := time.Now()
			for range test.signals {
				if err := cmd.Process.Signal(os.Interrupt); err != nil {
					t.Fatal(err)
				}
				<-time.After(300 * time.Millisecond) // two at once may come as one
			}
			var all strings.Builder
			for said.Scan() {
				all.WriteString(said.Text() + "\n")
			}
			_ = cmd.Wait() // its status tells
			if took := time.Since(began); took > 5*time.Second || cmd.ProcessState.ExitCode() != test.status || !strings.Contains(all.String(), test.want) || !strings.Contains(all.String(), "All done ") ||
				!strings.Contains(all.String(), "interrupted: waiting for requests in flight to end; Ctrl-C gives them up\n") {
				t.Errorf("exit status %d after %v, want %d, and %q:\n%s", cmd.ProcessState.ExitCode(), took, test.status, test.want, &all)
			}
			result := new(fhttp.HTTPRunnerResults)
			text, err := os.ReadFile(kept)
			if err == nil {
				err = json.Unmarshal(text, result)
			}
			if err != nil || result.DurationHistogram.Count < 15 {
				t.Errorf("it kept %v of %s", err, text)
			}
		})
	}
}

// Nothing of a load by itself is filled in, so that any payload can be sent: of random bytes
// every other file has two braces.
func TestALoadIsSentAsItStands(t *testing.T) {
	const payload, field, query = `{{.name}}{{/* none */}}{{{{{"{{"}} }}`, `{{.token}}`, `{{.q}}`
	var wrong atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || string(body) != payload || r.Header.Get("X-Token") != field || r.URL.Query().Get("q") != query {
			wrong.Add(1)
		}
	}))
	defer server.Close()
	url := server.URL + "/?q=" + query
	for _, engine := range []string{"-stdclient=false", "-stdclient"} {
		seen, _, said := byLoad(t, engine, "-qps", "0", "-c", "1", "-n", "2", "-payload", payload, "-H", "X-Token:"+field, url)
		if wrong.Load() > 0 || seen.URL != url || string(seen.Payload) != payload || !strings.Contains(said, url) {
			t.Errorf("%s: %d requests were other ones; it tells of %s with %q:\n%s", engine, wrong.Swap(0), seen.URL, seen.Payload, said)
		}
	}
}

// The name of an error that has none of its own says nothing: what was wrong with the first does.
func TestWhatAnErrorWithoutANameWasIsTold(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "220 mail.example.com\r\n")
			_, _ = io.Copy(io.Discard, conn)
			_ = conn.Close()
		}
	}()
	var told bytes.Buffer
	status := execute(t.Context(), []string{"load", "-q", "-n", "3", "-c", "1", "-qps", "0", "-stdclient", "http://" + l.Addr().String() + "/"}, io.Discard, &told)
	if want := "other: the first was: malformed HTTP status code \"mail.example.com\"\n"; status != exitPass || !strings.Contains(told.String(), want) {
		t.Errorf("status %d, without %s:\n%s", status, want, told.String())
	}
	for _, engine := range []string{"-stdclient=false", "-stdclient"} {
		told.Reset()
		url := "http://" + l.Addr().String() + "/"
		status = execute(t.Context(), []string{"load", "-q", "-t", "1s", "-c", "1", engine, url}, io.Discard, &told)
		want := "driving load at " + url + ": the first request of a connection ended with error other: "
		if said := strings.Join(strings.Fields(told.String()), " "); status != exitInconclusive || !strings.Contains(said, want) || strings.Contains(said, want+";") || !strings.HasSuffix(said, "; see to the service, or write -allow-initial-errors") {
			t.Errorf("%s: status %d, without %s:\n%s", engine, status, want, told.String())
		}
	}
}

// What -abort-on is of ends a load with a status of its own, be it on the first request of a
// connection, which does not count. Of another failure there it is not told.
func TestALoadThatAbortsHasAStatusOfItsOwn(t *testing.T) {
	url, _ := scripted(t, 503)
	closed, _ := net.Listen("tcp", "127.0.0.1:0")
	nobody := "http://" + closed.Addr().String()
	_ = closed.Close()
	for _, test := range []struct {
		args   string
		status int
		want   string
	}{
		{"-n 8 -abort-on 503 " + url, exitFail, "aborted: a request ended with status 503"},
		{"-t 1s -abort-on 503 " + url, exitFail, "aborted: a request ended with status 503"},
		{"-t 1s -abort-on 503 -allow-initial-errors " + url, exitFail, "aborted: a request ended with status 503"},
		{"-t 1s -abort-on -1 " + nobody, exitFail, "aborted: a request had no whole answer"},
		{"-t 1s -abort-on 404 " + url, exitInconclusive, ""},
		{"-t 1s -abort-on -1 " + url, exitInconclusive, ""},
		{"-t 1s " + url, exitInconclusive, ""},
	} {
		t.Run(test.args, func(t *testing.T) {
			var out, said bytes.Buffer
			status := execute(t.Context(), append([]string{loadCommand, "-q", "-qps", "0", "-c", "2"}, strings.Fields(test.args)...), &out, &said)
			if got := said.String(); status != test.status || !strings.Contains(got, test.want) || test.want == "" && strings.Contains(got, "aborted") {
				t.Errorf("exit status %d, want %d with %q:\n%s", status, test.status, test.want, got)
			}
		})
	}
}
