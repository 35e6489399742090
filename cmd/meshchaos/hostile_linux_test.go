package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/test/hostile"
)

// ofHostile loads a service that answers each way in which it could break a face: with 5 MB,
// in chunks and in a line, with a status after the other, cut short, and with what is no HTTP.
const ofHostile = `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: hostile}
spec:
  summary: "<script>alert(1)</script> | @somebody"
  app: hostile
  checks:
    "<script>alert(1)</script>": {body: "<script>alert(1)</script>"}
    "| cleared | @all": {match: '\x1b\[2J\x1b\]0;title\x07'}
  versions:
    "<img src=x onerror=alert(1)>": {body: "<img src=x onerror=alert(1)>"}
  apply:
    - fault: {service: hostile, delay: 10ms}
  load:
    length: {get: "http://hostile:8000/length", requests: 30, connections: 2}
    chunked: {get: "http://hostile:8000/chunked", requests: 30, connections: 2}
    said: {tcp: "lines:9000", lines: ["<script>alert(1)</script>"], requests: 10, connections: 1}
    statuses: {get: "http://hostile:8000/statuses", requests: 300, connections: 2}
    calls: {get: "http://hostile:8000/calls", requests: 3, connections: 1}
    short: {get: "http://hostile:8000/short", requests: 3, connections: 1}
    head: {get: "http://hostile:8000/head", requests: 3, connections: 1}
    orders: {get: "http://hostile:8000/orders", requests: 3, connections: 1}
    names: {get: "http://hostile:8000/names", requests: 3, connections: 1}
    nothing: {get: "http://hostile:8000/nothing", requests: 3, connections: 1}
    fortio: {get: "http://hostile:8000/length", engine: fortio, requests: 3, connections: 1}
  expect:
    - length.status[200] == length.sent
    - length.share("<script>alert(1)</script>") == 100%
    - length.share("| cleared | @all") == 100%
    - chunked.status[200] == chunked.sent
    - chunked.share("| cleared | @all") == 100%
    - said.share("<script>alert(1)</script>") == 100%
`

// ofLogin loads it with a cohort whose login is refused, with the words that it refuses in.
const ofLogin = `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: refused}
spec:
  summary: What a login comes to.
  app: hostile
  apply:
    - fault: {service: hostile, delay: 10ms}
  load:
    pages: {get: "http://hostile:8000/length", as: "<script>alert(1)</script>", requests: 3, connections: 1}
    others: {get: "http://hostile:8000/length", requests: 3, connections: 1}
  expect:
    - pages.status[200] == pages.sent
`

// mostMemory is what a run may have in use, in bytes: much less than it was answered, of
// which the requests of the load under the rule alone are 350 MB.
const mostMemory = 400 << 20

// TestAHostileServiceBreaksNoFace: two runs on a mesh with a service that nobody wants, by a
// program that has it, and all that is made of them and of both together.
func TestAHostileServiceBreaksNoFace(t *testing.T) {
	p := hostileProgram{t, buildHostile(t), t.TempDir()}
	for name, text := range map[string]string{"hostile.yaml": ofHostile, "login.yaml": ofLogin} {
		if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p.watched("run", "hostile.yaml", "--report-dir", "nights/1")
	for _, args := range []string{
		"run hostile.yaml --report-dir nights/2 --baseline nights/1 -o json", "judge nights/2 -o json", "judge nights -o jsonl", "compare nights/1 nights/2 -o json", "history nights -o json",
		"judge nights/1", "judge nights/1 -q", "judge nights/1 -o wide", "compare nights/1 nights/2 -o wide", "history nights",
		"compare nights/1 nights/2 -o markdown", "compare nights/1 nights/2 -o html", "report nights/1 --report-dir again",
		"run login.yaml --report-dir login", "judge login", "judge login -o json",
	} {
		out := p.printed(strings.Fields(args)...)
		kind := ".txt"
		for _, format := range []string{"json", "html", "md"} {
			if strings.HasSuffix(strings.Replace(args, "markdown", "md", 1), "-o "+format) {
				kind = "." + format
			}
		}
		holdFile(t, args+" > out"+kind, out)
	}
	for _, args := range []string{"judge nights/1 -o wide", "compare nights/1 nights/2", "history nights"} {
		p.watched(strings.Fields(args)...)
	}
	count := 0
	for _, dir := range []string{"nights/1", "nights/2", "again", "login"} {
		for _, files := range []string{"*.*", "results/*.json"} {
			paths, err := filepath.Glob(filepath.Join(p.dir, dir, files))
			if err != nil {
				t.Fatal(err)
			}
			for _, path := range paths {
				text, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				holdFile(t, path, text)
				count++
			}
		}
	}
	if count < 3*(4+3*8) {
		t.Errorf("there are %d files", count)
	}
	p.holdRecord("nights/1/report.json")
	p.holdRecord("nights/2/report.json")
}

// buildHostile builds the program with that application in the place of Bookinfo.
func buildHostile(t *testing.T) string {
	t.Helper()
	list, err := filepath.Abs("../../internal/samples/samples.go")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	with := strings.NewReplacer("import (\n", "import (\n\t\"github.com/meshchaos/meshchaos/test/hostile\"\n", "\t\tbookinfo.Application(),\n", "\t\tbookinfo.Application(),\n\t\thostile.Application(),\n").Replace(string(text))
	dir := t.TempDir()
	file, overlay, program := filepath.Join(dir, "samples.go"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "meshchaos")
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{list: file}})
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{file: with, overlay: string(replace)} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if said, err := exec.CommandContext(t.Context(), "go", "build", "-overlay", overlay, "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return program
}

