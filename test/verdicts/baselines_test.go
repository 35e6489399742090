package verdicts

import (
	"context"

	"github.com/meshchaos/meshchaos/internal/mesh"
)

// drawn is a random split that is given, and a check that tells the versions
// apart.
const drawn = `
  app: bookinfo
  given:
    - route: {service: reviews, to: {v1: 50, v3: 50}}
  apply:
    - fault: {service: ratings, delay: 10ms}
  checks:
    stars: {body: stars}
  load:
    readers: {get: "http://reviews:9080/reviews/0", connections: 2, requests: 150}
  expect:
    - readers.status[200] == readers.sent
`

// plain is the same without a split.
const plain = `
  app: bookinfo
  apply:
    - fault: {service: details, delay: 10ms}
  checks:
    stars: {body: stars}
  load:
    readers: {get: "http://reviews:9080/reviews/0", headers: {end-user: jason}, connections: 2, requests: 30}
    pages: {get: "http://details:9080/details/0", connections: 2, requests: 6}
  given:
    - route: {service: reviews, to: v1}
  expect:
    - readers.status[200] == readers.sent
    - pages.status[200] == pages.sent
`

const (
	toThird = `{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"meshchaos-reviews"},
	 "spec":{"hosts":["reviews"],"http":[{"route":[{"destination":{"host":"reviews","subset":"v3"}}]}]}}`
	withThird = `{"apiVersion":"networking.istio.io/v1","kind":"DestinationRule","metadata":{"name":"meshchaos-reviews"},
	 "spec":{"host":"reviews","subsets":[{"name":"v1","labels":{"version":"v1"}},{"name":"v3","labels":{"version":"v3"}}]}}`
)

// lostBaselines are meshes that answer otherwise after the run than before it.
func lostBaselines() []hand {
	const folder = "2.10-baseline-back"
	return []hand{
		{Row: row(folder, "must-not-pass-hand-another-version", "inconclusive", "the baseline is not back"), text: plain, meddle: unheard(afterwards(withThird, toThird))},
		{Row: row(folder, "must-not-pass-hand-another-share", "inconclusive", "the baseline is not back"), text: drawn, meddle: unheard(afterwards(toThird))},
		{Row: row(folder, "must-pass-hand-as-before", "pass"), text: drawn, meddle: honest},
	}
}

// afterwards writes objects while the recovery is measured.
func afterwards(manifests ...string) func(mesh.Mesh) mesh.Mesh {
	return func(m mesh.Mesh) mesh.Mesh {
		return loads{Mesh: m, n: new(int), during: func(ctx context.Context, m mesh.Mesh, n int) (func(), error) {
			if n != 2 {
				return nil, nil
			}
			var undos []func()
			undo := func() {
				for i := len(undos) - 1; i >= 0; i-- {
					undos[i]()
				}
			}
			for _, manifest := range manifests {
				one, err := writes(ctx, m, manifest)
				if err != nil {
					undo()
					return nil, err
				}
				undos = append(undos, one)
			}
			return undo, nil
		}}
	}
}
