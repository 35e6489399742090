// Package house holds the house's floors: an import only ever points to a
// lower floor.
package house

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/meshchaos/meshchaos/"

// floors are those of CONTRIBUTING.md. A package below a named one stands on
// its floor.
var floors = map[string]int{
	"cmd/meshchaos":                7,
	"internal/mesh/meshtest":       7, // only tests import it
	"internal/runner":              6,
	"internal/mesh/embedded":       6,
	"internal/mesh/istio":          5,
	"internal/verdict":             5,
	"report/terminal":              5,
	"internal/sidecar/admin":       5,
	"scenarios":                    4,
	"internal/sidecar":             4,
	"internal/sidecar/sidecartest": 4, // only tests import it
	"internal/evidence":            4,
	"internal/live":                4,
	"internal/check":               3,
	"internal/mesh":                3,
	"internal/samples":             3,
	"internal/sidecar/config":      3,
	"internal/envoy/envoytest":     3, // only tests import it
	"report":                       2,
	"internal/policy":              2,
	"internal/rules":               2,
	"internal/agent":               2,
	"internal/samples/sub":         2,
	"internal/samples/workload":    1,
	"internal/yamlnode":            1,
	"internal/envoy":               1,
	"loadgen":                      1,
	"manifests":                    1,
	"internal/nearest":             0,
}

type goPackage struct {
	ImportPath string
	Imports    []string
}

func TestImportsPointToALowerFloor(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", module+"cmd/...", module+"internal/...", module+"loadgen/...", module+"manifests/...", module+"report/...", module+"scenarios/...").Output()
	if err != nil {
		t.Fatalf("listing the packages: %v", err)
	}
	packages := 0
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; packages++ {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		own := strings.TrimPrefix(p.ImportPath, module)
		from, ok := floorOf(own)
		if !ok {
			t.Errorf("%s stands on no floor; give it one here and in CONTRIBUTING.md", own)
		}
		for _, imported := range p.Imports {
			other, inside := strings.CutPrefix(imported, module)
			if !inside {
				continue
			}
			if to, ok := floorOf(other); ok && to >= from {
				t.Errorf("%s (floor %d) imports %s (floor %d)", own, from, other, to)
			}
		}
	}
	if packages < len(floors)-1 {
		t.Errorf("%d packages were looked at, fewer than have a floor", packages)
	}
}

// floorOf returns the floor of a package. The sample applications stand below what
// lists them.
func floorOf(path string) (int, bool) {
	if floor, named := floors[path]; named {
		return floor, true
	}
	if strings.HasPrefix(path, "internal/samples/") {
		return floors["internal/samples/sub"], true
	}
	return 0, false
}
