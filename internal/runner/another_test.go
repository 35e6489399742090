package runner

import (
	"fmt"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/internal/mesh"
)

func TestAServiceOfNoNearNameMayBeInAnotherNamespace(t *testing.T) {
	have := []mesh.Service{{Name: "ratings", Host: "ratings.shop.svc.cluster.local"}}
	for _, row := range []struct {
		site there
		name string
		want string
	}{
		{there{namespace: "shop", services: have}, "productpage", "one of ratings; is it in another namespace (--namespace)?"},
		{there{namespace: "shop"}, "productpage", "there is none; is it in another namespace (--namespace)?"},
		{there{namespace: "shop", services: have}, "rating", "did you mean ratings?"},
		{there{namespace: "shop", services: have, closed: true}, "productpage", "one of ratings"},
	} {
		if _, err := row.site.service(row.name + ".shop.svc.cluster.local"); err == nil || !strings.HasSuffix(err.Error(), fmt.Sprintf("has no service %q; %s", row.name, row.want)) {
			t.Errorf("%s among %d services: %v, want %s", row.name, len(row.site.services), err, row.want)
		}
	}
}
