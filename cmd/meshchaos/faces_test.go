package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/terminal"
	"github.com/meshchaos/meshchaos/test/records"
)

// A new face is one folder and one line in the list (and its import): the program is
// built with both, and writes it.
func TestANewFaceIsAFolderAndALine(t *testing.T) {
	dir := t.TempDir()
	list, err := os.ReadFile("faces.go")
	if err != nil {
		t.Fatal(err)
	}
	with := strings.Replace(string(list), "var faces = []face{\n", "var faces = []face{\n\tone(\"hello.txt\", hello.Write),\n", 1)
	with = strings.Replace(with, "import (\n", "import (\n\t\"github.com/meshchaos/meshchaos/report/hello\"\n", 1)
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{
		filepath.Join(root, "cmd/meshchaos/faces.go"): with,
		filepath.Join(root, "report/hello/hello.go"):  "// Package hello is a face.\npackage hello\n\nimport (\n\t\"io\"\n\n\t\"github.com/meshchaos/meshchaos/report\"\n)\n\n// Write writes it.\nfunc Write(w io.Writer, r *report.Record) error {\n\t_, err := io.WriteString(w, \"hello, \"+r.Scenario.Name)\n\treturn err\n}\n",
	}
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for path, text := range files {
		overlay.Replace[path] = filepath.Join(dir, filepath.Base(path))
		if err := os.WriteFile(overlay.Replace[path], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "run", "-overlay", filepath.Join(dir, "overlay.json"), ".", "report", "../../test/records/failing.json", "--report-dir", filepath.Join(dir, "out"))
	said, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(said), "wrote report.json, hello.txt, report.html") {
		t.Fatalf("%v: %s", err, said)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "out/hello.txt")); err != nil || string(got) != "hello, delay-too-short" {
		t.Errorf("%q, %v", got, err)
	}
}

// A report of another version, or one that was cut off, is no less an earlier one: what was
// made of it would be read as this command's.
func TestAReportThatCannotBeReadIsTakenAwayAsWell(t *testing.T) {
	for name, test := range map[string]struct {
		change func(text string) string
		left   []string
	}{
		"of a later version":  {func(text string) string { return strings.Replace(text, "{", `{"more": 1,`, 1) }, nil},
		"of another one":      {func(text string) string { return strings.Replace(text, "/v1alpha1", "/v2", 1) }, nil},
		"cut off":             {func(text string) string { return text[:len(text)/2] }, nil},
		"somebody else's":     {func(string) string { return `{"kind": "Report"}` }, []string{"report.html", "report.json", "report.md", "results"}},
		"cut off, of another": {func(string) string { return `{"kind": "Rep` }, []string{"report.html", "report.json", "report.md", "results"}},
	} {
		dir := t.TempDir()
		if _, err := writeReport(dir, records.Read(t, "failing"), ofEach()); err != nil {
			t.Fatal(err)
		}
		own := filepath.Join(dir, "results", "own.json") // of somebody who has used fortio itself
		if err := os.WriteFile(own, []byte(`{"RunType": "HTTP", "Version": "1.70.0"}`), 0o600); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, recordFile)
		text, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(path, []byte(test.change(string(text))), 0o600)
		}
		if err == nil {
			err = forgetReport(dir)
		}
		if ownErr := os.Remove(own); ownErr != nil {
			t.Errorf("%s: what is somebody else's is gone: %v", name, ownErr)
		}
		_ = os.Remove(filepath.Dir(own)) // if nothing else is in it
		entries, readErr := os.ReadDir(dir)
		var left []string
		for _, entry := range entries {
			left = append(left, entry.Name())
		}
		if err != nil || readErr != nil || !slices.Equal(left, test.left) {
			t.Errorf("%s: %v is left, want %v; %v, %v", name, left, test.left, err, readErr)
		}
	}
}

