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

// noteRevisions notes of each scenario what its folder is checked out from. Each folder
// is asked once.
func noteRevisions(ctx context.Context, all []*scenarios.Scenario) {
	known := map[string]*report.Revision{}
	for _, s := range all {
		if s.Library || s.File == "stdin" {
			continue
		}
		folder := filepath.Dir(s.File)
		if _, asked := known[folder]; !asked {
			known[folder] = revisionOf(ctx, folder)
		}
		s.Revision = known[folder]
	}
}

// revisionOf is what a folder is checked out from; nil: that is not known, as it is none
// of git's, or there is no git.
func revisionOf(ctx context.Context, folder string) *report.Revision {
	ctx, cancel := context.WithTimeout(ctx, revisionLimit)
	defer cancel()
	// A checkout may be somebody else's: nothing that its configuration names is to be run.
	out, err := exec.CommandContext(ctx, "git", "-C", folder, "--no-optional-locks", "-c", "core.fsmonitor=false",
		"status", "--porcelain=v2", "--branch", "--", ".").Output()
	if err != nil {
		return nil
	}
	var revision report.Revision
	for line := range strings.Lines(string(out)) {
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
