package runner

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/loadgen"
)

func TestWhoWaitsHearsEveryTenSecondsWhatFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		v := voice{tell: func(e Event) {
			if e.Load == nil {
				told = append(told, e.Phase)
			}
		}}
		stop := v.keepTalking()
		v.begin("baseline")
		for range 4 { // a load that tells of itself is no silence
			time.Sleep(5 * time.Second)
			v.progress(Event{Load: &loadgen.Progress{}})
		}
		v.begin("undoing")
		v.waitFor("until the proxies run %s", "it")
		time.Sleep(11 * time.Second)
		v.begin("undoing")
		time.Sleep(10 * time.Second)
		stop()
		time.Sleep(time.Minute)
		want := []string{"baseline", "undoing", "undoing, for 10s: until the proxies run it", "undoing, for 20s"}
		if diff := cmp.Diff(want, told); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
