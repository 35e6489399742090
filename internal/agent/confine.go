package agent

import (
	"runtime"
	"runtime/debug"
)

// The caps of an agent that is a process of this machine, which are those of a load
// workload's pod.
const (
	MaxCPUs   = 2
	MaxMemory = 512 << 20 // bytes
)

// softMemory is above how much an agent rather collects garbage than grows.
const softMemory = MaxMemory / 5 * 4

// Confine keeps this process to the caps: no more of its code runs at a time than MaxCPUs
// have room for, and it dies where it would take more memory than MaxMemory.
func Confine() error {
	runtime.GOMAXPROCS(min(runtime.GOMAXPROCS(0), MaxCPUs))
	debug.SetMemoryLimit(softMemory)
	return limitMemory(MaxMemory)
}
