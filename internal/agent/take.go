package agent

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// TakenFor is how long an agent is another's after it was taken, unless it is taken
// again or left.
const TakenFor = time.Minute

// taking is whose an agent is that several may use, one after the other.
type taking struct {
	mu    sync.Mutex
	by    string // empty: nobody's
	until time.Time
}

// take answers with whose the agent is then.
func (t *taking) take(w http.ResponseWriter, r *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if by := r.FormValue("by"); t.by == "" || t.by == by || time.Now().After(t.until) {
		t.by, t.until = by, time.Now().Add(TakenFor)
	}
	fmt.Fprint(w, t.by)
}

func (t *taking) leave(w http.ResponseWriter, r *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.by == r.FormValue("by") {
		t.by = ""
	}
	w.WriteHeader(http.StatusNoContent)
}

// Take takes the agent for whom it names, for TakenFor, unless it is another's, and
// returns whose it is.
func (c *Client) Take(ctx context.Context, by string) (string, error) {
	resp, err := c.ask(ctx, http.MethodPost, "/take?by="+url.QueryEscape(by))
	if err != nil {
		return "", fmt.Errorf("taking the load workload: %w", err)
	}
	defer resp.Body.Close()
	whose, err := io.ReadAll(io.LimitReader(resp.Body, 1024))
	if err != nil {
		return "", fmt.Errorf("taking the load workload: %w", err)
	}
	return string(whose), nil
}

// Leave leaves an agent that was taken to whoever comes next.
func (c *Client) Leave(ctx context.Context, by string) error {
	resp, err := c.ask(ctx, http.MethodPost, "/leave?by="+url.QueryEscape(by))
	if err != nil {
		return fmt.Errorf("leaving the load workload: %w", err)
	}
	return resp.Body.Close()
}
