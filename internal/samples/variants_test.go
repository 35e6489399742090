package samples

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/manifests"
)

const (
	ratingsURL  = "http://ratings:9080/ratings/0"
	ratingsWell = `{"id":0,"ratings":{"Reviewer1":5,"Reviewer2":4}}` + "\n"
	ratingsAway = `{"error":"Service unavailable"}` + "\n"
)

// variant runs a version of ratings in a town with synctest's clock.
func variant(t *testing.T, version string) *town {
	t.Helper()
	w, err := Lookup("ratings", version)
	if err != nil {
		t.Fatal(err)
	}
	town := newPipes(t)
	town.serve(w, nil)
	return town
}

// Half of 200 calls is from 60 to 140 but for one test in a hundred million.
func TestRatingsMisbehaveInHalfOfTheCalls(t *testing.T) {
	for version, want := range map[string]struct {
		status int
		body   string
		took   time.Duration
	}{
		"v-faulty":  {503, ratingsAway, 0},
		"v-delayed": {200, ratingsWell, 7 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			town := variant(t, version)
			var bad int
			for range 200 {
				switch got := town.get(ratingsURL, nil); {
				case got.status == want.status && got.body == want.body && got.took == want.took:
					bad++
				case got.status != 200 || got.body != ratingsWell || got.took != 0:
					t.Fatalf("%s answers %d %q after %s", version, got.status, got.body, got.took)
				}
			}
			if bad < 60 || bad > 140 {
				t.Errorf("%s misbehaved in %d of 200 calls", version, bad)
			}
			if got := town.get("http://ratings:9080/health", nil); got.status != 200 {
				t.Errorf("the health of %s is answered with %d", version, got.status)
			}
		})
	}
}

func TestRatingsMisbehaveForHalfOfTheTime(t *testing.T) {
	for version, want := range map[string]struct {
		turn time.Duration
		ill  int // status of its health while it is away
	}{
		"v-unavailable": {time.Minute, 200},
		"v-unhealthy":   {15 * time.Minute, 500},
	} {
		synctest.Test(t, func(t *testing.T) {
			town := variant(t, version)
			long := want.turn
			well, lost := []any{200, ratingsWell, 200}, []any{503, ratingsAway, want.ill}
			for turn, want := range [][]any{well, lost, well, lost} {
				for _, when := range []string{"begins", "ends"} {
					got := town.get(ratingsURL, nil)
					if diff := cmp.Diff(want, []any{got.status, got.body, town.get("http://ratings:9080/health", nil).status}); diff != "" {
						t.Errorf("%s as its turn %d %s (-want +got):\n%s", version, turn, when, diff)
					}
					if when == "begins" {
						time.Sleep(long - time.Millisecond)
					}
				}
				time.Sleep(time.Millisecond)
			}
		})
	}
}

// Whoever adds the variants to Bookinfo changes nothing of what is there.
func TestTheManifestOfRatingsAgreesWithBookinfos(t *testing.T) {
	var both []objects
	for _, app := range []string{"bookinfo", "ratings"} {
		manifest, err := manifests.App(app, manifests.Image)
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, read(t, manifest))
	}
	all, own := both[0], both[1]
	for what, pair := range map[string][2]any{
		"service":    {all.services["ratings"], own.services["ratings"]},
		"account":    {all.accounts["bookinfo-ratings"], own.accounts["bookinfo-ratings"]},
		"deployment": {all.deployments["ratings-v1"], own.deployments["ratings-v1"]},
	} {
		if diff := cmp.Diff(pair[0], pair[1]); diff != "" {
			t.Errorf("%s (-bookinfo +ratings):\n%s", what, diff)
		}
	}
}
