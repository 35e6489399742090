//go:build !unix

package agent

import "os/exec"

// apart does nothing: there are no groups of processes.
func apart(*exec.Cmd) {}
