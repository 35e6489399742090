package plural

import "testing"

func TestOneIsNoneOfMany(t *testing.T) {
	for want, got := range map[string]string{
		"0 requests":      Of(0, "request"),
		"1 request":       Of(int64(1), "request"),
		"2 requests":      Of(uint64(2), "request"),
		"1 proxy":         Of(1, "proxy"),
		"3 proxies":       Of(3, "proxy"),
		"2 delays":        Of(2, "delay"),
		"1 request was":   Were(1, "request"),
		"0 requests were": Were(0, "request"),
	} {
		if got != want {
			t.Errorf("it is %q, not %q", got, want)
		}
	}
}
