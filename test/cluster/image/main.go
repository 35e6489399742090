// Command image writes a container image, without Docker, as an archive that
// `ctr image import` and `docker load` read:
//
//	image -name NAME:TAG -o ARCHIVE -entrypoint PATH [-user UID:GID] [-base ROOT.tar] FILE:PATH...
//
// The files are one layer, upon the base if there is one. The same files make
// the same bytes: every time in the archive is the epoch, every owner is root.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

type spec struct {
	name       string
	entrypoint string
	user       string   // as in a Dockerfile; "" is root
	base       string   // a tar of a root file system; "" is none
	files      []string // FILE:PATH
}

func main() {
	var s spec
	flag.StringVar(&s.name, "name", "", "name and tag of the image")
	flag.StringVar(&s.entrypoint, "entrypoint", "", "path in the image of what it runs")
	flag.StringVar(&s.user, "user", "", "user and group, as UID:GID")
	flag.StringVar(&s.base, "base", "", "tar of the root file system to build upon")
	out := flag.String("o", "", "archive to write")
	flag.Parse()
	s.files = flag.Args()
	if err := write(s, *out); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

// write puts the image into the archive at path, which need not exist.
func write(s spec, path string) error {
	// A tag without a registry is written as it is given: containerd and the
	// kubelet complete it by the same rule, and so find each other.
	tag, err := name.NewTag(s.name)
	if err != nil {
		return fmt.Errorf("reading the image's name: %w", err)
	}
	if path == "" || len(s.files) == 0 {
		return errors.New("an archive (-o) and at least one FILE:PATH are needed")
	}
	img, err := build(s)
	if err != nil {
		return err
	}
	if err := tarball.WriteToFile(path, tag, img); err != nil {
		return fmt.Errorf("writing %q: %w", path, err)
	}
	return nil
}

func build(s spec) (v1.Image, error) {
	layers, err := s.layers()
	if err != nil {
		return nil, err
	}
	img, err := mutate.AppendLayers(empty.Image, layers...)
	if err != nil {
		return nil, fmt.Errorf("adding the layers: %w", err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("reading the configuration of the image: %w", err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", runtime.GOARCH
	config.Created = v1.Time{Time: time.Unix(0, 0).UTC()}
	config.Config = v1.Config{
		Entrypoint: []string{s.entrypoint},
		User:       s.user,
		Env:        []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
	}
	return mutate.ConfigFile(img, config)
}

func (s spec) layers() ([]v1.Layer, error) {
	// Once compressed, a layer is kept: it is asked for its digest and for its bytes.
	fast := []tarball.LayerOption{tarball.WithCompressionLevel(gzip.BestSpeed), tarball.WithCompressedCaching}
	var layers []v1.Layer
	if s.base != "" {
		base, err := tarball.LayerFromFile(s.base, fast...)
		if err != nil {
			return nil, fmt.Errorf("reading the base %q: %w", s.base, err)
		}
		layers = append(layers, base)
	}
	packed, err := pack(s.files)
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(packed)), nil
	}, fast...)
	if err != nil {
		return nil, fmt.Errorf("compressing the files: %w", err)
	}
	return append(layers, layer), nil
}

// pack makes a tar of the files, and of a /tmp that every user can write to.
func pack(files []string) ([]byte, error) {
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	tmp := &tar.Header{Typeflag: tar.TypeDir, Name: "tmp/", Mode: 0o1777, ModTime: time.Unix(0, 0)}
	if err := w.WriteHeader(tmp); err != nil {
		return nil, fmt.Errorf("packing /tmp: %w", err)
	}
	for _, pair := range files {
		if err := add(w, pair); err != nil {
			return nil, fmt.Errorf("packing %q: %w", pair, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("packing the files: %w", err)
	}
	return packed.Bytes(), nil
}

func add(w *tar.Writer, pair string) error {
	from, to, ok := strings.Cut(pair, ":")
	if !ok || !strings.HasPrefix(to, "/") {
		return errors.New("want FILE:PATH, with an absolute PATH")
	}
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	mode := int64(0o644)
	if info.Mode()&0o111 != 0 {
		mode = 0o755
	}
	header := &tar.Header{Name: strings.TrimPrefix(to, "/"), Mode: mode, Size: int64(len(content)), ModTime: time.Unix(0, 0)}
	if err := w.WriteHeader(header); err != nil {
		return err
	}
	_, err = w.Write(content)
	return err
}
