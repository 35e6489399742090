package config_test

import (
	"net/http"
	"testing"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/sidecar"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

// Each of several values is compared by itself, and withoutHeaders takes a header
// that is missing for an empty one.
func TestHeaderMatches(t *testing.T) {
	for _, tt := range []struct {
		match string
		x     []string
		want  bool
	}{
		{`{"headers":{"x":{"exact":"admin"}}}`, []string{"user", "admin"}, true},
		{`{"headers":{"x":{"exact":"user,admin"}}}`, []string{"user", "admin"}, false},
		{`{"headers":{"x":{"exact":"user,admin"}}}`, []string{"user,admin"}, true},
		{`{"headers":{"x":{}}}`, []string{""}, true},
		{`{"headers":{"x":{"regex":".*"}}}`, nil, false},
		{`{"withoutHeaders":{"x":{"exact":"admin"}}}`, []string{"user", "admin"}, false},
		{`{"withoutHeaders":{"x":{"exact":"admin"}}}`, []string{"user"}, true},
		{`{"withoutHeaders":{"x":{"exact":"admin"}}}`, nil, true},
		{`{"withoutHeaders":{"x":{"regex":".*"}}}`, nil, false},
		{`{"withoutHeaders":{"x":{}}}`, nil, true},
		{`{"withoutHeaders":{"x":{}}}`, []string{"any"}, false},
		{`{"withoutHeaders":{"x":{"regex":"*"}}}`, nil, true},
		{`{"withoutHeaders":{"x":{"regex":"*"}}}`, []string{"any"}, false},
	} {
		cfg, err := sidecar.Compile(config.Mesh{Services: []config.Service{sidecartest.Service("web", 8000, false)}}, []*rules.Object{
			sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[{"match":[`+tt.match+`],"route":[{"destination":{"host":"web"}}]}]}`)})
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequest(http.MethodGet, "http://web/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header["X"] = tt.x
		if route := cfg.HTTP[8000].VirtualHosts[0].Route(r); (route != nil) != tt.want {
			t.Errorf("%s of %q: %v", tt.match, tt.x, !tt.want)
		}
	}
}
