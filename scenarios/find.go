package scenarios

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/meshchaos/meshchaos/internal/nearest"
	"github.com/meshchaos/meshchaos/internal/yamlnode"
	"github.com/meshchaos/meshchaos/report"
)

// Stdin is how a command names its standard input, where the name of a file may
// stand.
const Stdin = "-"

// Find reads a scenario by the path of a file, or by a name without a path: that
// of a file of this folder, with or without .yaml, or else the library's.
//
// Each of set is as for Read.
func Find(name string, set ...string) (*Scenario, error) {
	if hasPath(name) {
		return Read(name, set...)
	}
	for _, file := range []string{name, name + ".yaml"} {
		if info, err := os.Stat(file); err == nil && !info.IsDir() {
			return Read(file, set...)
		}
	}
	if inLibrary(name) {
		return OfLibrary(name, set...)
	}
	if _, err := os.Stat(name); err == nil {
		return Read(name, set...) // which says what is wrong with it
	}
	return nil, fmt.Errorf("finding the scenario %q: there is no such file, and none of that name in the library; %s", name, nearest.Hint(strings.TrimSuffix(name, ".yaml"), Names()))
}

// NameOf is how a scenario is to be named that cannot be read: as its file has it, or else
// as it was named itself.
func NameOf(name string) string {
	for _, file := range []string{name, name + ".yaml"} {
		text, err := readFile(file, maxSize)
		if err != nil || unreadable(text) != "" {
			continue
		}
		nodes, err := documents(text)
		if err != nil || len(nodes) == 0 {
			continue
		}
		if metadata := yamlnode.Pair(nodes[0], "metadata"); metadata != nil {
			if own := wordAt(metadata.Value, "name"); namePattern.MatchString(own) {
				return own
			}
		}
	}
	return name
}

// ReadFrom reads a scenario from a stream that has no name, such as the standard
// input. Files of rules that it names are those of this folder. Each of set is as for
// Read.
func ReadFrom(r io.Reader, set ...string) (*Scenario, error) {
	text, err := readText(r, maxSize)
	if err != nil {
		return nil, fmt.Errorf("reading a scenario from stdin: %w", err)
	}
	return parse("stdin", text, set, openBeside("."))
}

// Origin words where the scenario comes from: a file, stdin or the library.
func (s *Scenario) Origin() string {
	if s.Library {
		return "the library"
	}
	return s.File
}

// Recorded is what a report says of it.
func (s *Scenario) Recorded() report.Scenario {
	recorded := report.Scenario{
		Name: s.Name, Summary: s.Summary, File: s.File, Library: s.Library,
		Digest: digest(s.Text), Revision: s.Revision, Text: s.Text, Files: s.Files, Values: s.Values, Descriptors: s.Descriptors, Params: s.Params, Set: s.Set,
	}
	if s.shown != nil {
		recorded.Text, recorded.Set, recorded.Files, recorded.Params, recorded.Masked = s.shown.text, s.shown.set, s.shown.files, s.shown.params, s.shown.masked
	}
	for _, o := range s.Load {
		recorded.Load = append(recorded.Load, report.Override(o))
	}
	return recorded
}

func digest(text string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(text))) }

// OfRecord reads a scenario as a report has it, with the files that it named and what
// was overridden.
func OfRecord(recorded report.Scenario) (*Scenario, error) {
	if strings.TrimSpace(recorded.Text) == "" {
		return nil, errors.New("reading the scenario that the report has: scenario.text is missing or empty: without it nobody can tell what was asked")
	}
	reader := newReader(recorded.File, recorded.Text, recorded.Set, func(name string, _ int64) (string, error) {
		text, there := recorded.Files[name]
		if !there {
			return "", fmt.Errorf("the report has no file %q", name)
		}
		return text, nil
	})
	for name, values := range recorded.Values {
		reader.values[name] = &values
	}
	for name, file := range recorded.Descriptors {
		reader.descriptors[name] = &file
	}
	if is := digest(recorded.Text); recorded.Digest != "" && len(recorded.Masked) == 0 && is != recorded.Digest {
		return nil, fmt.Errorf("reading the scenario that the report has: its text was changed since the run: its digest is %s, and that of what was run is %s", is, recorded.Digest)
	}
	reader.bare = true
	s, err := reader.read(recorded.Text, recorded.Set)
	if err != nil {
		return nil, fmt.Errorf("reading the scenario that the report has: %w", err)
	}
	s.Library = recorded.Library
	for _, o := range recorded.Load {
		if err := s.Override(Override(o)); err != nil {
			return nil, fmt.Errorf("reading the scenario that the report has: %w", err)
		}
	}
	return s, nil
}

// hasPath says whether a name is a path, and none that the library could have.
func hasPath(name string) bool {
	return strings.ContainsAny(name, `/\`) || name == "." || name == ".."
}

// openBeside opens the files that one in a folder names.
func openBeside(folder string) beside {
	return func(name string, most int64) (string, error) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(folder, name)
		}
		return readFile(name, most)
	}
}