func TestAFaceThatFailsKeepsNoneBackAndLeavesNoneOfAnEarlierRecord(t *testing.T) {
	dir := t.TempDir()
	r := records.Read(t, "failing")
	good := one("good.txt", func(w io.Writer, _ *report.Record) error { _, err := io.WriteString(w, "good"); return err })
	both := []face{one("bad.txt", good.write(t)), one("worse.txt", good.write(t)), good}
	if said, err := writeReport(dir, r, both); err != nil || said != "wrote report.json, bad.txt, worse.txt, good.txt into "+dir {
		t.Fatalf("%s, %v", said, err)
	}
	both[0] = one("bad.txt", func(io.Writer, *report.Record) error { return errors.New("it is wrong") })
	both[1] = one("worse.txt", func(io.Writer, *report.Record) error { panic("it is worse") })
	said, err := writeReport(dir, r, both)
	if said != "wrote report.json, good.txt into "+dir || err == nil || !strings.Contains(err.Error(), "making bad.txt: it is wrong") || !strings.Contains(err.Error(), "making worse.txt: it broke: it is worse") {
		t.Errorf("%s, %v", said, err)
	}
	entries, err := os.ReadDir(dir)
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if err != nil || strings.Join(names, " ") != "good.txt report.json" {
		t.Errorf("the folder has %v, %v", names, err)
	}
}

// write is the writing of a face of one file.
func (f face) write(t *testing.T) func(io.Writer, *report.Record) error {
	t.Helper()
	return func(w io.Writer, r *report.Record) error {
		files, err := f.render(r)
		if err != nil {
			return err
		}
		_, err = w.Write(files[f.files])
		return err
	}
}

// evils are what a service may say, or a file that somebody sends.
var evils = []string{
	"<script>alert(1)</script>", "\x1b]0;title\x07\x1b[2J\x1b[31mred", "\xff\xfe\xc3\x28 \ufffe\u202e", "| a | ```\n</details><img src=x onerror=alert(1)> ]]> @somebody",
	strings.Repeat("<b>\x1b[2J|`\x00", 1<<15),
}

// Whatever stands in a record, every face of it is what it is to be: none has a tag or an
// order of it, and each is read by what reads such files.
func TestNothingInARecordBreaksAFace(t *testing.T) {
	for _, evil := range evils {
		r := records.Read(t, "failing")
		r.Scenario.Summary, r.Scenario.File, r.Mesh.Version, r.Run = evil, evil, evil, evil
		r.Who, r.Mesh.Context, r.Mesh.Account = &report.Who{User: evil, Host: evil}, evil, evil
		r.Problems, r.Warnings, r.Doubts = []string{evil}, []string{evil}, []report.Doubt{{Point: 1, Problem: evil}}
		e := &r.Expectations[0]
		e.Expression, e.Observed, e.Limit, e.Reason, e.Source, e.Step = evil, evil, evil, evil, evil, evil
		r.Changes[0].Object, r.Changes[0].Proof, r.Changes[0].Restored = evil, evil, false
		during := &r.Windows[1]
		during.Cut = evil
		during.Loads["jason"].Failure = evil
		during.Loads["jason"].Outcomes = append(during.Loads["jason"].Outcomes, loadgen.Outcome{Error: evil, Version: evil, Checks: []string{evil}})
		during.Calls[0].Call.To, during.Calls[0].Call.Path, during.Calls[0].Note = evil, evil, evil
		holdFaces(t, r)
	}
}

