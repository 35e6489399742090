package evidence

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
)

// Logging is how proxies write their access logs. That stands in their listeners,
// than which a proxy has nothing longer to tell; so each is asked once, and again
// after Forget. The zero value knows of none. It may be used by several goroutines.
type Logging struct {
	mu    sync.Mutex
	known map[instance][]envoy.AccessLog
}

// instance tells a proxy from one that took its place.
type instance struct{ name, address string }

// Forget is for when listeners may have changed: the proxies are asked again.
func (l *Logging) Forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known = nil
}

// of returns how a proxy logs on its listeners for the services.
func (l *Logging) of(ctx context.Context, proxy mesh.Proxy, services []mesh.Service) ([]envoy.AccessLog, error) {
	key := instance{proxy.Name, proxy.Address}
	l.mu.Lock()
	logs, ok := l.known[key]
	l.mu.Unlock()
	if ok {
		return logs, nil
	}
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	logs, err := proxy.Admin.AccessLogs(ctx, listenersOf(proxy, services))
	if err != nil || len(logs) == 0 { // one without listeners has yet to be told of them
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.known == nil {
		l.known = map[instance][]envoy.AccessLog{}
	}
	l.known[key] = logs
	return logs, nil
}

// Unlogged returns the proxies that do not write a line to stdout for every call
// of the services, and the gateways of which nothing tells yet: those without a
// listener.
func (l *Logging) Unlogged(ctx context.Context, proxies []mesh.Proxy, services []mesh.Service) (off, unseen []mesh.Proxy, err error) {
	type seen struct{ off, unseen bool }
	all := make([]seen, len(proxies))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	for i, proxy := range proxies {
		if proxy.Log == nil {
			continue
		}
		group.Go(func() error {
			logs, err := l.of(ctx, proxy, services)
			if err != nil {
				return fmt.Errorf("reading how %s logs: %w", proxy.Name, err)
			}
			for _, log := range logs {
				all[i].off = all[i].off || !log.Whole()
			}
			all[i].unseen = proxy.Gateway && len(logs) == 0
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, nil, err
	}
	for i, proxy := range proxies {
		switch {
		case all[i].off:
			off = append(off, proxy)
		case all[i].unseen:
			unseen = append(unseen, proxy)
		}
	}
	return off, unseen, nil
}
