package sidecar

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// failures are what went wrong in a proxy itself, rather than in what it serves
// or is served: whoever closes it learns of them.
type failures struct {
	mu    sync.Mutex
	texts []string
	more  int // beyond failuresKept
}

const failuresKept = 10

func (f *failures) add(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case slices.Contains(f.texts, text):
	case len(f.texts) == failuresKept:
		f.more++
	default:
		f.texts = append(f.texts, text)
	}
}

// Write implements io.Writer for the ErrorLog of a server: a handler's panic, a
// connection that could not be taken.
func (f *failures) Write(p []byte) (int, error) {
	f.add("%s", strings.TrimSpace(string(p)))
	return len(p), nil
}

// err joins them; nil: there are none.
func (f *failures) err(proxy string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	for _, text := range f.texts {
		errs = append(errs, fmt.Errorf("in the proxy of %s: %s", proxy, text))
	}
	if f.more > 0 {
		errs = append(errs, fmt.Errorf("in the proxy of %s: %d more such failures", proxy, f.more))
	}
	return errors.Join(errs...)
}
