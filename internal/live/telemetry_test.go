package live

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/wrapperspb"
	telemetry "istio.io/api/telemetry/v1alpha1"
	typev1beta1 "istio.io/api/type/v1beta1"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// logging is a Telemetry that has the workloads with the labels log to stdout.
func logging(labels map[string]string) *rules.Object {
	spec := &telemetry.Telemetry{AccessLogging: []*telemetry.AccessLogging{{Providers: []*telemetry.ProviderRef{{Name: "envoy"}}}}}
	if labels != nil {
		spec.Selector = &typev1beta1.WorkloadSelector{MatchLabels: labels}
	}
	return object(rules.Telemetry, "log", spec)
}

// listeners serves a dump of listeners, with their logs as they are or without.
func listeners(t *testing.T, logs bool) *envoy.Admin {
	text, err := os.ReadFile("../envoy/testdata/logging_listeners.json")
	if err != nil {
		t.Fatal(err)
	}
	if !logs {
		text = []byte(strings.ReplaceAll(string(text), `"access_log"`, `"no_log"`))
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if names := r.FormValue("name_regex"); names != `virtualInbound|.*_(?:8000|9000)` && names != "" {
			t.Errorf("asked for the listeners %s", names)
		}
		_, _ = w.Write(text)
	}))
	t.Cleanup(server.Close)
	return &envoy.Admin{Client: server.Client(), Base: server.URL}
}

