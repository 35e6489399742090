package runner

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/loadgen"
)

func TestAPhaseThatTakesLongIsToldOfEachSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		v := voice{tell: func(e Event) {
			if e.Load == nil {
				told = append(told, e.Phase)
			}
		}}
		stop := v.keepTalking()
		v.begin("baseline")
		time.Sleep(9500 * time.Millisecond)
		v.begin("undoing")
		v.waitFor("until the proxies run %s", "it")
		time.Sleep(8 * time.Second)
		v.progress(Event{Load: &loadgen.Progress{}}) // somebody hears of that, or not
		time.Sleep(3 * time.Second)
		v.begin("undoing")
		time.Sleep(time.Second)
		stop()
		time.Sleep(time.Minute)
		want := []string{"baseline", "undoing", "undoing, for 11s: until the proxies run it", "undoing, for 12s"}
		if diff := cmp.Diff(want, told); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
