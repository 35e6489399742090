package scenarios

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/nearest"
)

//go:embed library/*.yaml
var library embed.FS

// Names returns the names of the library's scenarios, sorted.
func Names() []string {
	entries, err := fs.ReadDir(library, "library")
	if err != nil {
		panic(err) // embedded, so always there
	}
	var names []string
	for _, entry := range entries {
		names = append(names, strings.TrimSuffix(entry.Name(), ".yaml"))
	}
	return names
}

// inLibrary says whether a scenario of the library has this name.
func inLibrary(name string) bool {
	return slices.Contains(Names(), strings.TrimSuffix(name, ".yaml"))
}

// Text returns the file of a scenario of the library, by its name with or without
// .yaml.
func Text(name string) (string, error) {
	bare := strings.TrimSuffix(name, ".yaml")
	text, err := library.ReadFile(path.Join("library", bare+".yaml"))
	if err != nil {
		return "", fmt.Errorf("finding the scenario %q: the library has none of that name; %s", name, nearest.Hint(bare, Names()))
	}
	return string(text), nil
}

// openInLibrary reads the files that a scenario of the library names.
func openInLibrary(name string, _ int64) (string, error) {
	text, err := library.ReadFile(path.Join("library", name))
	return string(text), err
}

// OfLibrary reads a scenario of the library, by its name with or without .yaml,
// whatever files there are. Each of set is as for Read.
func OfLibrary(name string, set ...string) (*Scenario, error) {
	text, err := Text(name)
	if err != nil {
		return nil, err
	}
	s, err := parse(name, text, set, openInLibrary)
	if err != nil {
		return nil, err
	}
	s.Library = true
	return s, nil
}
