package istio

import (
	"context"
	"sync"
)

// warnings hands what the API server warns of to a log, once each: it repeats
// itself with every request.
type warnings struct {
	log func(string)

	mu   sync.Mutex
	said map[string]bool
}

// HandleWarningHeaderWithContext implements rest.WarningHandlerWithContext.
func (w *warnings) HandleWarningHeaderWithContext(_ context.Context, code int, _ string, text string) {
	if code == 299 && text != "" && w.isNew(text) { // the one code that Kubernetes uses (RFC 7234, 5.5.7)
		w.log("the API server warns: " + text)
	}
}

func (w *warnings) isNew(text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.said[text] {
		return false
	}
	if w.said == nil {
		w.said = map[string]bool{}
	}
	w.said[text] = true
	return true
}
