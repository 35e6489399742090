package main

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/meshchaos/meshchaos/report"
)

func TestTheVersionNamesTheCommitThatRecordsHave(t *testing.T) {
	of := report.Tool{Version: "dev", Go: "go1.26.8", Platform: "linux/amd64"}
	if got := versionLine(of); got != "meshchaos dev (go1.26.8, linux/amd64)\n" {
		t.Errorf("without a commit it is %q", got)
	}
	of.Commit = "19a74e0"
	if got := versionLine(of); got != "meshchaos dev (commit 19a74e0, go1.26.8, linux/amd64)\n" {
		t.Errorf("of a commit it is %q", got)
	}
	of.Modified = true
	if got := versionLine(of); got != "meshchaos dev (commit 19a74e0 with changes that it has not, go1.26.8, linux/amd64)\n" {
		t.Errorf("of a commit that was changed it is %q", got)
	}
	cmd, out := newVersion(), new(bytes.Buffer)
	cmd.SetOut(out)
	cmd.SetArgs([]string{"-o", "json"})
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	var said report.Tool
	if err := json.Unmarshal(out.Bytes(), &said); err != nil || said != tool() {
		t.Errorf("it says %+v, and a record has %+v: %v", said, tool(), err)
	}
}
