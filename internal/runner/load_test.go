package runner_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/loadgen"
)

// Who draws bars of it would draw them over the report.
func TestALoadThatIsGivenUpIsHeardOfNoMore(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	over, ended := make(chan struct{}), make(chan struct{})
	endless := func(_ context.Context, _ []mesh.Cohort, _ mesh.Guard, _ func(context.Context) error, observe func(loadgen.Progress)) (map[string]*loadgen.Result, error) {
		defer close(ended)
		observe(loadgen.Progress{Cohort: "pages", Sent: 1})
		interrupt()
		<-over
		observe(loadgen.Progress{Cohort: "pages", Sent: 2})
		return nil, ctx.Err()
	}
	var heard atomic.Int64
	run(ctx, t, bent{Mesh: open(t), load: endless}, short, func(e runner.Event) {
		if e.Load != nil {
			heard.Add(e.Load.Sent)
		}
	})
	close(over)
	<-ended
	if n := heard.Load(); n != 1 {
		t.Errorf("%d requests were heard of, and one was sent before the run was over", n)
	}
}
