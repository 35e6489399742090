package envoy

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The dump is of Envoy 1.40 under Istio 1.31 with accessLogFile: /dev/stdout, cut
// down to what tells of logs.
func TestTheAccessLogsOfARealProxyAreFound(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "testdata/logging_listeners.json") }))
	defer server.Close()
	logs, err := (&Admin{Client: server.Client(), Base: server.URL}).AccessLogs(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	type seen struct {
		Listener, Path string
		TCP, Filtered  bool
	}
	var got []seen
	for _, l := range logs {
		got = append(got, seen{l.Listener, l.Path, l.TCP, l.Filtered})
		if l.Path == "" { // virtualOutbound's black hole
			continue
		}
		if _, err := NewLogReader(l.Format); err != nil {
			t.Errorf("%s: %v", l.Listener, err)
		}
		if l.Format.Text != istioFormat {
			t.Errorf("%s: the format is %q", l.Listener, l.Format.Text)
		}
	}
	want := []seen{
		{"0.0.0.0_9080", Stdout, false, false},
		{"0.0.0.0_9080", Stdout, true, false}, // for what the listener's sniffing takes for TCP
		{"10.96.44.98_9000", Stdout, true, false},
	}
	if diff := cmp.Diff(want, got[:3]); diff != "" {
		t.Error(diff)
	}
}
