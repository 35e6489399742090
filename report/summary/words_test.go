package summary_test

import (
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
)

func TestAShareNeverReadsLikeAllOrNothing(t *testing.T) {
	for share, want := range map[float64]string{
		0: "0%", 1: "100%", 0.5: "50%", 632. / 697: "90.7%", 65. / 697: "9.33%", 0.9996: "99.96%", 0.99999: "99.999%", 0.00001: "0.001%", 1.0 / 3: "33.3%", 1e-9: "0.0000001%",
	} {
		if got := summary.Share(share); got != want {
			t.Errorf("%v is %s, not %s", share, got, want)
		}
	}
}

func TestANumberHasThreeDigits(t *testing.T) {
	for number, want := range map[float64]string{20: "20", 19.96: "20", 19.94: "19.9", 1234.5: "1234", 1000000: "1000000", 0.3333: "0.333", 2.0004: "2", 0: "0", 880.2: "880"} {
		if got := summary.Number(number); got != want {
			t.Errorf("%v is %s, not %s", number, got, want)
		}
	}
	for d, want := range map[time.Duration]string{6010111 * time.Microsecond: "6.01s", 12345 * time.Microsecond: "12.3ms", 999: "999ns", 0: "0s"} {
		if got := summary.Duration(d); got != want {
			t.Errorf("%v is %s, not %s", int64(d), got, want)
		}
	}
	for d, want := range map[time.Duration]string{17499 * time.Millisecond: "17s", 2349 * time.Millisecond: "2.3s", 65 * time.Second: "1m5s"} {
		if got := summary.Took(d); got != want {
			t.Errorf("%v took %s, not %s", d, got, want)
		}
	}
}

func TestAnIntervalIsOfSharesAlone(t *testing.T) {
	if got := summary.Interval(report.Measure{Part: &report.Part{Low: 0.9228, High: 1}}); got != "92.3% to 100%" {
		t.Error(got)
	}
	if got := summary.Interval(report.Measure{Value: 3}); got != "" {
		t.Error(got)
	}
}
