//go:build unix

package loadgen

import "syscall"

// silent says whether nothing has arrived at a non-blocking socket, not even
// its end. Whoever finds otherwise gives the connection up, so that reading a
// byte away does no harm.
func silent(fd uintptr) bool {
	var one [1]byte
	_, err := syscall.Read(int(fd), one[:])
	return err == syscall.EAGAIN
}