func holdFaces(t *testing.T, r *report.Record) {
	t.Helper()
	r, err := asWritten(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faces {
		files, err := f.safely(r)
		if err != nil {
			t.Errorf("%.100q: %v", r.Run, err)
		}
		for name, text := range files {
			shown := filepath.Ext(name) != ".md" // between backticks nothing acts: the face's own test shows it as a forge does
			if bytes.ContainsAny(text, "\x00\x1b\x07") || shown && (bytes.Contains(text, []byte("<script>alert")) || bytes.Contains(text, []byte("<img src=x"))) {
				t.Errorf("%s has what %.100q says", name, r.Run)
			}
			if len(text) > 1<<20 {
				t.Errorf("%s has %d bytes of %.100q", name, len(text), r.Run)
			}
			if err := readable(name, text); err != nil {
				t.Errorf("%s of %.100q: %v", name, r.Run, err)
			}
		}
	}
	for _, o := range []terminal.Options{{}, {Width: 80, Explain: true, Wide: true}} {
		var out bytes.Buffer
		if err := terminal.Write(&out, r, o); err != nil || bytes.ContainsAny(out.Bytes(), "\x00\x1b\x07") {
			t.Errorf("the terminal is given what %.100q says, %v", r.Run, err)
		}
	}
}

// readable reads a file as whatever it is for does.
func readable(name string, text []byte) error {
	switch filepath.Ext(name) {
	case ".json":
		var any map[string]any
		return json.Unmarshal(text, &any)
	case ".xml":
		for decoder := xml.NewDecoder(bytes.NewReader(text)); ; {
			if _, err := decoder.Token(); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
		}
	case ".html":
		_, err := html.Parse(bytes.NewReader(text))
		return err
	}
	return nil
}

// A real run, with all of that in what is sent and shown, of answers that are no UTF-8.
func TestARunOfHostileTextsHasAllItsFaces(t *testing.T) {
	dir := t.TempDir()
	scenario := `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: hostile}
spec:
  summary: "<script>alert(1)</script> | @somebody"
  app: httpbin
  checks:
    echoed: {body: "alert(1)"}
  apply:
    - fault: {service: httpbin, delay: 10ms}
  load:
    tags: {post: "http://httpbin:8000/anything/<script>alert(1)<script>", body: "<script>alert(1)</script>\x1B[2J\x1B]0;title\a", requests: 6, connections: 2}
    noise: {get: "http://httpbin:8000/bytes/1048576", requests: 3, connections: 1}
  expect:
    - tags.errors == 0
    - noise.errors == 0
    - noise.share("echoed") == 100%
`
	file := filepath.Join(dir, "hostile.yaml")
	if err := os.WriteFile(file, []byte(scenario), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, said bytes.Buffer
	if status := execute(t.Context(), []string{"run", file, "--report-dir", dir}, &out, &said); status != exitFail {
		t.Fatalf("status %d:\n%s\n%s", status, &out, &said)
	}
	if bytes.ContainsAny(out.Bytes(), "\x1b\a") || bytes.ContainsAny(said.Bytes(), "\x1b\a") {
		t.Errorf("a terminal is given\n%q\n%q", &out, &said)
	}
	all, err := readRecords(nil, []string{dir}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if e := all[0].record.Expectations; len(e) != 3 || e[0].Verdict != report.Pass || e[1].Verdict != report.Pass {
		t.Errorf("the service did not answer so: %+v", e)
	}
	holdFaces(t, all[0].record)
}

// TestEachFaceSaysWhoRanIt: and none of them of a record from which that was taken.
func TestEachFaceSaysWhoRanIt(t *testing.T) {
	wide := one("table", func(w io.Writer, r *report.Record) error {
		return terminal.Write(w, r, terminal.Options{Wide: true})
	})
	for _, told := range []bool{true, false} {
		r := records.Read(t, "delay-jason-istio")
		r.Who, r.Mesh.Context, r.Mesh.Server, r.Mesh.Account = nil, "", "", ""
		if told {
			r.Who, r.Mesh.Context, r.Mesh.Server = &report.Who{User: "anna", Host: "ci-7"}, "of-shop", "api.example:6443"
			r.Mesh.Account = "anna@example.org"
		}
		const all = "by anna on ci-7 in the context of-shop of the cluster at api.example:6443 as anna"
		for _, f := range append(slices.Clone(faces[:3]), wide) {
			var text bytes.Buffer
			if err := f.write(t)(&text, r); err != nil {
				t.Fatal(err)
			}
			says := all
			if f.files == "junit.xml" {
				says = `hostname="ci-7"`
			}
			if got := strings.Contains(text.String(), says); got != told {
				t.Errorf("%s says %s: %v, want %v", f.files, says, got, told)
			}
		}
	}
}
