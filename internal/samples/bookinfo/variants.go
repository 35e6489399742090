package bookinfo

import (
	"context"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/meshchaos/meshchaos/internal/samples/workload"
)

// How Istio's own variants of ratings misbehave (samples/bookinfo/src/ratings).
const (
	variantDelay = 7 * time.Second  // of v-delayed
	outage       = time.Minute      // v-unavailable is there for so long, then away for so long
	illness      = 15 * time.Minute // and v-unhealthy is well and ill
)

// RatingsApplication is ratings alone, with the versions of it that misbehave: beside
// v1 they would spoil Bookinfo for whoever has no rule that keeps them apart.
func RatingsApplication() workload.Application {
	of := func(version string, behave func() behaviour) workload.Workload {
		return workload.Workload{
			App: "ratings", Version: version, ServicePort: port, Port: port, Path: "/ratings/0",
			HTTP: func(ctx context.Context, _ workload.Env) http.Handler { return behave().serve(ctx) },
		}
	}
	return workload.Application{Name: "ratings", Workloads: []workload.Workload{
		of("v1", wellBehaved), of("v-faulty", faulty), of("v-delayed", delayed), of("v-unavailable", oftenAway), of("v-unhealthy", oftenIll),
	}}
}

// behaviour is how ratings answers at the moment when it is asked.
type behaviour struct {
	fails func() bool // a call is answered 503
	waits func() bool // it is answered after variantDelay
	ill   func() bool // its health is 500
}

func never() bool { return false }

func inHalf() bool { return rand.IntN(2) == 0 }

// everyOther says, by turns of so long from now on, no and yes.
func everyOther(turn time.Duration) func() bool {
	began := time.Now()
	return func() bool { return time.Since(began)/turn%2 == 1 }
}

func wellBehaved() behaviour { return behaviour{never, never, never} }
func faulty() behaviour      { return behaviour{inHalf, never, never} }
func delayed() behaviour     { return behaviour{never, inHalf, never} }
func oftenAway() behaviour   { return behaviour{everyOther(outage), never, never} }

func oftenIll() behaviour {
	ill := everyOther(illness)
	return behaviour{ill, never, ill}
}
