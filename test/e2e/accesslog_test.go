//go:build e2e

package e2e_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/wrapperspb"
	telemetry "istio.io/api/telemetry/v1alpha1"

	"github.com/meshchaos/meshchaos/internal/evidence"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/report"
)

// Somebody has switched the namespace's access logs off. The run switches them
// on for as long as it lasts, in the Telemetry that is there.
func TestAccessLogsThatAreOffAreOnForARunAlone(t *testing.T) {
	ctx := context.WithoutCancel(t.Context())
	keeper := openIstio(ctx, t, "keeper")
	t.Cleanup(func() {
		if err := keeper.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	off := place(t, keeper, &rules.Object{
		Ref:         rules.Ref{Kind: rules.Telemetry, Namespace: keeper.Info().Namespace, Name: "theirs"},
		APIVersion:  "telemetry.istio.io/v1",
		Annotations: map[string]string{"why": "theirs"},
		Spec: &telemetry.Telemetry{AccessLogging: []*telemetry.AccessLogging{{
			Providers: []*telemetry.ProviderRef{{Name: "envoy"}}, Disabled: wrapperspb.Bool(true),
		}}},
	})

	awaitUnlogged(t, keeper)
	record := run(t, "delay-jason", "logs", openIstio(t.Context(), t, "logs"), honest)
	if record.Verdict != report.Pass || !record.Restored {
		t.Errorf("verdict %s, restored %v", record.Verdict, record.Restored)
		show(t, record)
	}
	if !slices.ContainsFunc(record.Changes, func(c report.Change) bool {
		return c.Object == off.String() && c.Action == "updated" && len(c.LiveIn) > 0 && c.Restored
	}) {
		t.Errorf("the Telemetry was not edited and put back: %+v", record.Changes)
	}
	objects, err := keeper.Objects(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if now := rules.Find(objects, off.Ref); !rules.Equal(off, now) {
		t.Errorf("it was %s, and is %v", off.Manifest, now)
	}
}

// awaitUnlogged waits until a sidecar logs nothing any more.
func awaitUnlogged(t *testing.T, m mesh.Mesh) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	services, err := m.Services(ctx)
	if err != nil {
		t.Fatal(err)
	}
	proxies, err := m.Proxies(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for {
		off, _, err := new(evidence.Logging).Unlogged(ctx, proxies, services)
		if err != nil {
			t.Fatal(err)
		}
		if len(off) > 0 {
			return
		}
	}
}
