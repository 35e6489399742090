package main

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// revisionLimit is how long git may take to say what a folder is checked out from.
const revisionLimit = 2 * time.Second

// revisionOf is what the folder of a scenario is checked out from; nil: that is not
// known, as it is none of git's, or there is no git.
func revisionOf(ctx context.Context, s *scenarios.Scenario) *report.Revision {
	if s.Library || s.File == "stdin" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, revisionLimit)
	defer cancel()
	// A checkout may be somebody else's: nothing that its configuration names is to be run.
	git := func(arguments ...string) (string, error) {
		out, err := exec.CommandContext(ctx, "git", append([]string{"-C", filepath.Dir(s.File), "--no-optional-locks", "-c", "core.fsmonitor=false"}, arguments...)...).Output()
		return strings.TrimSpace(string(out)), err
	}
	commit, err := git("rev-parse", "HEAD")
	if err != nil {
		return nil
	}
	changed, err := git("status", "--porcelain", "--", ".")
	if err != nil {
		return nil
	}
	return &report.Revision{Commit: commit, Modified: changed != ""}
}
