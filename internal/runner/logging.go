package runner

import (
	"context"
	"fmt"

	"github.com/meshchaos/meshchaos/internal/evidence"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// logging returns the change by which the sidecars' access logs are switched on;
// nil if they are on, or if that cannot be done, which the second value then
// words. A run does without them where it can.
func logging(ctx context.Context, m mesh.Mesh, known *evidence.Logging, services []mesh.Service, objects []*rules.Object) (*rules.Change, string) {
	const without = "the access logs stay off, and the evidence has to come from elsewhere: "
	proxies, err := m.Proxies(ctx)
	if err != nil {
		return nil, without + err.Error()
	}
	off, err := known.Unlogged(ctx, proxies, services)
	if err != nil {
		return nil, without + err.Error()
	}
	if len(off) == 0 {
		return nil, ""
	}
	change, err := rules.LogAccess(objects, m.Info().Namespace)
	if err == nil {
		err = m.Admit(ctx, []*rules.Object{change.After})
	}
	if err != nil {
		return nil, without + fmt.Sprint(err)
	}
	return &change, ""
}
