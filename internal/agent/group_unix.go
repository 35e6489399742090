//go:build unix

package agent

import (
	"os/exec"
	"syscall"
)

// apart keeps from a process what a terminal sends to all of a group: whoever has started
// it ends it, once its load is ended.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
