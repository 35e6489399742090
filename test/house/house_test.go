// Package house holds the house's floors: an import only ever points to a
// lower floor.
package house

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/meshchaos/meshchaos/"

type goPackage struct {
	ImportPath string
	Imports    []string
}

func TestImportsPointToALowerFloor(t *testing.T) {
	floors := readFloors(t)
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", module+"cmd/...", module+"internal/...", module+"loadgen/...", module+"manifests/...", module+"report/...", module+"scenarios/...").Output()
	if err != nil {
		t.Fatalf("listing the packages: %v", err)
	}
	used := map[string]bool{}
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		own := strings.TrimPrefix(p.ImportPath, module)
		row := rowOf(floors, own)
		if row == "" {
			t.Errorf("%s stands on no floor; give it one in CONTRIBUTING.md", own)
			continue
		}
		used[row] = true
		for _, imported := range p.Imports {
			other, inside := strings.CutPrefix(imported, module)
			if !inside {
				continue
			}
			if to := rowOf(floors, other); to != "" && floors[to] >= floors[row] {
				t.Errorf("%s (floor %d) imports %s (floor %d)", own, floors[row], other, floors[to])
			}
			if strings.HasSuffix(other, "test") {
				t.Errorf("%s imports %s, which is for tests alone", own, other)
			}
		}
	}
	for row := range floors {
		if !used[row] {
			t.Errorf("CONTRIBUTING.md has a floor for %s, and there is no such package", row)
		}
	}
}

// rows are those of the table of floors: | 6, 5 | `one`, `other` | what lives there |
var (
	rows  = regexp.MustCompile("(?m)^\\| ([0-9, ]+) \\| (`.+`) \\|")
	names = regexp.MustCompile("`([^`]+)`")
)

// readFloors reads the table of CONTRIBUTING.md. Of several floors in a row each
// is its package's, else all packages of it are on the one.
func readFloors(t *testing.T) map[string]int {
	t.Helper()
	text, err := os.ReadFile("../../CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	floors := map[string]int{}
	for _, row := range rows.FindAllStringSubmatch(string(text), -1) {
		numbers := strings.Split(row[1], ", ")
		for i, name := range names.FindAllStringSubmatch(row[2], -1) {
			floor, err := strconv.Atoi(numbers[min(i, len(numbers)-1)])
			if err != nil {
				t.Fatalf("reading %s: %v", row[0], err)
			}
			floors[name[1]] = floor
		}
	}
	if len(floors) < 10 {
		t.Fatalf("CONTRIBUTING.md has %d floors", len(floors))
	}
	return floors
}

// rowOf returns the entry of a package, which may be that of all packages of a
// folder: internal/samples/*. Empty: there is none.
func rowOf(floors map[string]int, own string) string {
	for _, row := range []string{own, path.Dir(own) + "/*"} {
		if _, known := floors[row]; known {
			return row
		}
	}
	return ""
}
