package evidence

import (
	"context"
	"fmt"
	"slices"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/report"
)

// Sourceless says of a need that no proxy of the mesh could tell it, and what to do
// about that: of a quantity that nothing but a counter shows, which they all drop. Of
// one of the hosts that the load workload calls itself nothing is said, for its proxy
// keeps all counters, nor where a proxy cannot be asked, or none is known. Empty: somebody could.
func Sourceless(ctx context.Context, need check.Need, services []mesh.Service, proxies []mesh.Proxy, called []string) string {
	i := slices.IndexFunc(services, func(s mesh.Service) bool { return len(need.Args) > 0 && s.Name == need.Args[0] })
	if need.Function != report.RetryOverflows || i < 0 || len(proxies) == 0 || slices.Contains(called, services[i].Host) {
		return ""
	}
	for _, proxy := range proxies {
		matcher, err := proxy.Admin.StatsMatcher(ctx)
		if err != nil {
			return ""
		}
		for _, port := range services[i].Ports {
			if matcher.Keeps(fmt.Sprintf("cluster.outbound|%d||%s;.%s", port.Number, services[i].Host, retryOverflow)) {
				return ""
			}
		}
	}
	return fmt.Sprintf("no proxy that may call %s keeps %s, and nothing else shows it; annotate the pods that call it with "+annotation+", and restart them", services[i].Name, retryOverflow, "cluster.outbound")
}
