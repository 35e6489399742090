package summary_test

import (
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
)

func TestSeveralRunsAreToldByWhatTheyShareAndWhatNot(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 3, 1, 12, minute, 0, 0, time.UTC) }
	run := func(from, to int, user, version string) summary.Ended {
		return summary.Ended{Record: &report.Record{
			Started: at(from), Ended: at(to), Tool: report.Tool{Version: version},
			Mesh: report.Mesh{Kind: "embedded"}, Who: &report.Who{User: user},
		}}
	}
	for _, c := range []struct {
		name string
		runs []summary.Ended
		has  []string
		not  string
	}{
		{"nothing ran", []summary.Ended{{Name: "shop", Word: "refused"}}, nil, "m"},
		{"all alike", []summary.Ended{run(5, 6, "ana", "v1"), run(2, 4, "ana", "v1")}, []string{"12:02:00", "12:06:00", "by ana;", "meshchaos v1"}, "and"},
		{"two people, two builds", []summary.Ended{run(2, 4, "ana", "v1"), run(5, 6, "bob", "v2")}, []string{"by ana, and by bob", "meshchaos v1, and meshchaos v2"}, "more"},
		{"many builds", []summary.Ended{run(1, 2, "", "v1"), run(1, 2, "", "v2"), run(1, 2, "", "v3"), run(1, 2, "", "v4"), run(1, 2, "", "v5")}, []string{"meshchaos v3, and 2 more"}, "v4"},
	} {
		got := summary.Whence(c.runs)
		for _, words := range c.has {
			if !strings.Contains(got, words) {
				t.Errorf("%s: %q does not say %q", c.name, got, words)
			}
		}
		if strings.Contains(got, c.not) {
			t.Errorf("%s: %q says %q", c.name, got, c.not)
		}
	}
}
