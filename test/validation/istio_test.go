//go:build e2e

// Package validation holds what rules.Check refuses against what Istio refuses: by
// its CustomResourceDefinitions and by its webhook, whose code test/cluster/validate
// runs. It needs no cluster.
package validation

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/sidecar"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

const istioModule = "../cluster/validate"

// istio answers what Istio says to an object.
type istio struct {
	in  io.Writer
	out *bufio.Reader
}

// istioSource is the folder of Istio's source.
func istioSource(t *testing.T) string {
	t.Helper()
	list := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "istio.io/istio")
	list.Dir, list.Stderr = istioModule, os.Stderr
	dir, err := list.Output()
	if err != nil {
		t.Fatalf("finding Istio's module: %v", err)
	}
	return strings.TrimSpace(string(dir))
}

// startIstio builds and starts the command that has Istio's code.
func startIstio(t *testing.T) *istio {
	run := exec.Command("go", "run", ".", "-crds", filepath.Join(istioSource(t), "manifests/charts/base/files/crd-all.gen.yaml"))
	run.Dir = istioModule
	run.Stderr = os.Stderr
	in, err := run.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := run.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := run.Wait(); err != nil {
			t.Errorf("Istio's code ended with %v", err)
		}
	})
	return &istio{in, bufio.NewReader(out)}
}

// refuses returns why Istio refuses a manifest, in JSON on one line; empty: it takes
// it.
func (i *istio) refuses(t fataler, manifest []byte) string {
	if _, err := i.in.Write(append(manifest, '\n')); err != nil {
		t.Fatalf("asking Istio: %v", err)
	}
	for {
		line, err := i.out.ReadString('\n')
		if err != nil {
			t.Fatalf("asking Istio: %v", err)
		}
		switch answer, ours := strings.CutPrefix(strings.TrimSpace(line), "="); {
		case !ours: // Istio's own log
		case answer == "ok":
			return ""
		default:
			return answer
		}
	}
}

// fataler is a test, or one of rapid's.
type fataler interface {
	Fatalf(format string, args ...any)
}

// weRefuse returns why meshchaos refuses a manifest; empty: it takes it.
func weRefuse(manifest []byte) string {
	object, err := rules.DecodeFile(manifest)
	if err != nil {
		return err.Error()
	}
	var all []string
	for _, p := range rules.Check([]*rules.Object{object}) {
		all = append(all, p.Path+": "+p.Message)
	}
	return strings.Join(all, "; ")
}

// runs says whether the embedded mesh would run what is in a manifest. What it does
// not implement it refuses by name, so that only Istio has to know what is wrong in it.
func runs(manifest []byte) bool {
	object, err := rules.DecodeFile(manifest)
	if err != nil {
		return false
	}
	var unsupported *config.UnsupportedError
	_, err = sidecar.Compile(config.Mesh{Services: []config.Service{sidecartest.Service("a", 80, false)}}, []*rules.Object{object})
	return !errors.As(err, &unsupported)
}
