package install

import (
	"context"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/meshchaos/meshchaos/internal/cluster"
)

// withoutRights words which rights this user lacks to install samples, to wait for them
// and to take them away again.
func (in *Installer) withoutRights(ctx context.Context, samples []Sample) ([]string, error) {
	rights := []cluster.Right{
		{Verb: "list", Resource: "pods", Namespace: in.namespace},
		{Verb: "list", Group: "apps", Resource: "replicasets", Namespace: in.namespace},
		{Verb: "list", Group: "discovery.k8s.io", Resource: "endpointslices", Namespace: in.namespace},
	}
	for _, s := range samples {
		for _, o := range s.Objects {
			mapping, err := in.mapping(o)
			if meta.IsNoMatchError(err) {
				continue // that Istio is not there is said elsewhere
			}
			if err != nil {
				return nil, err
			}
			for _, verb := range []string{"get", "list", "create", "patch", "delete"} {
				rights = append(rights, cluster.Right{Verb: verb, Group: mapping.Resource.Group, Resource: mapping.Resource.Resource, Namespace: in.namespace})
			}
		}
	}
	missing, err := cluster.Missing(ctx, rights, func(ctx context.Context, r cluster.Right) (bool, error) {
		return cluster.May(ctx, in.kube, r)
	})
	if len(missing) == 0 || err != nil {
		return nil, err
	}
	return []string{"this user has not all rights that it takes to install, wait and uninstall; have these granted, which kubectl auth can-i answers with no: " + strings.Join(missing, "; ")}, nil
}
