package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/meshchaos/meshchaos/loadgen"
)

// canKeep refuses a place where no result can be written: who has waited for a load has
// no use for hearing of it then.
func (f *loadFlags) canKeep() error {
	switch {
	case f.json == "-":
		return nil
	case f.json != "":
		if err := writable(f.json); err != nil {
			return fmt.Errorf("reading -json: %w; name a file that can be written", err)
		}
	case f.save:
		if err := makeFolder(f.dataDir); err != nil {
			return fmt.Errorf("reading -data-dir: %w; name a folder that can be written into", err)
		}
	}
	return nil
}

// writable says what keeps a file from being written. What is no plain file, such as a
// pipe, is not looked at: whoever reads from it would.
func writable(name string) error {
	there, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		probe, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return err
		}
		_ = probe.Close()
		return os.Remove(name)
	case err != nil:
		return err
	case there.IsDir():
		return &fs.PathError{Op: "open", Path: name, Err: errors.New("it is a folder")}
	case !there.Mode().IsRegular():
		return nil
	}
	probe, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return probe.Close()
}

// keep writes the result as fortio does: to where -json says, or else to where -a does.
func (f *loadFlags) keep(to streams, a *asked, seen *loadgen.Result) error {
	if f.json == "" && !f.save {
		return nil
	}
	text, id, err := a.words.JSON(seen)
	if err != nil {
		return err
	}
	name := f.json
	switch name {
	case "-":
		_, err = to.out.Write(text)
		name = "stdout"
	case "":
		name = filepath.Join(f.dataDir, id+".json")
		fallthrough
	default:
		err = os.WriteFile(name, text, 0o644)
	}
	if err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	remark(to.err, fmt.Sprintf("Successfully wrote %d bytes of Json data to %s", len(text), name))
	return nil
}
