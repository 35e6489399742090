package admin

import (
	"bufio"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	telemetry "istio.io/api/telemetry/v1alpha1"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/sidecar"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

// The admin interface has the log too, and the dump says that there is one, as
// Istio's does.
func TestATelemetryObjectTurnsTheAccessLogOn(t *testing.T) {
	on := &rules.Object{Ref: rules.Ref{Kind: rules.Telemetry, Namespace: "default", Name: "logs"}, Spec: sidecartest.Spec(t, &telemetry.Telemetry{}, `{"accessLogging":[{"providers":[{"name":"envoy"}]}]}`)}
	shared := config.Mesh{Services: []config.Service{sidecartest.Service("web", 8000, false, sidecartest.Endpoint("web", "v1", sidecartest.Serve(t, sidecartest.Answering("hello")))), sidecartest.TCPEcho(t)}, NoAccessLog: true}
	m := startMesh(t, sidecar.Options{}, shared.Services)
	for _, tt := range []struct {
		objects []*rules.Object
		want    int
	}{{nil, 0}, {[]*rules.Object{on}, 1}, {nil, 1}} {
		cfg, err := sidecar.Compile(shared, tt.objects)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Push(cfg); err != nil {
			t.Fatal(err)
		}
		m.get("http://web:8000/")
		if got := strings.Count(m.adminGet("/access_log"), "GET / "); got != tt.want {
			t.Errorf("with %v: %d lines", tt.objects, got)
		}
		dump := m.adminGet("/config_dump?resource=dynamic_listeners")
		for i, filter := range []string{"http_connection_manager", "tcp_proxy"} {
			listener := []any{"configs", i, "active_state", "listener"}
			manager := slices.Concat(listener, []any{"filter_chains", 0, "filters", 0})
			if name := at(t, dump, slices.Concat(manager, []any{"name"})...); name != "envoy.filters.network."+filter {
				t.Fatalf("filter %v", name)
			}
			if len(tt.objects) == 0 {
				if log := at(t, dump, slices.Concat(manager, []any{"typed_config", "access_log"})...); log != nil {
					t.Errorf("an access log: %v", log)
				}
				continue
			}
			log := slices.Concat(manager, []any{"typed_config", "access_log", 0})
			want(t, dump, `"envoy.access_loggers.file"`, slices.Concat(log, []any{"name"})...)
			want(t, dump, `"/dev/stdout"`, slices.Concat(log, []any{"typed_config", "path"})...)
			if format := at(t, dump, slices.Concat(log, []any{"typed_config", "log_format", "text_format_source", "inline_string"})...); format != sidecar.AccessLogFormat {
				t.Errorf("the format is %q", format)
			}
			want(t, dump, `{"response_flag_filter":{"flags":["NR"]}}`, slices.Concat(listener, []any{"access_log", 0, "filter"})...)
		}
	}
}

// The admin interface's own page goes on as lines come.
func TestTheAdminInterfaceFollowsTheLog(t *testing.T) {
	m := startMesh(t, sidecar.Options{}, []config.Service{sidecartest.Service("web", 8000, false, sidecartest.Endpoint("web", "v1", sidecartest.Serve(t, sidecartest.Answering("hello"))))})
	resp, err := http.Get("http://" + m.admin.Address() + "/access_log?follow")
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer resp.Body.Close()
	log := bufio.NewReader(resp.Body)
	for _, path := range []string{"/one", "/two"} {
		m.get("http://web:8000" + path)
		if got := sidecartest.Line(t, log); !strings.Contains(got, "GET "+path+" ") {
			t.Errorf("got %s want %s", got, path)
		}
	}
}

// Whoever reads a real mesh's log reads this one: the format that /config_dump
// names is that of the lines.
func TestTheLogIsReadAsAnEnvoysIs(t *testing.T) {
	m := startMesh(t, sidecar.Options{}, []config.Service{sidecartest.Reviews(t)},
		sidecartest.VirtualService(t, "reviews", `{"hosts":["reviews"],"http":[{"name":"the-mark","fault":{"abort":{"httpStatus":503,"percentage":{"value":100}}},"route":[{"destination":{"host":"reviews"}}]}]}`))
	followed, err := m.FollowLog(t.Context(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	defer followed.Close()
	m.get("http://reviews:9080/reviews/0", "X-Request-Id", "one")
	client := &http.Client{}
	defer client.CloseIdleConnections()
	logs, err := (&envoy.Admin{Client: client, Base: "http://" + m.admin.Address()}).AccessLogs(t.Context(), "0.0.0.0_9080")
	if err != nil || len(logs) != 1 || logs[0].Path != envoy.Stdout || logs[0].Filtered {
		t.Fatalf("%v %+v", err, logs)
	}
	reader, err := envoy.NewLogReader(logs[0].Format)
	if err != nil {
		t.Fatal(err)
	}
	entry, ours, err := reader.Read([]byte(sidecartest.Line(t, bufio.NewReader(followed))))
	if err != nil || !ours || time.Since(entry.Started) > time.Minute {
		t.Fatalf("%v %v %+v", err, ours, entry)
	}
	if !strings.HasPrefix(entry.From, "127.0.0.1:") {
		t.Errorf("the request came from %q", entry.From)
	}
	entry.Started, entry.Duration, entry.From = time.Time{}, 0, ""
	want := envoy.LogEntry{Method: "GET", Path: "/reviews/0", Authority: "reviews:9080", Status: 503, Flags: []string{"FI"}, Details: "fault_filter_abort",
		RequestID: "one", Cluster: "outbound|9080||reviews.default.svc.cluster.local", Route: "the-mark"}
	if diff := cmp.Diff(want, entry); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
