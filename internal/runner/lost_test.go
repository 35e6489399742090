package runner_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/mesh/meshtest"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// forgetful is a mesh that takes the first deletion of a DestinationRule and tells no
// proxy of it, as istiod may; after that it does all that it is told, but for so many
// deletions that it does not answer.
type forgetful struct {
	mesh.Mesh
	lost *rules.Object
	took bool
	away int
}

// Objects implements mesh.Mesh.
func (f *forgetful) Objects(ctx context.Context) ([]*rules.Object, error) {
	objects, err := f.Mesh.Objects(ctx)
	if f.lost != nil {
		objects = slices.DeleteFunc(objects, func(o *rules.Object) bool { return o.Ref == f.lost.Ref })
	}
	return objects, err
}

// Write implements mesh.Mesh.
func (f *forgetful) Write(ctx context.Context, c rules.Change) (*rules.Object, error) {
	switch {
	case c.Ref().Kind == rules.DestinationRule && c.After == nil && !f.took:
		f.lost, f.took = c.Before, true
		return nil, nil
	case f.lost != nil && c.Ref() == f.lost.Ref:
		c.Before, f.lost = f.lost, nil
	case f.took && c.After == nil && f.away > 0:
		f.away--
		return nil, errAway
	}
	return f.Mesh.Write(ctx, c)
}

const oneBreaker = `
apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: s}
spec:
  app: bookinfo
  apply:
    - breaker: {service: ratings, http1MaxPendingRequests: 10}
  load:
    client: {get: "http://ratings:9080/ratings/0", connections: 2, requests: 12}
  expect:
    - client.status[200] == client.sent
    - overflows(ratings) == 0
`

func TestADeletionThatIsLostIsWrittenAgain(t *testing.T) {
	m := &forgetful{Mesh: open(t)}
	record := run(t.Context(), t, m, oneBreaker, nil)
	if !m.took || !record.Restored || len(record.Problems) > 0 {
		t.Errorf("lost %v, restored %v, problems %q, %+v", m.took, record.Restored, record.Against(), record.Changes)
	}
	if warnings := strings.Join(record.Warnings, "\n"); !strings.Contains(warnings, "proxies went on with DestinationRule/default/meshchaos-ratings after it was deleted") {
		t.Errorf("warnings %q", warnings)
	}
	objects, err := m.Mesh.Objects(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if i := slices.IndexFunc(objects, func(o *rules.Object) bool { return o.Kind == rules.DestinationRule }); i >= 0 {
		t.Errorf("%s is left", objects[i])
	}
}

// What it had been is what proxies may still run, whatever was written in its place.
func TestALostDeletionIsProvedThoughTheSecondOneFailsOnce(t *testing.T) {
	m := &forgetful{Mesh: open(t), away: 1}
	compare := meshtest.Remember(t, m)
	record := run(t.Context(), t, m, oneBreaker, nil)
	compare()
	if !m.took || m.away > 0 || !record.Restored {
		t.Errorf("lost %v, %d to go, restored %v, problems %q, %+v", m.took, m.away, record.Restored, record.Against(), record.Changes)
	}
}
