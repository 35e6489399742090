package sabotage

import (
	"fmt"
	"slices"

	"github.com/meshchaos/meshchaos/internal/mutate"
	"github.com/meshchaos/meshchaos/scenarios"
)

// Mutant is one thing wrong with the rules of a scenario, as somebody thought of it:
// internal/mutate has to think of it too.
type Mutant struct {
	Scenario string
	ID       string // as internal/mutate names it
	Shows    string // stands in an expectation that fails, or in a problem
}

// Derived returns the scenario with that wrong, as internal/mutate derives it from
// the library's file.
func (m Mutant) Derived() (*scenarios.Scenario, error) {
	s, err := scenarios.OfLibrary(m.Scenario)
	if err != nil {
		return nil, err
	}
	all, err := mutate.Of(s)
	if err != nil {
		return nil, fmt.Errorf("deriving the mutants of %s: %w", m.Scenario, err)
	}
	at := slices.IndexFunc(all, func(derived mutate.Mutant) bool { return derived.ID == m.ID })
	if at < 0 {
		return nil, fmt.Errorf("of %s no mutant %s is derived", m.Scenario, m.ID)
	}
	return all[at].Scenario, nil
}

// Mutants are the least that is to be derived from the rules of the library. The
// first of each scenario is the one that the cluster is tried with too.
func Mutants() []Mutant {
	return []Mutant{
		{"delay-jason", "apply[0]/match-dropped", "raters.status[200]"},
		{"delay-jason", "apply[0]/delay-percentage-halved", "faults(ratings)"},

		{"delay-fixed", "given[1]/to-v2", "2.4s <= jason.p50"}, // the version with the bug
		{"delay-fixed", "seven-seconds/apply[0]/delay-halved", "patient.p50"},
		{"delay-fixed", "seven-seconds/apply[0]/delay-doubled", "patient.p50"},
		{"delay-fixed", "two-seconds/apply[0]/match-dropped", "faults(ratings)"},

		{"abort-jason", "apply[0]/abort-503", "jasons-ratings.status[500]"},
		{"abort-jason", "apply[0]/match-dropped", "raters.status[200]"},
		{"abort-jason", "apply[0]/abort-percentage-halved", "faults(ratings)"},

		{"abort-grpc", "apply[0]/abort-INTERNAL", "relayed.grpc[OK]"},
		{"abort-grpc", "apply[0]/abort-percentage-halved", "direct.share(UNAVAILABLE)"},
		{"abort-grpc", "given[0]/retries-off", "relayed.grpc[OK]"},

		{"timeout-reviews", "half-a-second/apply[0]/timeout-doubled", "0.95s <= pages.p50"},
		{"timeout-reviews", "half-a-second/apply[0]/dropped", `pages.share("reviews-lost")`},
		{"timeout-reviews", "slow-ratings/apply[0]/delay-halved", "pages.min >= 1.9s"},

		{"route-jason", "apply[0]/match-dropped", "split(others)"},
		{"route-jason", "apply[0]/to-v3", "split(jason)"},
		{"route-jason", "apply[0]/end-user-any-case", "namesake.answered"},

		{"shift-v3", "half/apply[0]/weights-moved-back", "split(reviews)"},
		{"shift-v3", "half/apply[0]/v3-to-v2", "split(pages)"},
		{"shift-v3", "all/apply[0]/tenth-to-v1", "requests(reviews, v1)"},

		{"canary-takeover", "half/apply[0]/weights-moved-back", "split(direct)"},
		{"canary-takeover", "takeover/apply[0]/tenth-to-v1", "requests(reviews, v1)"},
		{"canary-takeover", "takeover/apply[0]/direct-to-v1", "requests(reviews, v1)"}, // of whom no page tells

		{"canary-reviews", "one-in-ten/apply[0]/weights-moved", "split(reviews)"},
		{"canary-reviews", "one-in-ten/apply[0]/weights-swapped", "split(pages)"},
		{"canary-reviews", "one-in-ten/apply[0]/dropped", "split(reviews)"}, // which sends v2's part to v1, as before

		{"breaker-httpbin", "two-connections/apply[0]/http1MaxPendingRequests-x10", "client.status[503] > 0"},
		{"breaker-httpbin", "two-connections/apply[0]/maxRequestsPerConnection-x10", "connections(httpbin, v1)"},
		{"breaker-httpbin", "two-connections/apply[0]/dropped", "client.status[503] > 0"},
		// Not ten times as many connections: those that one of Envoy's workers keeps idle
		// count against the limit of all, so that 40 of 200 were turned away once.
		{"breaker-ratings", "two-connections/apply[0]/dropped", "client.status[503] > 20"},
		{"eject-httpbin", "given[0]/to-v2", "requests(httpbin, v1)"},
		{"mirror-httpbin", "mirrored/apply[0]/mirror-percentage-halved", "requests(httpbin, v2)"},
		{"mirror-httpbin", "mirrored/apply[0]/mirror-to-v1", "requests(httpbin, v1)"},

		{"ingress-micro-api", "seventy-thirty/apply[0]/weights-moved", "split(outside)"},
		{"ingress-micro-api", "seventy-thirty/apply[0]/weights-swapped", "split(outside)"},
		{"ingress-micro-api", "all-v2/apply[0]/weights-moved-back", `inside.answered("v1") == requests(micro-api, v1)`}, // one in ten is left behind
		{"ingress-micro-api", "seventy-thirty/apply[0]/sidecars-too", "split(inside)"},

		{"ingress-https", "apply[0]/dropped", "strangers.errors"},

		{"pool-micro-api", "in-turn/apply[0]/balancer-random", "imbalance(micro-api"},
		{"pool-micro-api", "given[1]/dropped", "split(client)"},
		{"pool-micro-api", "burst/apply[0]/dropped", "client.share(503)"},
		{"pool-micro-api", "burst/apply[0]/http1MaxPendingRequests-x10", "client.share(503)"},
		{"pool-micro-api", "burst/apply[0]/maxRequestsPerConnection-x10", "connections(micro-api)"},
		{"pool-micro-api", "given[1]/weights-moved-back", "split(client)"},

		{"tcp-shift", "one-in-five/apply[0]/weights-moved", "split(callers)"},
		{"tcp-shift", "one-in-five/apply[0]/weights-swapped", "split(tcp-echo)"},
	}
}
