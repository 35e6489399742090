package evidence

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/meshchaos/meshchaos/internal/mesh"
)

// Unlogged returns the names of the sidecars that do not write a line to stdout
// for every call of the services. A gateway's log is that of its own
// namespace's rules, and no matter here.
func Unlogged(ctx context.Context, proxies []mesh.Proxy, services []mesh.Service) ([]string, error) {
	off := make([]bool, len(proxies))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	for i, proxy := range proxies {
		if proxy.Gateway || proxy.Log == nil {
			continue
		}
		group.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, readLimit)
			defer cancel()
			logs, err := proxy.Admin.AccessLogs(ctx, listenersOf(proxy, services))
			if err != nil {
				return fmt.Errorf("reading how %s logs: %w", proxy.Name, err)
			}
			for _, log := range logs {
				off[i] = off[i] || !log.Whole()
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var names []string
	for i, proxy := range proxies {
		if off[i] {
			names = append(names, proxy.Name)
		}
	}
	return names, nil
}
