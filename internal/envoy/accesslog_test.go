package envoy

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// istioFormat is Istio's default, as a proxy's configuration has it.
const istioFormat = "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% \"%UPSTREAM_TRANSPORT_FAILURE_REASON%\" %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%\n"

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return t
}

// The lines are those of Envoy 1.40 under Istio 1.31.
func TestALineOfARealProxyIsRead(t *testing.T) {
	const id = "11111111-2222-4333-8444-555555555555"
	const ratings = "outbound|9080||ratings.mc.svc.cluster.local"
	for name, one := range map[string]struct {
		line string
		want LogEntry
	}{
		"an abort": {
			`[2026-11-21T17:31:19.330Z] "GET /ratings/0 HTTP/1.1" 500 FI fault_filter_abort - "-" 0 18 0 - "-" "curl/7.88.1" "` + id + `" "ratings:9080" "-" ` + ratings + ` - 10.96.21.196:9080 10.244.0.16:34110 - r.abort`,
			LogEntry{Started: at("2026-11-21T17:31:19.330Z"), Method: "GET", Path: "/ratings/0", Authority: "ratings:9080", Status: 500, Flags: []string{"FI"}, Details: "fault_filter_abort", RequestID: id, From: "10.244.0.16:34110", Cluster: ratings, Route: "r.abort"},
		},
		"a delay and an abort": {
			`[2026-11-21T17:31:19.430Z] "GET /ratings/0 HTTP/1.1" 500 DI,FI fault_filter_abort - "-" 0 18 200 - "-" "curl/7.88.1" "` + id + `" "ratings:9080" "-" ` + ratings + ` - 10.96.21.196:9080 10.244.0.16:34116 - r.both`,
			LogEntry{Started: at("2026-11-21T17:31:19.430Z"), Duration: 200 * time.Millisecond, Method: "GET", Path: "/ratings/0", Authority: "ratings:9080", Status: 500, Flags: []string{"DI", "FI"}, Details: "fault_filter_abort", RequestID: id, From: "10.244.0.16:34116", Cluster: ratings, Route: "r.both"},
		},
		"no such cluster": {
			`[2026-11-21T17:31:19.731Z] "GET /ratings/0 HTTP/1.1" 503 NC cluster_not_found - "-" 0 0 0 - "-" "curl/7.88.1" "` + id + `" "ratings:9080" "-" - - 10.96.21.196:9080 10.244.0.16:34126 - r.nc`,
			LogEntry{Started: at("2026-11-21T17:31:19.731Z"), Method: "GET", Path: "/ratings/0", Authority: "ratings:9080", Status: 503, Flags: []string{"NC"}, Details: "cluster_not_found", RequestID: id, From: "10.244.0.16:34126", Route: "r.nc"},
		},
		"an answer of the upstream": {
			`[2026-11-21T17:31:20.222Z] "GET /ratings/0 HTTP/1.1" 200 - via_upstream - "-" 0 49 4 3 "-" "curl/7.88.1" "` + id + `" "ratings:9080" "10.244.0.7:9080" ` + ratings + ` 10.244.0.16:60544 10.96.21.196:9080 10.244.0.16:34168 - r.def`,
			LogEntry{Started: at("2026-11-21T17:31:20.222Z"), Duration: 4 * time.Millisecond, Method: "GET", Path: "/ratings/0", Authority: "ratings:9080", Status: 200, Details: "via_upstream", RequestID: id, From: "10.244.0.16:34168", Upstream: "10.244.0.7:9080", Cluster: ratings, Route: "r.def"},
		},
		"a caller that went away": {
			`[2026-11-21T15:03:19.103Z] "GET /reviews/0 HTTP/1.1" 0 DC downstream_remote_disconnect - "-" 0 0 3004 - "-" "python-requests/2.31" "` + id + `" "reviews:9080" "10.244.0.6:9080" outbound|9080|v2|reviews.mc.svc.cluster.local 10.244.0.16:60544 10.96.21.196:9080 10.244.0.16:34168 - default`,
			LogEntry{Started: at("2026-11-21T15:03:19.103Z"), Duration: 3004 * time.Millisecond, Method: "GET", Path: "/reviews/0", Authority: "reviews:9080", Flags: []string{"DC"}, Details: "downstream_remote_disconnect", RequestID: id, From: "10.244.0.16:34168", Upstream: "10.244.0.6:9080", Cluster: "outbound|9080|v2|reviews.mc.svc.cluster.local", Route: "default"},
		},
		"a TCP connection": {
			`[2026-11-21T17:31:20.330Z] "- - -" 0 - - - "-" 3 7 5 - "-" "-" "-" "-" "10.244.0.13:9000" outbound|9000||tcp-echo.mc.svc.cluster.local 10.244.0.16:49910 10.96.44.98:9000 10.244.0.16:51332 - -`,
			LogEntry{Started: at("2026-11-21T17:31:20.330Z"), Duration: 5 * time.Millisecond, From: "10.244.0.16:51332", Upstream: "10.244.0.13:9000", Cluster: "outbound|9000||tcp-echo.mc.svc.cluster.local"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := NewLogReader(LogFormat{Text: istioFormat})
			if err != nil {
				t.Fatal(err)
			}
			got, ours, err := r.Read([]byte(one.line + "\n"))
			if err != nil || !ours {
				t.Fatalf("ours %v, error %v", ours, err)
			}
			if diff := cmp.Diff(one.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestJSONIsReadByTheOperatorsOfItsKeys(t *testing.T) {
	r, err := NewLogReader(LogFormat{JSON: map[string]string{
		"start_time": "%START_TIME%", "duration": "%DURATION%", "response_code": "%RESPONSE_CODE%", "response_flags": "%RESPONSE_FLAGS%",
		"upstream_cluster": "%UPSTREAM_CLUSTER_RAW%", "route_name": "%ROUTE_NAME%", "request_id": "%REQ(X-REQUEST-ID)%", "mixed": "a%PROTOCOL%b",
	}})
	if err != nil {
		t.Fatal(err)
	}
	got, ours, err := r.Read([]byte(`{"start_time":"2026-11-21T17:31:19.330Z","duration":200,"response_code":500,"response_flags":"DI,FI","upstream_cluster":"outbound|9080||ratings.mc.svc.cluster.local","route_name":null,"request_id":"7","mixed":"aHTTP/1.1b","other":1}`))
	want := LogEntry{Started: at("2026-11-21T17:31:19.330Z"), Duration: 200 * time.Millisecond, Status: 500, Flags: []string{"DI", "FI"}, Cluster: "outbound|9080||ratings.mc.svc.cluster.local", RequestID: "7"}
	if err != nil || !ours {
		t.Fatalf("ours %v, error %v", ours, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, ours, err := r.Read([]byte(`{"level":"info","time":"2026-11-21T17:31:19.330Z","msg":"x"}`)); ours || err != nil {
		t.Errorf("a line of the agent: ours %v, error %v", ours, err)
	}
}

func TestLinesOfOthersAreToldFromBrokenOnes(t *testing.T) {
	r, err := NewLogReader(LogFormat{Text: istioFormat})
	if err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]struct{ ours, broken bool }{
		"2026-11-21T17:31:13.142415Z	info	ads	ADS: new connection for node:18": {},
		"[2026-11-21 17:31:13.142][15][warning][config] a line of Envoy's own": {broken: true},
		"": {},
		`[2026-11-21T17:31:19.330Z] "GET /ratings/0 HT`:                                                                        {ours: true, broken: true},
		`[2026-11-21T17:31:19.330Z] "GET / HTTP/1.1" five - - - "-" 0 18 0 - "-" "-" "-" "-" "-" - - - - - -`:                  {ours: true, broken: true},
		`[2026-11-21T17:31:19.330Z] "GET / HTTP/1.1" 200 - - - "-" 0 18 9223372036854775807 - "-" "-" "-" "-" "-" - - - - - -`: {ours: true, broken: true},
	} {
		_, ours, err := r.Read([]byte(line))
		if ours != want.ours || (err != nil) != want.broken {
			t.Errorf("%q: ours %v, error %v", line, ours, err)
		}
	}
}

func TestAFormatThatLacksWhatIsNeededIsRefusedByName(t *testing.T) {
	_, err := NewLogReader(LogFormat{Text: strings.ReplaceAll(strings.ReplaceAll(istioFormat, " %ROUTE_NAME%", ""), "%RESPONSE_FLAGS% ", "")})
	if err == nil || !strings.Contains(err.Error(), "%RESPONSE_FLAGS%, %ROUTE_NAME%") {
		t.Errorf("the error is %v", err)
	}
	if _, err := NewLogReader(LogFormat{}); err == nil {
		t.Error("a format without any operator was taken")
	}
	if _, err := NewLogReader(LogFormat{Text: `%START_TIME(%s.%3f)% 100%% ` + istioFormat}); err != nil {
		t.Errorf("a format with an operator in brackets and a percent sign: %v", err)
	}
}
