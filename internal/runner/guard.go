package runner

import (
	"fmt"
	"runtime/debug"
)

// guard makes an error of a panic: whatever this program does wrong, the rules
// are undone and the record says so.
func guard(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("this program failed, which is a bug; please report it: %v\n%s", p, debug.Stack())
		}
	}()
	return do()
}
