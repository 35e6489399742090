package evidence

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// sending is a proxy that has a copy wait for a connection until then; without a
// gauge if it keeps none.
func sending(until time.Time, gauge bool) mesh.Proxy {
	return mesh.Proxy{Name: "caller", Admin: &envoy.Admin{Base: "http://admin", Client: &http.Client{Transport: inProcess(func(w http.ResponseWriter, r *http.Request) {
		pending, sent := 0, 20
		if time.Now().Before(until) {
			pending, sent = 1, 19
		}
		answer := `{"stats":[]}`
		switch {
		case strings.HasPrefix(r.URL.Path, "/clusters"):
			answer = fmt.Sprintf(`{"cluster_statuses":[{"name":"outbound|8000|v2|web.shop.svc.cluster.local","host_statuses":[{"address":{"socket_address":{"address":"10.0.0.1","port_value":80}},"stats":[{"name":"rq_total","value":"%d"}]}]}]}`, sent)
		case gauge:
			answer = fmt.Sprintf(`{"stats":[{"name":"cluster.outbound|8000|v2|web.shop.svc.cluster.local;.upstream_rq_pending_active","value":%d}]}`, pending)
		}
		_, _ = w.Write([]byte(answer))
	})}}}
}

func TestAWindowHasSettledWhenTheCopiesAreWithTheirEndpoints(t *testing.T) {
	to := &networking.Destination{Host: "web", Subset: "v2"}
	one := &networking.HTTPRoute{Mirror: to}
	several := &networking.HTTPRoute{Mirrors: []*networking.HTTPMirrorPolicy{{Destination: to}}}
	for name, row := range map[string]struct {
		entry       *networking.HTTPRoute
		held        time.Duration // since the load ended
		gauge       bool
		least, most time.Duration
	}{
		"nothing is mirrored":          {&networking.HTTPRoute{}, time.Second, true, 0, 0},
		"all are there":                {one, 0, true, 0, 100 * time.Millisecond},
		"one waits for its connection": {one, time.Second, true, time.Second, 1200 * time.Millisecond},
		"of several mirrors":           {several, time.Second, true, time.Second, 1200 * time.Millisecond},
		"no proxy keeps count":         {one, 30 * time.Millisecond, false, 30 * time.Millisecond, 200 * time.Millisecond},
		"it waits for longer":          {one, time.Minute, true, lateness, lateness + 100*time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ended := time.Now()
				objects := []*rules.Object{{Spec: &networking.VirtualService{Http: []*networking.HTTPRoute{row.entry}}}}
				if err := AwaitMirrored(t.Context(), []mesh.Proxy{sending(ended.Add(row.held), row.gauge)}, objects); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(ended); took < row.least || took > row.most {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}
