//go:build e2e

package fidelity

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// generatedSets is how many rule sets are made: MESHCHAOS_FIDELITY, else 30.
func generatedSets(t *testing.T) int {
	n, err := strconv.Atoi(cmp.Or(os.Getenv("MESHCHAOS_FIDELITY"), "30"))
	if err != nil {
		t.Fatalf("MESHCHAOS_FIDELITY: %v", err)
	}
	return n
}

// ruleSet is what a generated comparison is put together from, so that it can be
// made smaller.
type ruleSet struct {
	entries  [][]string // the fields of each http entry of the VirtualService, the one that leads somewhere last
	policy   []string   // the fields of the DestinationRule's trafficPolicy
	versions []string   // see comparison
	calls    []call
}

// comparison is the rule set as it is tried. Envoy's workers hear of an ejection
// from its main thread: with ejections, calls leave it the time for that.
func (s ruleSet) comparison(name string) *comparison {
	c := &comparison{Name: name, Versions: s.versions, Calls: s.calls, Unread: true}
	var entries []string
	for _, fields := range s.entries {
		entries = append(entries, "{"+strings.Join(fields, ", ")+"}")
	}
	c.HTTP = strings.Join(entries, ", ")
	if len(s.policy) > 0 {
		c.Policy = `"trafficPolicy": {` + strings.Join(s.policy, ", ") + `}`
	}
	if strings.Contains(c.Policy, "outlierDetection") {
		c.Calls = slices.Clone(c.Calls)
		for i := range c.Calls {
			c.Calls[i].Before = 50 * time.Millisecond
		}
	}
	return c
}

// supported says whether the embedded sidecar takes the rules: it refuses what it
// does not carry out.
func (s ruleSet) supported(t testing.TB) bool {
	tr := &trial{comparison: s.comparison(""), service: "web"}
	_, err := tr.compile(t)
	return err == nil
}

// certain says whether the rules leave nothing to chance: of a copy and its request
// either may be the one that waits for a connection, and whether another attempt, or
// a copy, comes before an ejection is known is a matter of microseconds.
func (s ruleSet) certain() bool {
	c := s.comparison("")
	switch mirrors := strings.Contains(c.HTTP, "mirror"); {
	case mirrors && strings.Contains(c.Policy, "maxConnections"):
		return false
	case strings.Contains(c.Policy, "outlierDetection"):
		// A refused connection is tried again without a rule of retries.
		return !mirrors && !strings.Contains(c.HTTP, "retryOn") && !slices.Contains(s.versions, "refuses")
	}
	return true
}

// someSet is up to three entries, a policy, and twenty calls under them.
func someSet(t *rapid.T) ruleSet {
	s := ruleSet{
		entries:  rapid.SliceOfN(rapid.Custom(someEntry), 1, 3).Draw(t, "entries"),
		versions: drawn(t, [][]string{{"up", "up"}, {"up", "up"}, {"up", "up"}, {"up", "refuses"}, {"up"}}),
	}
	for _, from := range [][]string{somePools, someEjections, someConnects} {
		s.policy = given(s.policy, drawn(t, from))
	}
	for range 20 {
		s.calls = append(s.calls, someCall(t))
	}
	return s
}

// someEntry is the fields of an http entry of a VirtualService.
func someEntry(t *rapid.T) (fields []string) {
	fields = given(fields, drawn(t, someMatches))
	if rapid.IntRange(0, 7).Draw(t, "redirects") == 0 {
		fields = given(fields, drawn(t, someHeaders))
		return append(fields, drawn(t, redirects))
	}
	for _, from := range [][]string{someFaults, someTimeouts, someRetries, someHeaders, someRewrites, someMirrors, someRoutes} {
		fields = given(fields, drawn(t, from))
	}
	return fields
}

func someCall(t *rapid.T) call {
	c := call{
		Method:  drawn(t, []string{"GET", "GET", "GET", "POST", "PUT", "HEAD", "DELETE"}),
		Path:    drawn(t, somePaths),
		Headers: drawn(t, someRequestHeaders),
		Do:      drawn(t, someDeeds),
	}
	if c.Method == "POST" { // A body that goes with the head: of a longer one, an early answer would end the caller's connection.
		c.Body = drawn(t, []string{"", "a body", strings.Repeat("x", 2_000)})
	}
	return c
}

func drawn[T any](t *rapid.T, from []T) T { return rapid.SampledFrom(from).Draw(t, "part") }

// given adds a field that is not empty.
func given(fields []string, field string) []string {
	if field == "" {
		return fields
	}
	return append(fields, field)
}

// TestGeneratedRulesAreCarriedOutAsEnvoyDoes makes the same rule sets in each run.
func TestGeneratedRulesAreCarriedOutAsEnvoyDoes(t *testing.T) {
	c := startCluster(t)
	generator := rapid.Custom(someSet).Filter(func(s ruleSet) bool { return s.certain() && s.supported(t) })
	var sets []ruleSet
	var trials []*trial
	for i := range generatedSets(t) {
		sets = append(sets, generator.Example(i))
		trials = append(trials, c.prepare(t, sets[i].comparison(fmt.Sprintf("rule set %d", i)), fmt.Sprintf("gen%03d", i)))
	}
	began := time.Now()
	c.run(t, trials, atOnce)
	again := c.repeat(t, trials)
	if err := documentGenerated(trials, again, time.Since(began)); err != nil {
		t.Error(err)
	}
	shrinks := 0
	for i, tr := range trials {
		if len(tr.differences()) > 0 && shrinks < mostShrunk {
			shrinks++
			tr = c.shrink(t, sets[i], tr)
		}
		t.Run(tr.Name, tr.hold)
	}
}
