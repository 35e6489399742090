package mesh_test

import (
	"slices"
	"testing"

	"github.com/meshchaos/meshchaos/internal/mesh"
)

func TestACohortEntersByOneKindOfProxy(t *testing.T) {
	proxies := []mesh.Proxy{
		{Name: "gateway", Gateway: true}, {Name: "page-v1", Workload: "page-v1"},
		{Name: "ours", Client: true}, {Name: "as page-v1", Client: true, Borrows: "page-v1"}, {Name: "as page-v2", Client: true, Borrows: "page-v2"},
	}
	for from, want := range map[string]string{
		mesh.FromClient: "ours", mesh.FromGateway: "gateway", "page-v1": "as page-v1", "page-v2": "as page-v2", "page-v3": "",
	} {
		var entered []string
		for _, p := range proxies {
			if (mesh.Cohort{From: from}).Enters(p) {
				entered = append(entered, p.Name)
			}
		}
		if want == "" && len(entered) > 0 || want != "" && !slices.Equal(entered, []string{want}) {
			t.Errorf("from %s it enters by %q, want %q", from, entered, want)
		}
	}
}
