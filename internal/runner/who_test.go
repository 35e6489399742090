package runner_test

import (
	"os"
	"os/user"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/internal/mesh"
)

// placed is a mesh that says which cluster it is.
type placed struct{ mesh.Mesh }

// Info implements mesh.Mesh.
func (m placed) Info() mesh.Info {
	info := m.Mesh.Info()
	info.Context, info.Server, info.Account = "of-shop", "api.example:6443", "system:serviceaccount:shop:meshchaos"
	return info
}

func TestARecordSaysWhoRanItAndWhere(t *testing.T) {
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	record := run(t.Context(), t, placed{open(t)}, short, nil)
	if record.Who == nil || record.Who.User != me.Username || record.Who.Host != host {
		t.Errorf("it was run by %+v, want %s on %s", record.Who, me.Username, host)
	}
	if got := record.Mesh; got.Context != "of-shop" || got.Server != "api.example:6443" || got.Account != "system:serviceaccount:shop:meshchaos" {
		t.Errorf("it was run on %+v", got)
	}
}

// TestASecretIsMaskedInWhoRanItToo: as where the account is named after a tenant.
func TestASecretIsMaskedInWhoRanItToo(t *testing.T) {
	text := strings.Replace(short, "connections: 2, requests: 6}", "connections: 2, requests: 6, headers: {x-api-key: shop:meshchaos}}", 1)
	record := run(t.Context(), t, placed{open(t)}, text, nil)
	if got := record.Mesh.Account; got != "system:serviceaccount:***" {
		t.Errorf("the account is %s", got)
	}
}
