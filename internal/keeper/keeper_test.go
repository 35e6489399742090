package keeper

import (
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/internal/rules"
)

func TestWhoKeepsAnObjectStandsInItsMetadata(t *testing.T) {
	for name, test := range map[string]struct {
		metadata string
		want     string // empty: nobody
		gitOps   bool
	}{
		"nobody":                               {metadata: `"labels":{"app":"ratings"}`},
		"Argo CD's annotation":                 {metadata: `"annotations":{"argocd.argoproj.io/tracking-id":"shop:networking.istio.io/VirtualService:shop/ratings"}`, want: "Argo CD (application shop)", gitOps: true},
		"Argo CD's annotation, of a copy":      {metadata: `"annotations":{"argocd.argoproj.io/tracking-id":"shop:networking.istio.io/VirtualService:shop/reviews"}`},
		"Argo CD's own label":                  {metadata: `"labels":{"argocd.argoproj.io/instance":"shop"}`, want: "Argo CD (application shop)", gitOps: true},
		"a label of many charts":               {metadata: `"labels":{"app.kubernetes.io/instance":"shop"}`},
		"that label, written by Argo CD":       {metadata: `"labels":{"app.kubernetes.io/instance":"shop"},"managedFields":[{"manager":"argocd-controller"}]`, want: "Argo CD (application shop)", gitOps: true},
		"Flux's Kustomization":                 {metadata: `"labels":{"kustomize.toolkit.fluxcd.io/name":"shop"}`, want: "Flux (Kustomization shop)", gitOps: true},
		"Flux's Kustomization, told to let be": {metadata: `"labels":{"kustomize.toolkit.fluxcd.io/name":"shop"},"annotations":{"kustomize.toolkit.fluxcd.io/reconcile":"disabled"}`},
		"Flux's HelmRelease":                   {metadata: `"labels":{"helm.toolkit.fluxcd.io/name":"shop"}`, want: "Flux (HelmRelease shop)", gitOps: true},
		"Config Sync":                          {metadata: `"annotations":{"configmanagement.gke.io/managed":"enabled"}`, want: "Config Sync", gitOps: true},
		"Fleet":                                {metadata: `"annotations":{"objectset.rio.cattle.io/id":"default-shop"}`, want: "Fleet (bundle default-shop)", gitOps: true},
		"Flagger":                              {metadata: `"ownerReferences":[{"apiVersion":"flagger.app/v1beta1","kind":"Canary","name":"ratings"}]`, want: "Flagger (Canary ratings)"},
		"an owner of another kind":             {metadata: `"ownerReferences":[{"apiVersion":"apps/v1","kind":"Deployment","name":"ratings"}]`},
		"Argo Rollouts' annotation":            {metadata: `"annotations":{"argo-rollouts.argoproj.io/managed-by-rollouts":"ratings"}`, want: "Argo Rollouts (Rollout ratings)"},
		"Argo Rollouts' weights":               {metadata: `"managedFields":[{"manager":"kubectl"},{"manager":"rollouts-controller"}]`, want: "Argo Rollouts"},
	} {
		t.Run(name, func(t *testing.T) {
			o, err := rules.Decode([]byte(`{"apiVersion":"networking.istio.io/v1","kind":"VirtualService",
				"metadata":{"name":"ratings","namespace":"shop",` + test.metadata + `},
				"spec":{"hosts":["ratings"],"http":[{"route":[{"destination":{"host":"ratings"}}]}]}}`))
			if err != nil {
				t.Fatal(err)
			}
			k := Of(o)
			if k == nil {
				k = &Keeper{}
			}
			if k.String() != test.want || k.GitOps != test.gitOps || (test.want != "" && k.Pause == "") {
				t.Errorf("kept by %q (GitOps %t, pause %q); want %q (%t)", k, k.GitOps, k.Pause, test.want, test.gitOps)
			}
		})
	}
}

func TestAnObjectThatWasNotReadFromAMeshIsKeptByNobody(t *testing.T) {
	if k := Of(&rules.Object{}); k != nil || Of(nil) != nil {
		t.Errorf("it is kept by %s", strings.TrimSpace(k.String()))
	}
}
