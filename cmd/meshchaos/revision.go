package main

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// revisionLimit is how long git may take to say what a folder is checked out from.
const revisionLimit = 2 * time.Second

// noteRevisions notes of each scenario what its folder is checked out from. Each folder
// is asked once. The reports of this command, which may lie in it, are no change of it.
func noteRevisions(ctx context.Context, all []*scenarios.Scenario, reports string) {
	known := map[string]*report.Revision{}
	for _, s := range all {
		if s.Library || s.File == "stdin" {
			continue
		}
		folder := filepath.Dir(s.File)
		if _, asked := known[folder]; !asked {
			known[folder] = revisionOf(ctx, folder, reports)
		}
		s.Revision = known[folder]
	}
}

// revisionOf is what a folder is checked out from; nil: that is not known, as it is none
// of git's, or there is no git.
func revisionOf(ctx context.Context, folder, reports string) *report.Revision {
	ctx, cancel := context.WithTimeout(ctx, revisionLimit)
	defer cancel()
	// A checkout may be somebody else's: nothing that its configuration names is to be run.
	if filtered(ctx, folder) {
		return nil
	}
	paths := []string{"."}
	if within := below(folder, reports); within != "" {
		paths = append(paths, ":(exclude,literal)"+within)
	}
	out, err := git(ctx, folder, append([]string{"-c", "core.fsmonitor=false", "status", "--porcelain=v2", "--branch", "--"}, paths...)...)
	if err != nil {
		return nil
	}
	var revision report.Revision
	for line := range strings.Lines(out) {
		commit, heads := strings.CutPrefix(line, "# branch.oid ")
		switch {
		case heads:
			revision.Commit = strings.TrimSpace(commit)
		case !strings.HasPrefix(line, "#"):
			revision.Modified = true
		}
	}
	if revision.Commit == "" || revision.Commit == "(initial)" { // nothing was committed yet
		return nil
	}
	return &revision
}

// below is a folder as the path that leads to it from another; empty: it is not below that.
func below(folder, other string) string {
	from, err := filepath.Abs(folder)
	if err != nil || other == "" {
		return ""
	}
	to, err := filepath.Abs(other)
	if err != nil {
		return ""
	}
	path, err := filepath.Rel(from, to)
	if err != nil || path == "." || !filepath.IsLocal(path) {
		return ""
	}
	return path
}

// filtered says whether a checkout itself, and not its user, names programs that files
// pass before they are compared.
func filtered(ctx context.Context, folder string) bool {
	out, err := git(ctx, folder, "config", "--show-scope", "--name-only", "--get-regexp", `^filter\.`)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 { // there is none
		return false
	}
	for line := range strings.Lines(out) {
		scope, _, _ := strings.Cut(line, "\t")
		if scope != "system" && scope != "global" {
			return true
		}
	}
	return err != nil
}

func git(ctx context.Context, folder string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "git", append([]string{"-C", folder, "--no-optional-locks"}, args...)...).Output()
	return string(out), err
}