type hostileProgram struct {
	t         *testing.T
	path, dir string
}

// printed is what a command prints where nobody watches.
func (p hostileProgram) printed(args ...string) []byte {
	p.t.Helper()
	var out, said bytes.Buffer
	p.do(args, &out, &said)
	if args[0] == "run" {
		holdFile(p.t, "progress.txt", said.Bytes())
	}
	return out.Bytes()
}

// watched holds what a command prints on a terminal that draws, and becomes narrower.
func (p hostileProgram) watched(args ...string) {
	p.t.Helper()
	screen, tty := watch(p.t, 100)
	go func() {
		for !strings.Contains(screen.shows(), "under the rule") {
			if _, more := <-screen.news; !more {
				return
			}
		}
		screen.resize(80, 24)
	}()
	p.do(args, tty, tty)
	screen.last(tty)
	if screen.rest != "" {
		p.t.Errorf("%s orders the terminal %.40q", args, screen.rest)
	}
	if drawn := strings.Contains(screen.raw, "\x1b["); args[0] == "run" && !drawn {
		p.t.Errorf("%s draws nothing: %.200q", args, screen.raw)
	}
	holdFile(p.t, strings.Join(args, " ")+" on a terminal", []byte(orders.ReplaceAllString(strings.ReplaceAll(screen.raw, "\r", ""), "")))
}

// orders are those that the program may give to a terminal, wherever they stand.
var orders = regexp.MustCompile(`\x1b\[[0-9;]*[AJKm]`)

// do carries a command out. Its status is that of a verdict: two runs that are alike have not
// regressed, and none of the runs can pass.
func (p hostileProgram) do(args []string, out, said io.Writer) {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), p.path, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.dir, out, said
	err := cmd.Run()
	want := exitPass
	if args[0] == "run" || args[0] == "judge" {
		want = exitInconclusive
	}
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != want && args[0] != "compare" {
		p.t.Fatalf("%s: %v; %v %v", args, err, said, out)
	}
	most := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
	p.t.Logf("%s: %d MB at most", args, most>>20)
	if most > mostMemory {
		p.t.Errorf("%s had %d MB in use", args, most>>20)
	}
}

// holdFile holds that a file is whole, harmless and no larger than it may be.
func holdFile(t *testing.T, name string, text []byte) {
	t.Helper()
	most := map[string]int{".html": 500_000, ".md": 64 << 10, ".json": 1_000_000, ".jsonl": 1_000_000}[filepath.Ext(name)]
	if strings.HasSuffix(name, ".json") && strings.Contains(name, "nights/2") { // which has the earlier run in it as well
		most *= 2
	}
	if len(text) == 0 || most > 0 && len(text) > most {
		t.Errorf("%s has %d bytes", name, len(text))
	}
	if !utf8.Valid(text) {
		t.Errorf("%s is no UTF-8", name)
	}
	if at := bytes.IndexFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' || r == '\u202e' }); at >= 0 {
		t.Errorf("%s has an order to a terminal at %d: %.80q", name, at, text[max(0, at-40):])
	}
	if kind := filepath.Ext(name); kind != "" && kind != ".txt" && kind != ".md" && bytes.Contains(text, []byte("<script>alert")) || kind == ".html" && bytes.Contains(text, []byte("<img")) {
		t.Errorf("%s has a tag of the service's", name)
	}
	if err := readable(name, text); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

// holdRecord holds that a run has seen what the service is for, to the last byte.
func (p hostileProgram) holdRecord(path string) {
	p.t.Helper()
	in, err := os.Open(filepath.Join(p.dir, path))
	if err != nil {
		p.t.Fatal(err)
	}
	defer in.Close()
	r, err := report.Read(in)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, e := range r.Expectations {
		if e.Verdict != report.Pass {
			p.t.Errorf("%s: %s: %s", e.Expression, e.Verdict, e.Observed)
		}
	}
	loads := r.Window(report.During, "").Loads
	seen := map[string]string{}
	for name, l := range loads {
		seen[name] = fmt.Sprint(l.Failure)
		for _, o := range l.Outcomes {
			if len(l.Outcomes) < 10 {
				seen[name] += o.Words() + " " + o.Version
			}
		}
	}
	p.t.Logf("%d statuses; %q", len(loads["statuses"].Outcomes), seen)
	if len(loads["statuses"].Outcomes) < 200 || hostile.Large < 5_000_000 {
		p.t.Errorf("%s has %d statuses", path, len(loads["statuses"].Outcomes))
	}
}