// none is a proxy's without any listener.
func none(t *testing.T) *envoy.Admin {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"configs": []}`))
	}))
	t.Cleanup(server.Close)
	return &envoy.Admin{Client: server.Client(), Base: server.URL}
}

func TestALogIsOnWhenEverySidecarThatItConcernsWritesIt(t *testing.T) {
	ratings := func(logs bool) mesh.Proxy {
		return mesh.Proxy{Name: "ratings", Namespace: "shop", Labels: map[string]string{"app": "ratings", "team": "a"}, Admin: listeners(t, logs)}
	}
	reviews := func(logs bool) mesh.Proxy {
		return mesh.Proxy{Name: "reviews", Namespace: "shop", Labels: map[string]string{"app": "reviews"}, Admin: listeners(t, logs)}
	}
	gateway := func(logs bool) mesh.Proxy {
		return mesh.Proxy{Name: "gateway", Namespace: "front", Labels: rules.IngressGateway(), Gateway: true, Admin: listeners(t, logs)}
	}
	silent := gateway(false)
	silent.Admin = none(t)
	atGateway := logging(rules.IngressGateway())
	atGateway.Namespace = "front"
	app, other := map[string]string{"app": "ratings"}, map[string]string{"team": "a"}
	filtered := logging(nil)
	filtered.Spec.(*telemetry.Telemetry).AccessLogging[0].Filter = &telemetry.AccessLogging_Filter{Expression: "response.code >= 400"}
	for name, test := range map[string]struct {
		proxies []mesh.Proxy
		change  rules.Change
		in      string
		err     string
	}{
		"all log":                           {[]mesh.Proxy{ratings(true), reviews(true)}, rules.Change{After: logging(nil)}, "ratings reviews", ""},
		"one does not":                      {[]mesh.Proxy{ratings(true), reviews(false)}, rules.Change{After: logging(nil)}, "", "reviews: its listener"},
		"one that is not selected does not": {[]mesh.Proxy{ratings(true), reviews(false)}, rules.Change{After: logging(app)}, "ratings", ""},
		"one that another label leaves out": {[]mesh.Proxy{ratings(true), reviews(false)}, rules.Change{After: logging(other)}, "ratings", ""},
		"none does":                         {[]mesh.Proxy{ratings(false)}, rules.Change{After: logging(other)}, "", "ratings: its listener"},
		"none is selected":                  {[]mesh.Proxy{reviews(true)}, rules.Change{After: logging(other)}, "", "no proxy has anything for it"},
		"one of another namespace":          {[]mesh.Proxy{ratings(true), gateway(false)}, rules.Change{After: logging(nil)}, "ratings", ""},
		"a gateway's":                       {[]mesh.Proxy{ratings(false), gateway(true)}, rules.Change{After: atGateway}, "gateway", ""},
		"a gateway that does not":           {[]mesh.Proxy{ratings(true), gateway(false)}, rules.Change{After: atGateway}, "", "gateway: its listener"},
		"a gateway without a listener":      {[]mesh.Proxy{ratings(false), silent}, rules.Change{After: atGateway}, "", ""},
		"a gateway's, undone":               {[]mesh.Proxy{gateway(true)}, rules.Change{Before: atGateway}, "", "still logs to /dev/stdout"},
		"undone":                            {[]mesh.Proxy{ratings(false), reviews(true)}, rules.Change{Before: logging(app)}, "ratings", ""},
		"not undone":                        {[]mesh.Proxy{ratings(true)}, rules.Change{Before: logging(nil)}, "", "still logs to /dev/stdout"},
		"a change that tells nothing":       {[]mesh.Proxy{ratings(true)}, rules.Change{Before: logging(nil), After: logging(app)}, "", "cannot be seen"},
		"a filter is no log of all":         {[]mesh.Proxy{ratings(true)}, rules.Change{Before: filtered, After: filtered}, "", "cannot be seen"},
	} {
		t.Run(name, func(t *testing.T) {
			limit := soon
			if test.err != "" {
				limit = never
			}
			in, err := waitFor(t.Context(), test.proxies, test.change, "", limit)
			if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
				t.Errorf("error %v; want %q", err, test.err)
			}
			if strings.Join(in, " ") != test.in {
				t.Errorf("in %v; want %s", in, test.in)
			}
		})
	}
}

// A mesh may log what comes in and not what goes out, by entries for each mode or
// for one alone, which leaves the other to the mesh.
func TestALogOfOneModeIsSeenByItsListeners(t *testing.T) {
	entry := func(mode telemetry.WorkloadMode, disabled bool) *telemetry.AccessLogging {
		l := &telemetry.AccessLogging{
			Match:     &telemetry.AccessLogging_LogSelector{Mode: mode},
			Providers: []*telemetry.ProviderRef{{Name: "envoy"}},
		}
		if disabled {
			l.Disabled = wrapperspb.Bool(true)
		}
		return l
	}
	saying := func(entries ...*telemetry.AccessLogging) *rules.Object {
		return object(rules.Telemetry, "log", &telemetry.Telemetry{AccessLogging: entries})
	}
	proxy := func(in, out bool) []mesh.Proxy {
		log := map[bool]string{true: `"access_log": [{"name": "envoy.access_loggers.file", "typed_config": {"path": "/dev/stdout"}}]`}
		const manager = `{"name": %q, "active_state": {"listener": {"filter_chains": [{"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": {%s}}]}]}}}`
		text := fmt.Sprintf(`{"configs": [`+manager+`, `+manager+`]}`, "virtualInbound", log[in], "0.0.0.0_8000", log[out])
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }))
		t.Cleanup(server.Close)
		return []mesh.Proxy{{Name: "ratings", Namespace: "shop", Admin: &envoy.Admin{Client: server.Client(), Base: server.URL}}}
	}
	const in, out = telemetry.WorkloadMode_SERVER, telemetry.WorkloadMode_CLIENT
	ours, onlyIn := logging(nil), saying(entry(in, false))
	noneOut, split := saying(entry(out, true)), saying(entry(in, false), entry(out, true))
	for name, test := range map[string]struct {
		proxies       []mesh.Proxy
		before, after *rules.Object
		err           string
	}{
		"what goes out is logged as well":              {proxy(true, true), onlyIn, ours, ""},
		"and is not yet":                               {proxy(true, false), split, ours, "0.0.0.0_8000 does not log"},
		"undone, what comes in is logged as before":    {proxy(true, false), ours, onlyIn, ""},
		"undone, with an entry for each":               {proxy(true, false), ours, split, ""},
		"not undone":                                   {proxy(true, true), ours, split, "0.0.0.0_8000 still logs"},
		"what comes in is lost":                        {proxy(false, false), ours, split, "virtualInbound does not log"},
		"undone, what comes in is left to the mesh":    {proxy(true, false), ours, noneOut, ""},
		"undone, what comes in is not logged either":   {proxy(false, false), ours, noneOut, ""},
		"an entry after it takes it back":              {proxy(false, false), ours, saying(entry(in, false), entry(in, true), entry(out, true)), ""},
		"not undone where what comes in is left alone": {proxy(true, true), ours, noneOut, "0.0.0.0_8000 still logs"},
	} {
		t.Run(name, func(t *testing.T) {
			limit := soon
			if test.err != "" {
				limit = never
			}
			_, err := waitFor(t.Context(), test.proxies, rules.Change{Before: test.before, After: test.after}, "", limit)
			if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
				t.Errorf("error %v; want %q", err, test.err)
			}
		})
	}
}
