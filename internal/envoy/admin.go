// Package envoy reads an Envoy proxy: by its admin interface its stats, its
// clusters and what configuration it runs, and the lines of its access log.
//
// Names are Envoy's own. Both spellings of a cluster's stats are understood,
// with the semicolon that Istio appends since 1.23 and without. The package
// imports nothing else of this module but internal/re2.
package envoy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Admin is the admin interface of one proxy.
type Admin struct {
	Client *http.Client
	Base   string // http://127.0.0.1:15000, without a slash at its end
}

// Get returns the body of a path such as /clusters?format=json. Any status but
// 200 is an error.
func (a *Admin) Get(ctx context.Context, path string) ([]byte, error) {
	page, _, _ := strings.Cut(path, "?")
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.Base+path, nil)
	if err != nil {
		return nil, fmt.Errorf("reading %s of the proxy's admin interface: %w", page, err)
	}
	resp, err := a.Client.Do(req)
	if err != nil {
		var urlErr *url.Error // it repeats the whole query
		if errors.As(err, &urlErr) {
			err = urlErr.Err
		}
		return nil, fmt.Errorf("reading %s of the proxy's admin interface: %w", page, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("reading %s of the proxy's admin interface: %w", page, err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("reading %s of the proxy's admin interface: it answered %s", page, resp.Status)
	}
	return body, nil
}
