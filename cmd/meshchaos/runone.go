package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// How long the taking away of the load workload may last, where the cluster is away for
// a while, and how long once nobody wants to wait.
const (
	closeLimit   = time.Minute
	hurriedLimit = 3 * time.Second
)

// dirOf is the folder of the report of a scenario.
func (f *runFlags) dirOf(s *scenarios.Scenario, of int) string {
	if f.reportDir == "" || of == 1 {
		return f.reportDir
	}
	return filepath.Join(f.reportDir, s.Name)
}

// job is a scenario of a command.
type job struct {
	*scenarios.Scenario
	dir  string // of its report; empty: it is not written
	of   int    // how many there are
	last bool   // there is no further one, which shares the cluster
}

// runOne runs a scenario. Without a record the error says why there is none; else
// it is one of showing it.
func (f *runFlags) runOne(ctx context.Context, s job, shared *meshes, to streams) (record *report.Record, err error) {
	if s.dir != "" && s.of > 1 {
		_, none := os.Lstat(s.dir)
		if err := makeFolder(s.dir); err != nil {
			return nil, fmt.Errorf("making the folder of the report: %w; name another by --report-dir", err)
		}
		defer func() {
			if record == nil && errors.Is(none, fs.ErrNotExist) { // else it is somebody's, or a link
				_ = os.Remove(s.dir) // unless there is something in it by now
			}
		}()
	}
	warn(to.progress(), s.Warnings)
	seed := newSeed()
	if f.seeded {
		seed = f.seed
	}
	id := fmt.Sprintf("%08x", uint32(newSeed()))
	view := newProgress(to.progress())
	view.tell = to.tell
	defer view.end()
	view.phase(fmt.Sprintf("%s of %s: opening the %s mesh", s.Name, s.Origin(), f.mesh.kind))
	m, err := shared.open(ctx, s.Scenario, seed, id, view.phase)
	if err != nil {
		return nil, err
	}
	closeMesh := func() error {
		view.end()
		closing, cancel := patient(ctx, closeLimit, hurriedLimit)
		defer cancel()
		if err := m.Close(closing); err != nil {
			return fmt.Errorf("closing the mesh: %w", err)
		}
		if s.last || ctx.Err() != nil { // so that this record has what cannot be taken away
			return shared.close(ctx)
		}
		return nil
	}
	var standing func([]rules.Ref)
	if info := m.Info(); !info.Ephemeral {
		standing = unfinishedOf(ctx).of(id, info.Namespace)
		defer unfinishedOf(ctx).done(id)
	}
	record, err = runner.Run(ctx, m, s.Scenario, runner.Options{
		ID: id, Tool: tool(), Seed: seed, Observe: view.observe, NoAccessLog: f.noLog, AllowGitOps: f.gitOps, Close: closeMesh, Hurry: hurry(ctx), Caps: f.caps, Wait: f.wait, Standing: standing,
	})
	if err != nil {
		return nil, errors.Join(notRun(s.Scenario, early(ctx, err)), closeMesh())
	}
	f.compare(record, s.Scenario)
	read, err := asWritten(record)
	if err == nil {
		err = asJudged(read)
	}
	if err != nil { // the run is over, and what it has shown is not to be lost
		return record, errors.Join(&runError{fmt.Errorf("reading the report again: %w", err)}, f.show(to, record, s))
	}
	return read, f.show(to, read, s)
}

// early says of a run that ended before its first rule was written that it was
// interrupted, if it was.
func early(ctx context.Context, err error) error {
	if ctx.Err() == nil || !errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("interrupted before the first rule was written: %w", err)
}

// notRun names the scenario in the reason why it was not run. Only what was
// refused is the scenario's fault.
func notRun(s *scenarios.Scenario, err error) error {
	err = ofFile(s, err)
	var refused *runner.RefusedError
	if errors.As(err, &refused) {
		return err
	}
	return &runError{err}
}

// ofFile names the scenario in an error that is not placed in its file.
func ofFile(s *scenarios.Scenario, err error) error {
	var placed *scenarios.Error
	if errors.As(err, &placed) && placed.File == s.File {
		return err
	}
	return fmt.Errorf("%s: %w", s.File, err)
}

// show writes the record and its faces, and prints it. One that fails does not keep the
// other back.
func (f *runFlags) show(to streams, record *report.Record, s job) error {
	var failures []error
	wrote := ""
	if s.dir != "" {
		all := faces
		if s.of > 1 {
			all = ofEach()
		}
		var err error
		wrote, err = writeReport(s.dir, record, all)
		failures = append(failures, err)
	}
	if err := printOne(to, record, s.of, f.output, f.explain); err != nil {
		failures = append(failures, fmt.Errorf("printing the report: %w", err))
	}
	if wrote != "" {
		remark(f.beside(to), wrote)
	}
	if err := errors.Join(failures...); err != nil {
		return &runError{err}
	}
	return nil
}

// beside is where it goes what is no report: stdout, unless a program reads that, or
// somebody who wants the verdict alone.
func (f *runFlags) beside(to streams) io.Writer {
	if to.quiet || f.output == outputJSON || f.output == outputLines {
		return to.err
	}
	return to.out
}

func newSeed() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:])
}
