package loadgen

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAPlanCallsItsAddressAndConnectsWhereItIsLed(t *testing.T) {
	for name, tt := range map[string]struct {
		plan         Plan
		host, port   string
		target, with string // with: after Through
	}{
		"a URL":                {Plan{HTTP: get("http://reviews:9080/0")}, "reviews", "9080", "reviews:9080", "127.0.0.1:1"},
		"a URL without a port": {Plan{HTTP: get("http://reviews/0")}, "reviews", "80", "reviews:80", "127.0.0.1:1"},
		"a URL of HTTPS":       {Plan{HTTP: get("https://reviews/0")}, "reviews", "443", "reviews:443", "127.0.0.1:1"},
		"a URL of IPv6":        {Plan{HTTP: get("http://[::1]:9080/")}, "::1", "9080", "[::1]:9080", "127.0.0.1:1"},
		"TCP":                  {Plan{TCP: &TCP{Address: "[::1]:9000"}}, "::1", "9000", "[::1]:9000", "127.0.0.1:1"},
		"a plan that is led":   {Plan{TCP: &TCP{Address: "echo:9000", Connect: "other:1"}}, "echo", "9000", "other:1", "127.0.0.1:1"},
	} {
		t.Run(name, func(t *testing.T) {
			before, err := tt.plan.target()
			if err != nil || before != tt.target {
				t.Errorf("it connects to %q, %v", before, err)
			}
			led := tt.plan.Through(tt.with)
			if target, err := led.target(); err != nil || target != tt.with {
				t.Errorf("led to %q it connects to %q, %v", tt.with, target, err)
			}
			if after, _ := tt.plan.target(); after != before {
				t.Errorf("the plan itself now connects to %q", after)
			}
			host, port, err := led.Address()
			if diff := cmp.Diff([]string{tt.host, tt.port}, []string{host, port}); diff != "" || err != nil {
				t.Error(diff, err)
			}
		})
	}
	for name, plan := range map[string]Plan{
		"another scheme": {HTTP: get("ftp://reviews/")}, "no port": {TCP: &TCP{Address: "echo"}}, "nothing": {},
	} {
		if host, port, err := plan.Address(); err == nil {
			t.Errorf("%s: calls %q %q", name, host, port)
		}
	}
}
