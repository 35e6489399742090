package envoy

import (
	"slices"
	"strings"
	"testing"
)

// FuzzReadLog establishes that no line makes a reader panic, whatever its format,
// and that what is read of Istio's own format stands in the line.
func FuzzReadLog(f *testing.F) {
	istio, err := NewLogReader(LogFormat{Text: istioFormat})
	if err != nil {
		f.Fatal(err)
	}
	const id = "11111111-2222-4333-8444-555555555555"
	for _, line := range []string{
		`[2026-11-21T17:31:19.430Z] "GET /ratings/0 HTTP/1.1" 500 DI,FI fault_filter_abort - "-" 0 18 200 - "-" "curl/7.88.1" "` + id + `" "ratings:9080" "-" outbound|9080||ratings.mc.svc.cluster.local - 10.96.21.196:9080 10.244.0.16:34116 - r.both`,
		`[2026-11-21T17:31:20.222Z] "GET /a"b HTTP/1.1" 200 - via_upstream - "a "quoted" reason" 0 49 4 3 "10.0.0.1, 10.0.0.2" "a b" "` + id + `" "[::1]:9080" "[::1]:9080" outbound|9080|v1|ratings.mc.svc.cluster.local 10.244.0.16:60544 10.96.21.196:9080 10.244.0.16:34168 - a route`,
		`[2026-11-21T15:03:19.103Z] "GET /reviews/0 HTTP/1.1" 0 DC downstream_remote_disconnect - "-" 0 0 3004 - "-" "python-requests/2.31" "` + id + `" "reviews:9080" "10.244.0.6:9080" outbound|9080|v2|reviews.mc.svc.cluster.local 10.244.0.16:60544 10.96.21.196:9080 10.244.0.16:34168 - default`,
		`[2026-11-21T17:31:20.330Z] "- - -" 0 - - - "-" 3 7 5 - "-" "-" "-" "-" "10.244.0.13:9000" a - b c - -`,
		`[2026-11-21T17:31:19.330Z] "GET / HTTP/1.1" five - - - "-" 0 18 0 - "-" "-" "-" "-" "-" - - - - - -`,
		`[2026-11-21T17:31:19.330Z] "GET / HTTP/1.1" -200 - - - "-" 0 18 9223372036854775807 - "-" "-" "-" "-" "-" - - - - - -`,
		`2026-11-21T17:31:19.330Z	info	Envoy proxy is ready`,
		`{"start_time":"2026-11-21T17:31:19.330Z","response_code":500,"route_name":null,"duration":"3"}`,
		"",
	} {
		f.Add(line, istioFormat)
	}
	f.Add(`a%b|1|2026-11-21T17:31:19.330Z`, `a%%b|%RESPONSE_CODE%|%START_TIME(%FT%T)%`)
	f.Add(`% %REQ(`, `%REQ(A?B):3%%RESPONSE_CODE%%ROUTE_NAME%`)
	json, err := NewLogReader(LogFormat{JSON: map[string]string{
		"at": "%START_TIME%", "took": "%DURATION%", "status": "%RESPONSE_CODE%", "flags": "%RESPONSE_FLAGS%", "route": "%ROUTE_NAME%",
		"method": "%REQ(:METHOD)%", "path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%", "host": "%REQ(:AUTHORITY)%", "id": "%REQ(X-REQUEST-ID)%",
		"upstream": "%UPSTREAM_HOST%", "cluster": "%UPSTREAM_CLUSTER_RAW%", "from": "%DOWNSTREAM_REMOTE_ADDRESS%",
	}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, line, format string) {
		_, _, _ = json.Read([]byte(line))
		if other, err := NewLogReader(LogFormat{Text: format}); err == nil {
			_, _, _ = other.Read([]byte(line))
		}
		entry, ours, err := istio.Read([]byte(line))
		if !ours || err != nil {
			return
		}
		for _, field := range slices.Concat(entry.Flags, []string{entry.Method, entry.Path, entry.Authority, entry.RequestID, entry.Upstream, entry.Cluster, entry.From, entry.Route, entry.Details}) {
			if !strings.Contains(line, field) {
				t.Fatalf("%q stands in none of %q: %+v", field, line, entry)
			}
		}
		if entry.Status < 0 || entry.Duration < 0 {
			t.Fatalf("%q: %+v", line, entry)
		}
	})
}
