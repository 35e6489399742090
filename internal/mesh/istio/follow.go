package istio

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshchaos/meshchaos/internal/journal"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// askers bounds how many lists are asked for at a time.
const askers = 8

// Follow implements mesh.Mesh: a list and a watch for each kind, for the length
// of a run. A watch from each window's beginning at its end would do with fewer,
// but the API server forgets what is older than a minute or so. Where this user
// may not see a kind in all namespaces, that of the namespace and of Istio's own,
// whose rules are for all, are followed.
func (m *Mesh) Follow(ctx context.Context, traffic mesh.Traffic, hear func(mesh.Event)) ([]string, error) {
	pods, err := m.watchedPods(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	m.mu.Lock()
	closed := m.closed
	m.unfollow = append(m.unfollow, cancel)
	m.mu.Unlock()
	if closed {
		cancel()
		return nil, errClosed
	}
	var (
		mu     sync.Mutex
		unseen []hidden
		group  errgroup.Group
	)
	group.SetLimit(askers)
	for _, w := range append(m.watched(traffic), pods...) {
		group.Go(func() error {
			out, err := m.follow(ctx, w, hear)
			mu.Lock()
			defer mu.Unlock()
			unseen = append(unseen, out...)
			return err
		})
	}
	if err := answered(group.Wait()); err != nil {
		cancel()
		return nil, err
	}
	return words(unseen), nil
}

// hidden is a resource that this user may not list or watch.
type hidden struct {
	resource  string
	namespace string // empty: in all at once
}

// follow follows a resource where it is to be found.
func (m *Mesh) follow(ctx context.Context, w watched, hear func(mesh.Event)) ([]hidden, error) {
	var out []hidden
	for _, namespace := range w.namespaces {
		err := m.collection(w, namespace, hear).start(ctx, &m.following)
		switch {
		case err == nil && namespace == metav1.NamespaceAll, apierrors.IsNotFound(err): // the cluster has no such resource
			return out, nil
		case apierrors.IsForbidden(err):
			out = append(out, hidden{w.of.Resource, namespace})
		case err != nil:
			return nil, fmt.Errorf("following the %s of %s: %w", w.of.Resource, where(namespace), err)
		}
	}
	return out, nil
}

func where(namespace string) string {
	if namespace == metav1.NamespaceAll {
		return "all namespaces"
	}
	return "namespace " + namespace
}

// words says what is hidden: a line for each scope.
func words(all []hidden) []string {
	by := map[string][]string{}
	for _, h := range all {
		scope := where(h.namespace)
		switch elsewhere := slices.Contains(all, hidden{resource: h.resource}); {
		case h.namespace == istioSystem && elsewhere:
			continue // it is one of the others
		case h.namespace == metav1.NamespaceAll && slices.Contains(all, hidden{h.resource, istioSystem}):
			scope = "other namespaces"
		case h.namespace == metav1.NamespaceAll:
			scope = "other namespaces but " + istioSystem
		}
		by[scope] = append(by[scope], h.resource)
	}
	var lines []string
	for scope, resources := range by {
		slices.Sort(resources)
		lines = append(lines, fmt.Sprintf("this user may not list and watch %s of %s", strings.Join(resources, ", "), scope))
	}
	slices.Sort(lines)
	return lines
}

// collection is the list to follow.
func (m *Mesh) collection(w watched, namespace string, hear func(mesh.Event)) *collection {
	c := &collection{of: m.dynamic.Resource(w.of), selector: w.selector}
	if namespace != metav1.NamespaceAll {
		c.of = m.dynamic.Resource(w.of).Namespace(namespace)
	}
	c.tell = func(was, is *unstructured.Unstructured) {
		now := is
		if is == nil {
			now = was
		}
		did := w.did(was, is)
		if did == "" || !w.acts(now) && (was == nil || !w.acts(was)) {
			return
		}
		e := mesh.Event{Ref: rules.Ref{Kind: w.kind, Namespace: now.GetNamespace(), Name: now.GetName()}, Did: did}
		if is != nil {
			e.Version, e.By = is.GetResourceVersion(), authors(was, is)
		}
		hear(e)
	}
	c.lose = func(err error) {
		hear(mesh.Event{Lost: fmt.Sprintf("the %s of %s could not be followed any more: %v", w.of.Resource, where(namespace), err)})
	}
	return c
}

// authors are those who have written an object in between.
func authors(was, is *unstructured.Unstructured) []string {
	manifest := func(u *unstructured.Unstructured) *rules.Object {
		if u == nil {
			return nil
		}
		text, err := u.MarshalJSON()
		if err != nil { // it tells nothing then
			return nil
		}
		return &rules.Object{Manifest: text}
	}
	return journal.Authors(manifest(was), manifest(is))
}
