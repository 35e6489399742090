package istio

import (
	"context"
	"errors"
	"fmt"

	"github.com/meshchaos/meshchaos/internal/agent"
	"github.com/meshchaos/meshchaos/internal/fortio"
	"github.com/meshchaos/meshchaos/loadgen"
)

// generator is what drives load in a load workload's pod.
type generator interface {
	Ready(ctx context.Context) error
	Idle(ctx context.Context) error
	agent.Generator
	Take(ctx context.Context, by string) (string, error)
	Leave(ctx context.Context, by string) error
}

var (
	_ generator = (*agent.Client)(nil)
	_ generator = fortioServer{}
)

// byFortio is what a record says of a load that fortio drives.
const byFortio = "fortio drives the load: its times are those of buckets, but for the smallest and the largest; it sends a request again, unseen, whose kept connection died; what has no answer it tells from nothing else; and how far a load has come it does not say"

// generator returns that of a pod that is reached at base.
func (c *Cluster) generator(base string) generator {
	if c.fortio {
		return fortioServer{&fortio.Client{HTTP: c.tunnels.client, Base: base}}
	}
	return &agent.Client{HTTP: c.tunnels.client, Base: base}
}

// args are those of the image. Either listens on the pod's loopback only.
func (c *Cluster) args() []string {
	if !c.fortio {
		return []string{"agent"}
	}
	at := fmt.Sprintf("127.0.0.1:%d", agent.Port)
	return append([]string{"server", "-loglevel", "warning", "-http-port", at}, fortio.DisabledPorts()...)
}

// fortioServer is a fortio server that is asked for load as an agent is.
type fortioServer struct{ *fortio.Client }

// Load implements generator. That a cohort has ended is all that observe hears.
func (s fortioServer) Load(ctx context.Context, asked agent.Request, h agent.Handlers) (map[string]*loadgen.Result, error) {
	if len(asked.AbortWhen) > 0 || asked.Tell {
		return nil, errors.New("driving the load by fortio: it tells nothing before it has ended, so that no condition could be judged meanwhile; take abortWhen out, or drive the load with this program's image")
	}
	bounds := loadgen.Bounds{QPS: asked.QPS, Duration: asked.Duration, Stopped: h.Stopped}
	results, err := s.Client.Load(ctx, asked.Plans, bounds, func(ctx context.Context) error {
		_, err := h.Begin(ctx)
		return err
	})
	for name, r := range results {
		failed := r.Count(loadgen.Outcome.Failed)
		h.Observe(loadgen.Progress{Cohort: name, Sent: r.Sent, Errors: failed, Planned: r.Planned, Elapsed: r.Elapsed, Ended: true})
	}
	return results, err
}

// Over implements generator. All loads that fortio drives are from one pod, so that
// nobody asks for it.
func (fortioServer) Over(_ context.Context, cohort string) error {
	return fmt.Errorf("ending the load %s, which fortio drives: only another load of fortio's can end it", cohort)
}

var errUnkept = errors.New("keeping a load workload for the next command: fortio does not say who uses it; leave Keep or Fortio out")

// Take implements generator: a pod of fortio's is not kept.
func (fortioServer) Take(context.Context, string) (string, error) { return "", errUnkept }

// Leave implements generator.
func (fortioServer) Leave(context.Context, string) error { return errUnkept }
