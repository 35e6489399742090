package istio

import (
	"cmp"
	"context"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
)

// reopenEvery is how long an API server is left alone that is away, or that ends each
// watch as soon as it has begun: client-go bounds the rate of other requests only.
const reopenEvery = time.Second

// collection is a list of objects that is followed. It is no informer: that lists
// again where the API server has forgotten what happened, and says nothing of it.
type collection struct {
	of       dynamic.ResourceInterface
	selector string
	tell     func(was, is *unstructured.Unstructured) // one has taken the place of the other; nil: it is not there
	lose     func(error)                              // what happens from now on cannot be known

	version string // up to which the objects are known
	objects map[types.NamespacedName]*unstructured.Unstructured
}

// start lists the objects and follows them until ctx ends.
func (c *collection) start(ctx context.Context, routines *sync.WaitGroup) error {
	list, err := c.of.List(ctx, metav1.ListOptions{LabelSelector: c.selector})
	if err != nil {
		return err
	}
	c.version = list.GetResourceVersion()
	c.objects = map[types.NamespacedName]*unstructured.Unstructured{}
	for i := range list.Items {
		c.objects[nameOf(&list.Items[i])] = &list.Items[i]
	}
	events, err := c.watch(ctx)
	if err != nil {
		return err
	}
	routines.Go(func() { c.follow(ctx, events) })
	return nil
}

func nameOf(o *unstructured.Unstructured) types.NamespacedName {
	return types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}
}

func (c *collection) watch(ctx context.Context) (watch.Interface, error) {
	return c.of.Watch(ctx, metav1.ListOptions{LabelSelector: c.selector, ResourceVersion: c.version, AllowWatchBookmarks: true})
}

// follow goes on where the API server ends a watch, as it does now and then, or
// was away.
func (c *collection) follow(ctx context.Context, events watch.Interface) {
	for {
		err := c.readOn(ctx, events)
		if err == nil && ctx.Err() == nil {
			events, err = c.watch(ctx)
		}
		if ctx.Err() != nil {
			if err == nil && events != nil {
				events.Stop()
			}
			return
		}
		if err == nil {
			continue
		}
		if !isUnanswered(answered(err)) {
			c.lose(err)
			return
		}
		events = nil
		pause(ctx, reopenEvery)
	}
}

// readOn reads a watch, if there is one, until it ends, and a moment longer if nothing
// came of it.
func (c *collection) readOn(ctx context.Context, events watch.Interface) error {
	if events == nil {
		return nil
	}
	began, known := time.Now(), c.version
	err := c.read(events)
	if err == nil && c.version == known {
		pause(ctx, reopenEvery-time.Since(began))
	}
	return err
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, length time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(length):
	}
}

// read reads one watch until it ends. The error is what the API server says, nil
// if it is only over.
func (c *collection) read(events watch.Interface) error {
	defer events.Stop()
	for e := range events.ResultChan() {
		if e.Type == watch.Error {
			return apierrors.FromObject(e.Object)
		}
		is, ok := e.Object.(*unstructured.Unstructured)
		if !ok {
			continue
		}
		c.version = is.GetResourceVersion()
		if e.Type == watch.Bookmark {
			continue
		}
		name := nameOf(is)
		was := c.objects[name]
		if e.Type == watch.Deleted {
			delete(c.objects, name)
			c.tell(cmp.Or(was, is), nil)
			continue
		}
		c.objects[name] = is
		c.tell(was, is)
	}
	return nil
}
