package evidence

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
)

// istioFormat is Istio's default, as a proxy's configuration has it.
const istioFormat = "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% \"%UPSTREAM_TRANSPORT_FAILURE_REASON%\" %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%\n"

const (
	webEndpoint = "10.244.0.2:8080"
	webMark     = "meshchaos-7f3a-1-0-0"
	otherMark   = "meshchaos-7f3a-1-1-0"
)

// loadStart is when the load of a test began, by the mesh's clock, which is days
// apart from this machine's.
var loadStart = time.Date(2026, 3, 4, 5, 6, 7, 891234567, time.UTC)

// entry is a request to web, answered by its endpoint, that began some
// milliseconds after the load did.
func entry(ms int, bend ...func(*envoy.LogEntry)) envoy.LogEntry {
	e := envoy.LogEntry{
		Started: loadStart.Add(time.Duration(ms) * time.Millisecond).Truncate(time.Millisecond), Duration: 3 * time.Millisecond,
		Method: "GET", Path: "/", Authority: "web:8000", Status: 200, Upstream: webEndpoint, Cluster: webCluster.String(), Route: "default",
	}
	for _, b := range bend {
		b(&e)
	}
	return e
}

func flagged(flags ...string) func(*envoy.LogEntry) {
	return func(e *envoy.LogEntry) { e.Flags = flags }
}

func by(route string) func(*envoy.LogEntry) { return func(e *envoy.LogEntry) { e.Route = route } }

// nowhere is of a request that no endpoint got.
func nowhere(e *envoy.LogEntry) { e.Upstream, e.Status = "", 503 }

func times(n int, e envoy.LogEntry) []envoy.LogEntry {
	var all []envoy.LogEntry
	for range n {
		all = append(all, e)
	}
	return all
}

// text is the line that a proxy writes of a request.
func text(e envoy.LogEntry) string {
	dash := func(s string) string {
		if s == "" {
			return "-"
		}
		return s
	}
	return fmt.Sprintf("[%s] \"%s %s HTTP/1.1\" %d %s via_upstream - \"-\" 0 48 %d 1 \"-\" \"curl/7.88.1\" \"%s\" \"%s\" \"%s\" %s - 10.96.0.1:8000 10.244.0.1:34116 - %s\n",
		e.Started.Format("2006-01-02T15:04:05.000Z"), e.Method, e.Path, e.Status, dash(strings.Join(e.Flags, ",")), e.Duration.Milliseconds(),
		dash(e.RequestID), e.Authority, dash(e.Upstream), dash(e.Cluster), dash(e.Route))
}

// logger is an access logger of a listener.
type logger struct {
	path     string
	format   map[string]any
	filtered bool
}

// loggingProxy is a proxy whose listener logs as said, into a pipe.
func loggingProxy(t testing.TB, name string, loggers ...logger) (mesh.Proxy, *io.PipeWriter) {
	t.Helper()
	var logs []map[string]any
	for _, l := range loggers {
		log := map[string]any{"name": "envoy.access_loggers.file", "typed_config": map[string]any{"path": l.path, "log_format": l.format}}
		if l.filtered {
			log["filter"] = map[string]any{"status_code_filter": map[string]any{}}
		}
		logs = append(logs, log)
	}
	filter := map[string]any{"name": "envoy.filters.network.http_connection_manager", "typed_config": map[string]any{"access_log": logs}}
	listener := map[string]any{"name": "0.0.0.0_8000", "active_state": map[string]any{"listener": map[string]any{"filter_chains": []any{map[string]any{"filters": []any{filter}}}}}}
	answer, err := json.Marshal(map[string]any{"configs": []any{listener}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(answer) }))
	t.Cleanup(server.Close)
	read, write := io.Pipe()
	return mesh.Proxy{
		Name: name, Workload: name, Address: "10.244.0.1",
		Admin: &envoy.Admin{Client: server.Client(), Base: server.URL},
		Log:   func(context.Context, time.Time) (io.ReadCloser, error) { return read, nil },
	}, write
}

func textLogger(path, format string) logger {
	return logger{path: path, format: map[string]any{"text_format_source": map[string]any{"inline_string": format}}}
}

func all(logged) bool { return true }

