package evidence

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
)

// keeping is a proxy whose bootstrap has it keep the stats with a prefix.
func keeping(t *testing.T, prefix string) mesh.Proxy {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/config_dump" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprintf(w, `{"configs":[{"bootstrap":{"stats_config":{"stats_matcher":{"inclusion_list":{"patterns":[{"prefix":%q}]}}}}}]}`, prefix)
	}))
	t.Cleanup(s.Close)
	return mesh.Proxy{Name: prefix, Admin: &envoy.Admin{Client: s.Client(), Base: s.URL}}
}

func TestAQuantityThatEveryProxyDropsHasNoSource(t *testing.T) {
	services := []mesh.Service{{Name: "ratings", Host: "ratings.shop.svc.cluster.local", Ports: []mesh.Port{{Number: 9080}}}}
	drops, keeps := keeping(t, "server"), keeping(t, "cluster.outbound")
	mute := mesh.Proxy{Admin: &envoy.Admin{Client: http.DefaultClient, Base: "http://127.0.0.1:1"}}
	for name, test := range map[string]struct {
		need    check.Need
		proxies []mesh.Proxy
		called  []string
		want    bool // that there is none
	}{
		"all drop it":              {need: check.Need{Function: "retryOverflows", Args: []string{"ratings"}}, proxies: []mesh.Proxy{drops, drops}, want: true},
		"one keeps it":             {need: check.Need{Function: "retryOverflows", Args: []string{"ratings"}}, proxies: []mesh.Proxy{drops, keeps}},
		"the load calls it":        {need: check.Need{Function: "retryOverflows", Args: []string{"ratings"}}, proxies: []mesh.Proxy{drops}, called: []string{services[0].Host}},
		"one cannot be asked":      {need: check.Need{Function: "retryOverflows", Args: []string{"ratings"}}, proxies: []mesh.Proxy{mute, drops}},
		"no proxy is known":        {need: check.Need{Function: "retryOverflows", Args: []string{"ratings"}}},
		"what others show as well": {need: check.Need{Function: "overflows", Args: []string{"ratings"}}, proxies: []mesh.Proxy{drops}},
	} {
		t.Run(name, func(t *testing.T) {
			why := Sourceless(t.Context(), test.need, services, test.proxies, test.called)
			if (why != "") != test.want || test.want && !strings.Contains(why, "annotate the pods that call it with proxy.istio.io/config") {
				t.Errorf("it says %q", why)
			}
		})
	}
}
