package istio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/meshchaos/meshchaos/internal/agent"
)

// awaitReady returns the pod as it is once it is ready. A watch that ends before is
// begun again, and so is one that a cluster does not answer: its first event is the pod
// as it stands.
func (c *Cluster) awaitReady(ctx context.Context, pod *corev1.Pod) (*corev1.Pod, error) {
	var hopeless, unanswered error
	err := wait.PollUntilContextTimeout(ctx, pollEvery, startTimeout, true, func(ctx context.Context) (bool, error) {
		changes, err := c.kube.CoreV1().Pods(c.namespace).Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + pod.Name})
		if unanswered = answered(err); err != nil {
			if !isUnanswered(unanswered) {
				hopeless = err
			}
			return false, hopeless
		}
		defer changes.Stop()
		for e := range changes.ResultChan() {
			now, ok := e.Object.(*corev1.Pod)
			if !ok {
				return false, nil // an error of the watch itself
			}
			if pod = now; e.Type == watch.Deleted {
				hopeless = errors.New("somebody deleted it")
				return false, hopeless
			}
			if hopeless = failure(pod, c.image); hopeless != nil || loads(pod) {
				return hopeless == nil, hopeless
			}
		}
		return false, nil
	})
	switch {
	case err == nil:
		return pod, nil
	case hopeless != nil && ctx.Err() == nil:
		return nil, hopeless
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	if unanswered != nil {
		return nil, fmt.Errorf("whether it is ready is not known after %s: %w", startTimeout, unanswered)
	}
	return nil, fmt.Errorf("it is not ready after %s: %s", startTimeout, c.complaints(ctx, pod))
}

// awaitAgent waits for the agent itself: as it listens on the pod's loopback
// only, no readiness probe can see it.
func (c *Cluster) awaitAgent(ctx context.Context, pod *corev1.Pod) (generator, error) {
	base, err := c.tunnels.base(pod, agent.Port)
	if err != nil {
		return nil, err
	}
	client := c.generator(base)
	var last error
	err = wait.PollUntilContextTimeout(ctx, pollEvery, 15*time.Second, true, func(ctx context.Context) (bool, error) {
		last = client.Ready(ctx)
		return last == nil, nil
	})
	if err != nil && ctx.Err() == nil {
		return nil, last
	}
	return client, err
}

// envoyVersion asks a pod's proxy which Envoy it is.
func (c *Cluster) envoyVersion(ctx context.Context, pod *corev1.Pod) (string, error) {
	p, err := c.proxy(pod, pod.Labels)
	if err != nil {
		return "", err
	}
	body, err := p.Admin.Get(ctx, "/server_info")
	if err != nil {
		return "", err
	}
	var info struct{ Version string }
	if err := json.Unmarshal(body, &info); err != nil {
		return "", fmt.Errorf("reading the proxy's version: %w", err)
	}
	// revision/version/status/type/library, as in "9e55…/1.40.0/Clean/RELEASE/BoringSSL"
	parts := strings.Split(info.Version, "/")
	if len(parts) < 2 {
		return info.Version, nil
	}
	return parts[1], nil
}