// followed follows the log of one proxy, which says what is written.
func followed(t *testing.T, write string, loggers ...logger) *proxyLog {
	t.Helper()
	proxy, log := loggingProxy(t, "caller", loggers...)
	l := new(Logging).Follow(t.Context(), []mesh.Proxy{proxy}, shop, time.Second)
	t.Cleanup(l.Close)
	if write != "" {
		if _, err := io.WriteString(log, write); err != nil {
			t.Fatal(err)
		}
	}
	l.Begin(loadStart, &Snapshot{})
	return l.of("caller")
}

func TestALogIsReadInTheFormatsOfItsListeners(t *testing.T) {
	const own = "%ROUTE_NAME%;%START_TIME%;%DURATION%;%RESPONSE_CODE%;%RESPONSE_FLAGS%;%UPSTREAM_CLUSTER_RAW%;%UPSTREAM_HOST%\n"
	line := text(entry(5, flagged("DI")))
	inJSON := logger{path: envoy.Stdout, format: map[string]any{"json_format": map[string]any{
		"start_time": "%START_TIME%", "duration": "%DURATION%", "response_code": "%RESPONSE_CODE%", "response_flags": "%RESPONSE_FLAGS%",
		"upstream_cluster": "%UPSTREAM_CLUSTER_RAW%", "route_name": "%ROUTE_NAME%", "upstream_host": "%UPSTREAM_HOST%",
	}}}
	for name, one := range map[string]struct {
		loggers []logger
		written string
		want    uint64
	}{
		"Istio's":                {[]logger{textLogger(envoy.Stdout, istioFormat)}, line + line, 2},
		"among lines of Envoy's": {[]logger{textLogger(envoy.Stdout, istioFormat)}, "2026-11-21T17:31:13Z\tinfo\tads\tconnected\n" + line + "[2026-11-21 17:31:13.142][15][warning] x\n", 1},
		"of its own":             {[]logger{textLogger(envoy.Stdout, own)}, "default;2026-03-04T05:06:08.000Z;3;200;DI;outbound|8000||web.shop.svc.cluster.local;-\n", 1},
		"JSON":                   {[]logger{inJSON}, `{"start_time":"2026-03-04T05:06:08.000Z","duration":3,"response_code":200,"response_flags":"DI","upstream_cluster":"x","route_name":null}` + "\n" + `{"level":"info"}` + "\n", 1},
		"two files":              {[]logger{textLogger("/var/log/x", "%START_TIME%"), textLogger(envoy.Stdout, istioFormat)}, line, 1},
	} {
		t.Run(name, func(t *testing.T) {
			p := followed(t, one.written, one.loggers...)
			eventually(t, p, one.want)
		})
	}
}

// eventually waits until a log has so many requests with the flag DI.
func eventually(t *testing.T, p *proxyLog, want uint64) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		n, why := p.began(func(k logged) bool { return k.flagged("DI") })
		if why == nil && n == want {
			return
		}
		if why != nil || time.Now().After(deadline) {
			t.Fatalf("%d requests, %v; want %d", n, why, want)
		}
		_ = pauseUntil(t.Context(), time.Now().Add(time.Millisecond))
	}
}

