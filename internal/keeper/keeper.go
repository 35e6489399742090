// Package keeper says who keeps an object of a cluster as it is: an agent of GitOps,
// which sets back what others change, or a controller of progressive delivery, which
// changes it itself. Each writes its name into what it keeps.
//
// The package may import internal/rules.
package keeper

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// Keeper is who keeps an object.
type Keeper struct {
	Name   string // Argo CD
	Of     string // what the object belongs to there, as the application shop; may be empty
	GitOps bool   // it sets the object back to what it has elsewhere; else it changes it by itself
	Pause  string // what to do so that it leaves the object alone
}

// String words it, as Argo CD (application shop).
func (k Keeper) String() string {
	if k.Of == "" {
		return k.Name
	}
	return k.Name + " (" + k.Of + ")"
}

// metadata is what keepers write of themselves.
type metadata struct {
	Name            string
	Namespace       string
	Labels          map[string]string
	Annotations     map[string]string
	OwnerReferences []struct{ APIVersion, Kind, Name string }
	ManagedFields   []struct{ Manager string }
}

// Of returns who keeps an object that was read from a mesh; nil if nobody does, as
// far as the object tells.
func Of(o *rules.Object) *Keeper {
	var manifest struct{ Metadata metadata }
	if o == nil || json.Unmarshal(o.Manifest, &manifest) != nil {
		return nil
	}
	for _, find := range []func(metadata) *Keeper{argoCD, flux, configSync, fleet, flagger, argoRollouts} {
		if k := find(manifest.Metadata); k != nil {
			return k
		}
	}
	return nil
}

// manages says whether one of these has written some field of the object.
func (m metadata) manages(names ...string) bool {
	return slices.ContainsFunc(m.ManagedFields, func(f struct{ Manager string }) bool { return slices.Contains(names, f.Manager) })
}

// argoCD goes by Argo CD's documentation, "Resource Tracking": the annotation, whose
// value names the application and the object (of a copy it names another one, and
// Argo CD leaves that alone), or a label. The label that it takes by default is one
// that many charts have too, and counts only where Argo CD has written something.
func argoCD(m metadata) *Keeper {
	const pause = "suspend its sync of that application, or have it ignore the object (argocd.argoproj.io/skip-reconcile on the Application)"
	k := Keeper{Name: "Argo CD", GitOps: true, Pause: pause}
	app, object, tracked := strings.Cut(m.Annotations["argocd.argoproj.io/tracking-id"], ":")
	switch label := m.Labels["argocd.argoproj.io/instance"]; {
	case tracked && strings.HasSuffix(object, "/"+m.Name):
		k.Of = app
	case label != "":
		k.Of = label
	case m.manages("argocd-controller", "argocd-application-controller", "argocd"):
		k.Of = m.Labels["app.kubernetes.io/instance"]
	default:
		return nil
	}
	if k.Of != "" {
		k.Of = "application " + k.Of
	}
	return &k
}

// flux goes by Flux's documentation of its Kustomization and HelmRelease: their labels
// on what they apply, and the annotations by which they leave an object alone.
func flux(m metadata) *Keeper {
	for kind, group := range map[string]string{"Kustomization": "kustomize.toolkit.fluxcd.io", "HelmRelease": "helm.toolkit.fluxcd.io"} {
		name := m.Labels[group+"/name"]
		ignored := m.Annotations[group+"/reconcile"] == "disabled" || strings.EqualFold(m.Annotations[group+"/ssa"], "Ignore")
		if name == "" || ignored {
			continue
		}
		return &Keeper{
			Name: "Flux", Of: kind + " " + name, GitOps: true,
			Pause: "suspend that (flux suspend), or annotate the object with kustomize.toolkit.fluxcd.io/reconcile: disabled",
		}
	}
	return nil
}

// configSync goes by Config Sync's documentation, "Manage existing cluster objects".
func configSync(m metadata) *Keeper {
	if m.Annotations["configmanagement.gke.io/managed"] != "enabled" {
		return nil
	}
	return &Keeper{Name: "Config Sync", GitOps: true, Pause: "annotate the object in its repository with configmanagement.gke.io/managed: disabled"}
}

// fleet goes by what Rancher's wrangler writes on each object that it applies.
func fleet(m metadata) *Keeper {
	id := m.Annotations["objectset.rio.cattle.io/id"]
	if id == "" {
		return nil
	}
	return &Keeper{Name: "Fleet", Of: "bundle " + id, GitOps: true, Pause: "pause that bundle"}
}

// flagger owns the VirtualServices and DestinationRules that it makes for a Canary
// (pkg/router/istio.go).
func flagger(m metadata) *Keeper {
	for _, owner := range m.OwnerReferences {
		if owner.Kind == "Canary" && strings.HasPrefix(owner.APIVersion, "flagger.app/") {
			return &Keeper{Name: "Flagger", Of: "Canary " + owner.Name, Pause: "set spec.suspend of that Canary, or run on a service without one"}
		}
	}
	return nil
}

// argoRollouts annotates the DestinationRules whose subsets it writes, and writes the
// weights of the VirtualServices that a Rollout names
// (utils/istio, rollout/trafficrouting/istio).
func argoRollouts(m metadata) *Keeper {
	k := Keeper{Name: "Argo Rollouts", Pause: "wait until the rollout has ended and nothing starts another, or run on a service without one"}
	name := m.Annotations["argo-rollouts.argoproj.io/managed-by-rollouts"]
	switch {
	case name != "":
		k.Of = "Rollout " + name
	case m.manages("rollouts-controller"):
	default:
		return nil
	}
	return &k
}
