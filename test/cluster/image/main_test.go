package main

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func TestArchiveHoldsTheProgramAndHowToRunIt(t *testing.T) {
	s := spec{name: "example/tool:dev", entrypoint: "/tool", user: "65532:65532", files: []string{program(t) + ":/tool"}}
	archive := filepath.Join(t.TempDir(), "image.tar")
	if err := write(s, archive); err != nil {
		t.Fatal(err)
	}

	img, err := tarball.ImageFromPath(archive, nil)
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"/tool"}, config.Config.Entrypoint); diff != "" {
		t.Errorf("entrypoint (-want +got):\n%s", diff)
	}
	if config.Config.User != "65532:65532" {
		t.Errorf("user = %q, want the one asked for", config.Config.User)
	}
	if diff := cmp.Diff(map[string]int64{"tmp": 0o1777, "tool": 0o755}, modes(t, mutate.Extract(img))); diff != "" {
		t.Errorf("files and their modes (-want +got):\n%s", diff)
	}
	manifest, err := tarball.LoadManifest(func() (io.ReadCloser, error) { return os.Open(archive) })
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"example/tool:dev"}, manifest[0].RepoTags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
}

func TestSameFilesMakeTheSameArchiveWheneverTheyWereWritten(t *testing.T) {
	dir, file := t.TempDir(), program(t)
	s := spec{name: "example/tool:dev", entrypoint: "/tool", files: []string{file + ":/tool"}}
	var archives [][]byte
	for _, written := range []time.Time{time.Unix(1e9, 0), time.Unix(2e9, 0)} {
		if err := os.Chtimes(file, written, written); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "image.tar")
		if err := write(s, path); err != nil {
			t.Fatal(err)
		}
		archive, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		archives = append(archives, archive)
	}
	if !bytes.Equal(archives[0], archives[1]) {
		t.Error("two archives of one file differ")
	}
}

func TestWhatCannotBeAnImageIsRefused(t *testing.T) {
	file := program(t)
	for name, s := range map[string]spec{
		"no file":         {name: "example/tool:dev"},
		"a missing file":  {name: "example/tool:dev", files: []string{file + ".gone:/tool"}},
		"a relative path": {name: "example/tool:dev", files: []string{file + ":tool"}},
		"a missing base":  {name: "example/tool:dev", base: file + ".gone", files: []string{file + ":/tool"}},
		"a bad name":      {name: "Example/Tool:dev", files: []string{file + ":/tool"}},
	} {
		t.Run(name, func(t *testing.T) {
			if err := write(s, filepath.Join(t.TempDir(), "image.tar")); err == nil {
				t.Error("an image was written")
			}
		})
	}
}

func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tool")
	if err := os.WriteFile(path, []byte("a program"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func modes(t *testing.T, files io.ReadCloser) map[string]int64 {
	t.Helper()
	defer files.Close()
	found := map[string]int64{}
	for r := tar.NewReader(files); ; {
		header, err := r.Next()
		if err == io.EOF {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		found[header.Name] = header.Mode
	}
}
