// Package compare_test holds what compare finds against runs of which it is known what
// has changed between them.
package compare_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/mesh/embedded"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/compare"
	"github.com/meshchaos/meshchaos/scenarios"
)

// nightly splits reviews, of 1,000 requests, and delays details.
const nightly = `
apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: nightly}
spec:
  app: bookinfo
  given:
    - route: {service: [details, reviews], to: v1}
  versions:
    v1: {body: reviews-v1}
    v2: {body: reviews-v2}
  apply:
    - route: {service: reviews, to: {v1: V1, v2: V2}}
    - fault: {service: details, delay: DELAY, percent: 100%}
  load:
    readers: {get: "http://reviews:9080/reviews/0", connections: 4, requests: 1000}
    books: {get: "http://details:9080/details/0", connections: 20, requests: 300}
  expect:
    - split(readers).is(v1 == V1%, v2 == V2%).detecting(15%)
    - readers.status[200] == readers.sent
    - books.status[200] == books.sent
    - faults(details) == books.sent
`

// pairs is how many of each kind are run: MESHCHAOS_PAIRS, else 2.
func pairs(t *testing.T) (n uint64, measured bool) {
	text := os.Getenv("MESHCHAOS_PAIRS")
	if text == "" {
		return 2, false
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n == 0 {
		t.Fatalf("MESHCHAOS_PAIRS=%s: it takes 1 to 65535", text)
	}
	return n, true
}

func run(t *testing.T, seed uint64, v1, v2, delay string) *report.Record {
	t.Helper()
	text := strings.NewReplacer("V1", v1, "V2", v2, "DELAY", delay).Replace(nightly)
	s, err := scenarios.ReadFrom(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	m, err := embedded.Open(t.Context(), embedded.Options{App: s.App, Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := m.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	record, err := runner.Run(t.Context(), m, s, runner.Options{ID: fmt.Sprintf("%08x", seed), Seed: seed, Tool: report.Tool{Version: "test"}, LiveLimit: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return record
}

// found is which values have regressed, but for verdicts: those stand in the records.
func found(before, now *report.Record) map[string]bool {
	regressed := map[string]bool{}
	c := compare.Compare(compare.Pair{Before: compare.Run{Record: before}, Now: compare.Run{Record: now}})
	for _, v := range compare.Shown(c.Scenarios[0], false) {
		if v.Became == report.Regressed && v.P != nil {
			regressed[compare.Name(v)] = true
		}
	}
	return regressed
}

// even says whether nine of ten requests for books took about as long as half of them
// did: a machine that is busy with other things adds more than what is to be found.
func even(r *report.Record) bool {
	response := r.Window(report.During, "").Loads["books"].Response
	half, _ := response.Quantile(0.5)
	most, _ := response.Quantile(0.9)
	return float64(most) < 1.15*float64(half)
}

func TestARealChangeIsFoundAndNoOther(t *testing.T) {
	n, measured := pairs(t)
	equal, split := uint64(0), uint64(0)
	for i := range n {
		one, moved := run(t, 4*i+1, "90", "10", "100ms"), run(t, 4*i+3, "80", "20", "100ms")
		for again := 2; ; again-- {
			regressed := found(one, run(t, 4*i+2, "90", "10", "100ms"))
			if len(regressed) == 0 {
				break
			}
			t.Logf("equal pair %d: %v", i, regressed)
			// One in a hundred may: of few pairs, three others running say no more than that.
			if measured || again == 0 {
				equal++
				break
			}
		}
		if found(one, moved)["readers version v2, under the rule"] {
			split++
		}
	}
	t.Logf("%d pairs: %d equal ones regressed; 90/10 to 80/20 was found in %d", n, equal, split)
	if equal > n/100 {
		t.Errorf("%d of %d equal pairs regressed", equal, n)
	}
	if split*100 < n*95 {
		t.Errorf("90/10 to 80/20 was found in %d of %d", split, n)
	}
}

// leastEven is of how many pairs 95 % can be told from less at all.
const leastEven = 20

// How many of a real service's slower runs are found. Whether the machine lets any be
// found a few runs cannot say: that the median of drawn runs is found is held in
// report/compare.
func TestARealChangeOfTheMedianIsFound(t *testing.T) {
	n, measured := pairs(t)
	if !measured {
		t.Skip("it measures many pairs: MESHCHAOS_PAIRS=100")
	}
	longer, of := 0, 0
	for i := range n {
		usual, slow := run(t, 4*i+2, "90", "10", "100ms"), run(t, 4*i+4, "90", "10", "120ms")
		if even(usual) && even(slow) {
			of++
			if found(usual, slow)["books p50, under the rule"] {
				longer++
			}
		}
	}
	t.Logf("%d pairs: p50 plus 20 %% was found in %d of %d even ones", n, longer, of)
	if missed := of - longer; missed > 1+of/20 {
		t.Errorf("p50 plus 20 %% was found in %d of %d", longer, of)
	}
	if of < leastEven {
		t.Skipf("only %d of %d pairs were even, of which nothing follows: it takes %d, on a machine that is less busy", of, n, leastEven)
	}
}
