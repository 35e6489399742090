package fortio

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/test/records"
)

// fortio's own report page lists the results, serves them as they are, and draws the one
// that its address names.
func TestFortiosReportPageShowsTheResults(t *testing.T) {
	dir := t.TempDir()
	files, err := Results(records.Read(t, "canary-reviews"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at := serve(t, dir)
	list := get(t, at+"/data/index.html")
	page := get(t, at+"/")
	for name, text := range files {
		if !strings.Contains(list, name) || !strings.Contains(page, `<option value="`+name+`"`) {
			t.Errorf("it does not list %s:\n%s\n%s", name, list, page)
		}
		if got := get(t, at+"/data/"+name); got != string(text) {
			t.Errorf("of %s it serves\n%s", name, got)
		}
	}
	for name, text := range files {
		loads := loaded.FindStringSubmatch(get(t, at+"/?url="+name))
		if loads == nil {
			t.Errorf("the page of %s draws no result", name)
		} else if got := get(t, at+"/data/"+loads[1]); got != string(text) {
			t.Errorf("the page of %s draws %s, which is\n%s", name, loads[1], got)
		}
	}
	if loads := loaded.FindStringSubmatch(page); loads != nil {
		t.Errorf("the page that lists the results draws %s", loads[1])
	}
}

// loaded is the call of the page's script that fetches a result, and draws it.
var loaded = regexp.MustCompile(`(?m)^fortio_load\('([^']+)'\)$`)

// serve starts fortio report and returns where it serves.
func serve(t *testing.T, dir string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "fortio")
	build := exec.CommandContext(t.Context(), "go", "build", "-C", "../../test/fortio", "-trimpath", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building fortio: %v\n%s", err, out)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, program, "report", "-http-port", address, "-data-dir", dir)
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(said)
	t.Cleanup(func() {
		stop()
		for lines.Scan() {
			t.Log(lines.Text())
		}
		_ = cmd.Wait() // it was told to end
	})
	for lines.Scan() {
		if strings.Contains(lines.Text(), "Data directory is") { // the last that it sets up
			return "http://" + address
		}
		t.Log(lines.Text())
	}
	t.Fatal("fortio report has ended")
	return ""
}

func get(t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d", answer.StatusCode)
	}
	if err != nil {
		t.Fatalf("%s: %v", url, err)
	}
	return string(text)
}