func TestALogThatIsNoEvidenceSaysWhy(t *testing.T) {
	stdout := textLogger(envoy.Stdout, istioFormat)
	filtered := stdout
	filtered.filtered = true
	line := text(entry(5))
	for name, one := range map[string]struct {
		loggers []logger
		written string
		want    string
	}{
		"none is written":             {nil, "", "0.0.0.0_8000 writes none"},
		"elsewhere":                   {[]logger{textLogger("/var/log/envoy.log", istioFormat)}, "", "writes it to /var/log/envoy.log"},
		"filtered":                    {[]logger{filtered}, "", "leaves some requests out by a filter"},
		"twice, one of them filtered": {[]logger{filtered, stdout}, "", "writes 2 lines of each request"},
		"a format that lacks flags":   {[]logger{textLogger(envoy.Stdout, strings.ReplaceAll(istioFormat, "%RESPONSE_FLAGS%", "x"))}, "", "lacks %RESPONSE_FLAGS%"},
		"a line in the middle":        {[]logger{stdout}, line + line[:40] + "\n", "ends before"},
		"a header with quotes":        {[]logger{stdout}, strings.Replace(line, "curl/7.88.1", `a" "b`, 1), "upstream cluster"},
		"JSON that was cut off":       {[]logger{{path: envoy.Stdout, format: map[string]any{"json_format": jsonFormat()}}}, `{"start_time":"2026-03-04T05:0` + "\n", "begins as JSON"},
		"a line without an end":       {[]logger{stdout}, strings.Repeat("x", maxLine+1), "too long"},
	} {
		t.Run(name, func(t *testing.T) {
			p := followed(t, "", one.loggers...)
			if one.written != "" {
				proxy, log := loggingProxy(t, "caller", one.loggers...)
				l := new(Logging).Follow(t.Context(), []mesh.Proxy{proxy}, shop, time.Second)
				_, _ = io.WriteString(log, one.written) // ends when the reader gives up
				l.reading.Wait()
				l.Close()
				p = l.of("caller")
			}
			if why := p.problem(); why == nil || !strings.Contains(why.Error(), one.want) {
				t.Errorf("it says %v; want %q", why, one.want)
			}
		})
	}
}

func jsonFormat() map[string]any {
	return map[string]any{"start_time": "%START_TIME%", "d": "%DURATION%", "c": "%RESPONSE_CODE%", "f": "%RESPONSE_FLAGS%", "u": "%UPSTREAM_CLUSTER_RAW%", "r": "%ROUTE_NAME%"}
}

func TestALogThatEndsByItselfIsNoEvidence(t *testing.T) {
	for name, end := range map[string]error{"with an error": errors.New("rotated away"), "without": io.EOF} {
		proxy, log := loggingProxy(t, "caller", textLogger(envoy.Stdout, istioFormat))
		l := new(Logging).Follow(t.Context(), []mesh.Proxy{proxy}, shop, time.Second)
		if _, err := io.WriteString(log, text(entry(5))); err != nil {
			t.Fatal(err)
		}
		log.CloseWithError(end)
		l.reading.Wait()
		l.Close()
		if _, why := l.of("caller").began(all); why == nil {
			t.Errorf("%s: it is taken for evidence", name)
		}
	}
}

func TestClosingALogIsNoProblemOfIt(t *testing.T) {
	proxy, log := loggingProxy(t, "caller", textLogger(envoy.Stdout, istioFormat))
	l := new(Logging).Follow(t.Context(), []mesh.Proxy{proxy, {Name: "silent", Admin: proxy.Admin}}, shop, time.Second)
	if _, err := io.WriteString(log, text(entry(5))); err != nil {
		t.Fatal(err)
	}
	l.Close()
	if why := l.of("caller").problem(); why != nil {
		t.Errorf("it says %v", why)
	}
	if why := l.of("silent").problem(); why == nil || !strings.Contains(why.Error(), "no access to it") {
		t.Errorf("a proxy without a log says %v", why)
	}
}

func TestTheEndOfTheRunEndsTheOpening(t *testing.T) {
	proxy, _ := loggingProxy(t, "caller", textLogger(envoy.Stdout, istioFormat))
	ctx, cancel := context.WithCancel(t.Context())
	proxy.Log = func(ctx context.Context, _ time.Time) (io.ReadCloser, error) {
		cancel()
		<-ctx.Done()
		return nil, ctx.Err()
	}
	l := new(Logging).Follow(ctx, []mesh.Proxy{proxy}, shop, time.Second)
	defer l.Close()
	if why := l.of("caller").problem(); !errors.Is(why, context.Canceled) {
		t.Errorf("it says %v", why)
	}
}

func TestRequestsOfTheNextLoadDoNotCount(t *testing.T) {
	proxy, log := loggingProxy(t, "caller", textLogger(envoy.Stdout, istioFormat))
	l := new(Logging).Follow(t.Context(), []mesh.Proxy{proxy}, shop, time.Second)
	t.Cleanup(l.Close)
	l.Begin(loadStart, &Snapshot{})
	l.Until(loadStart.Add(time.Second))
	for _, at := range []int{1000, 999, 1001, 60_000, 5} { // the last shows that all were read
		if _, err := io.WriteString(log, text(entry(at, flagged("DI")))); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, l.of("caller"), 2)
}
