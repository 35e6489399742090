//go:build !race

package agent

import (
	"fmt"
	"syscall"
)

// limitMemory has the kernel refuse more than so many bytes that are written to, which
// Go's runtime does not survive.
func limitMemory(bytes uint64) error {
	var now syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_DATA, &now); err == nil && now.Max < bytes { // somebody else keeps it to less
		return nil
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_DATA, &syscall.Rlimit{Cur: bytes, Max: bytes}); err != nil {
		return fmt.Errorf("limiting its memory to %d bytes: %w", bytes, err)
	}
	return nil
}
