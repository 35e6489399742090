package scenarios

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
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

// Find reads a scenario by the path of a file or, where there is none, by the
// library's name for it, with or without .yaml.
func Find(name string) (*Scenario, error) {
	info, err := os.Stat(name)
	if err == nil && (!info.IsDir() || !inLibrary(name)) || strings.ContainsAny(name, `/\`) || name == "." {
		return Read(name)
	}
	text, err := library.ReadFile(path.Join("library", strings.TrimSuffix(name, ".yaml")+".yaml"))
	if err != nil {
		return nil, fmt.Errorf("finding the scenario %q: there is no such file, and none of that name in the library; %s", name, nearest.Hint(strings.TrimSuffix(name, ".yaml"), Names()))
	}
	return parse(name, string(text), func(other string) (string, error) {
		text, err := library.ReadFile(path.Join("library", other))
		return string(text), err
	})
}
