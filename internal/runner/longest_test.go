package runner_test

import (
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/runner"
)

func TestARunLastsNoLongerThanItsLoadsAndItsWaits(t *testing.T) {
	const minute = time.Minute
	for name, test := range map[string]struct {
		load    string
		options runner.Options
		want    time.Duration
	}{
		// Three windows with two minutes each beside their loads, and four waits for rules.
		"as it asks":          {"connections: 2, qps: 2, duration: 60s, timeout: 10s", runner.Options{LiveLimit: minute}, 3*2*minute + 4*minute + (60+20+20)*time.Second + 3*3*10*time.Second},
		"as long as it may":   {"connections: 1, requests: 4000", runner.Options{LiveLimit: minute}, 3*(time.Hour+2*minute) + 4*minute},
		"as long as is given": {"connections: 1, requests: 4000", runner.Options{LiveLimit: minute, Caps: runner.Caps{Duration: 5 * minute}}, 3*(5+2)*minute + 4*minute},
	} {
		s := read(t, `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: lasts}
spec:
  app: bookinfo
  apply:
    - fault: {service: ratings, delay: 10ms}
  load:
    raters: {get: "http://ratings:9080/ratings/0", `+test.load+`}
  expect:
    - raters.status[200] == raters.sent
`)
		if got := runner.Longest(s, test.options); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}
