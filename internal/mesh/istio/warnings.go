package istio

import (
	"context"
	"sync"
)

// warnings hands what the API server warns of to a log, once each: it repeats
// itself with every request.
type warnings struct {
	mu   sync.Mutex
	log  func(string)
	said map[string]bool
}

// to hands what comes from now on to another log, once each again; nil: to none.
func (w *warnings) to(log func(string)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log, w.said = log, nil
}

// HandleWarningHeaderWithContext implements rest.WarningHandlerWithContext.
func (w *warnings) HandleWarningHeaderWithContext(_ context.Context, code int, _ string, text string) {
	if code != 299 || text == "" { // the one code that Kubernetes uses (RFC 7234, 5.5.7)
		return
	}
	if log := w.logOf(text); log != nil {
		log("the API server warns: " + text)
	}
}

// logOf returns where a text goes; nil: nowhere, or it went there before.
func (w *warnings) logOf(text string) func(string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.said[text] {
		return nil
	}
	if w.said == nil {
		w.said = map[string]bool{}
	}
	w.said[text] = true
	return w.log
}
