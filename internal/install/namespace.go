package install

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
)

// accountLimit bounds how long a new namespace is waited for until it takes pods.
const accountLimit = 30 * time.Second

// There says whether the namespace is there. Whoever may use one without the right to read
// it is believed that it is.
func (in *Installer) There(ctx context.Context) (bool, error) {
	if err := in.reach(ctx); err != nil {
		return false, err
	}
	now, err := in.kube.CoreV1().Namespaces().Get(ctx, in.namespace, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return false, nil
	case apierrors.IsForbidden(err):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("reading the namespace %s: %w", in.namespace, err)
	case now.Status.Phase == corev1.NamespaceTerminating:
		return false, fmt.Errorf("the namespace %s is being deleted; wait until it is gone, or name another", in.namespace)
	}
	return true, nil
}

// Make makes the namespace, with the label that has sidecars injected: of a revision of
// Istio, or of the default one where that is empty. It returns when it takes pods.
func (in *Installer) Make(ctx context.Context, revision, version string) error {
	labels := map[string]string{managedBy: program, "istio-injection": "enabled"}
	if revision != "" {
		labels = map[string]string{managedBy: program, "istio.io/rev": revision}
	}
	made, err := in.kube.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: in.namespace, Labels: labels, Annotations: map[string]string{versionOf: version},
	}}, metav1.CreateOptions{FieldManager: manager})
	if err != nil {
		return fmt.Errorf("making the namespace %s: %w", in.namespace, err)
	}
	err = wait.PollUntilContextTimeout(ctx, lookEvery/5, accountLimit, true, func(ctx context.Context) (bool, error) {
		_, err := in.kube.CoreV1().ServiceAccounts(made.Name).Get(ctx, "default", metav1.GetOptions{})
		return err == nil || apierrors.IsForbidden(err), nil
	})
	if err != nil {
		return fmt.Errorf("making the namespace %s: it is there, and takes no pods, as it has no service account yet: %w; installing again goes on with it", in.namespace, err)
	}
	return nil
}

// Vacate deletes the namespace if install made it and there is nothing of anybody's in it
// any more, and waits until it is gone. Kept says why it stays; empty with gone false: it
// is not install's.
func (in *Installer) Vacate(ctx context.Context) (gone bool, kept string, err error) {
	now, err := in.kube.CoreV1().Namespaces().Get(ctx, in.namespace, metav1.GetOptions{})
	if apierrors.IsNotFound(err) || apierrors.IsForbidden(err) {
		return false, "", nil
	}
	if err != nil {
		return false, "", fmt.Errorf("reading the namespace %s: %w", in.namespace, err)
	}
	if now.Labels[managedBy] != program || !ours(now) {
		return false, "", nil
	}
	if kept, err = in.inside(ctx); kept != "" || err != nil {
		return false, kept, err
	}
	err = in.kube.CoreV1().Namespaces().Delete(ctx, in.namespace, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &now.UID}})
	if err != nil && !apierrors.IsNotFound(err) {
		return false, "", fmt.Errorf("deleting the namespace %s: %w", in.namespace, err)
	}
	err = wait.PollUntilContextCancel(ctx, lookEvery/2, true, func(ctx context.Context) (bool, error) {
		again, err := in.kube.CoreV1().Namespaces().Get(ctx, in.namespace, metav1.GetOptions{})
		return apierrors.IsNotFound(err) || err == nil && again.UID != now.UID, nil
	})
	if err != nil {
		return false, "", fmt.Errorf("waiting until the namespace %s is gone: %w; kubectl get namespace %[1]s -o yaml says what holds it", in.namespace, err)
	}
	return true, "", nil
}

// inside says what is in the namespace beside what every namespace has; empty: nothing.
func (in *Installer) inside(ctx context.Context) (string, error) {
	lists, err := in.kube.Discovery().ServerPreferredNamespacedResources()
	if err != nil {
		return "not all that may be in it can be listed: " + err.Error(), nil
	}
	for _, list := range discovery.FilteredBy(discovery.SupportsAllVerbs{Verbs: []string{"list", "create"}}, lists) {
		version, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return "", fmt.Errorf("reading the cluster's resources: %w", err)
		}
		for _, r := range list.APIResources {
			if slices.Contains([]string{"Event", "Endpoints", "EndpointSlice"}, r.Kind) {
				continue // these go by themselves
			}
			found, err := in.dynamic.Resource(version.WithResource(r.Name)).Namespace(in.namespace).List(ctx, metav1.ListOptions{})
			if apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err) {
				continue
			}
			if err != nil {
				return "", fmt.Errorf("looking whether the namespace %s is empty: listing %s: %w", in.namespace, r.Name, err)
			}
			if i := slices.IndexFunc(found.Items, func(o unstructured.Unstructured) bool { return o.GetDeletionTimestamp() == nil && !ofAnyNamespace(&o) }); i >= 0 {
				return "there is " + named(&found.Items[i]) + " in it", nil
			}
		}
	}
	return "", nil
}

// ofAnyNamespace says whether Kubernetes or Istio puts such an object into each namespace.
func ofAnyNamespace(o *unstructured.Unstructured) bool {
	switch named(o) {
	case "ConfigMap/kube-root-ca.crt", "ConfigMap/istio-ca-root-cert", "ConfigMap/istio-ca-crl", "ServiceAccount/default":
		return true
	}
	return o.GetKind() == "Secret" && strings.HasPrefix(o.GetName(), "default-token-")
}
