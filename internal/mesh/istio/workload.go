package istio

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/meshchaos/meshchaos/internal/agent"
	"github.com/meshchaos/meshchaos/internal/mesh"
)

const (
	programName = "meshchaos"
	managedBy   = "app.kubernetes.io/managed-by"
	clientApp   = mesh.ClientApp

	// startTimeout leaves time to pull the image and the sidecar's.
	startTimeout = 2 * time.Minute
	pollEvery    = 200 * time.Millisecond
)

// workload is the pod that the load comes from.
type workload struct {
	started chan struct{}      // closed when starting it has ended, well or not
	cancel  context.CancelFunc // ends starting it
	name    string
	err     error // why it does not run; what follows is set only without one
	pod     *corev1.Pod
	agent   *agent.Client
	gateway *corev1.Service // the ingress gateway's, which the sidecar leaves alone; nil if there is none
	envoy   string          // the version of its sidecar's Envoy, guarded by Mesh.mu
}

// start returns the load workload once it runs, and makes it if nobody asked
// for it before. A failure is final. The end of ctx ends only the waiting, for
// a run that is interrupted meanwhile still asks for the proxies as it undoes.
func (m *Mesh) start(ctx context.Context) (*workload, error) {
	w, err := m.begin(ctx)
	if err != nil {
		return nil, err
	}
	select {
	case <-w.started:
		return w, w.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (m *Mesh) begin(ctx context.Context) (*workload, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, errClosed
	}
	if m.workload == nil {
		starting, cancel := context.WithCancel(context.WithoutCancel(ctx))
		w := &workload{name: clientApp + "-" + m.run, started: make(chan struct{}), cancel: cancel}
		m.workload = w
		go func() {
			defer close(w.started)
			w.err = m.makeWorkload(starting, w)
		}()
	}
	return m.workload, nil
}

func (m *Mesh) makeWorkload(ctx context.Context, w *workload) error {
	doing := fmt.Sprintf("starting the load workload, pod %s/%s", m.namespace, w.name)
	if m.image == "" {
		return fmt.Errorf("%s: no image is named; name one of this program with --image", doing)
	}
	var err error
	if w.gateway, err = m.gatewayService(ctx); err != nil {
		return err
	}
	m.log(fmt.Sprintf("starting the load workload %s in %s", w.name, m.namespace))
	pod, err := m.kube.CoreV1().Pods(m.namespace).Create(ctx, m.workloadPod(w), metav1.CreateOptions{FieldManager: fieldManager})
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if !hasProxy(pod) {
		return fmt.Errorf("%s: Istio gave it no sidecar, without which no rule bears on its traffic; check that istiod's sidecar injector runs and serves this namespace (label istio-injection=enabled, or istio.io/rev), and that the mesh is not ambient", doing)
	}
	if w.pod, err = m.awaitReady(ctx, pod); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if err := m.awaitAgent(ctx, w); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	version, err := m.envoyVersion(ctx, w.pod)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	w.envoy = version
	return nil
}

// awaitReady returns the pod as it is once it is ready. A watch that ends before is
// begun again: its first event is the pod as it stands.
func (m *Mesh) awaitReady(ctx context.Context, pod *corev1.Pod) (*corev1.Pod, error) {
	var hopeless error
	err := wait.PollUntilContextTimeout(ctx, pollEvery, startTimeout, true, func(ctx context.Context) (bool, error) {
		changes, err := m.kube.CoreV1().Pods(m.namespace).Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + pod.Name})
		if err != nil {
			hopeless = err
			return false, err
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
			if hopeless = failure(pod, m.image); hopeless != nil || ready(pod) {
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
	return nil, fmt.Errorf("it is not ready after %s: %s", startTimeout, m.complaints(ctx, pod))
}

// awaitAgent waits for the agent itself: as it listens on the pod's loopback
// only, no readiness probe can see it.
func (m *Mesh) awaitAgent(ctx context.Context, w *workload) error {
	base, err := m.tunnels.base(w.pod, agent.Port)
	if err != nil {
		return err
	}
	w.agent = &agent.Client{HTTP: m.tunnels.client, Base: base}
	var last error
	err = wait.PollUntilContextTimeout(ctx, pollEvery, 15*time.Second, true, func(ctx context.Context) (bool, error) {
		last = w.agent.Ready(ctx)
		return last == nil, nil
	})
	if err != nil && ctx.Err() == nil {
		return last
	}
	return err
}

// envoyVersion asks a pod's proxy which Envoy it is.
func (m *Mesh) envoyVersion(ctx context.Context, pod *corev1.Pod) (string, error) {
	p, err := m.proxy(pod)
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

// deleteWorkload deletes the load workload's pod, if it was made, and waits
// until it is gone.
func (m *Mesh) deleteWorkload(ctx context.Context, w *workload) error {
	doing := fmt.Sprintf("deleting the load workload, pod %s/%s", m.namespace, w.name)
	w.cancel()
	select {
	case <-w.started:
	case <-ctx.Done():
		return fmt.Errorf("%s: it is still being started: %w", doing, ctx.Err())
	}
	return m.deletePod(ctx, w.name, m.run)
}

// deletePod deletes the load workload's pod of a run, if it is there, and waits until
// it is gone. A cluster that does not answer is asked again: nobody else knows of the
// pod.
func (m *Mesh) deletePod(ctx context.Context, name, run string) error {
	var uid types.UID
	var last error
	err := wait.PollUntilContextCancel(ctx, pollEvery, true, func(ctx context.Context) (gone bool, err error) {
		gone, err = m.takeAway(ctx, name, run, &uid)
		if err == nil || ctx.Err() == nil { // else last says more than that there is no time left
			last = err
		}
		if unanswered := new(mesh.UnansweredError); errors.As(err, &unanswered) {
			return false, nil
		}
		return gone, err
	})
	if err = cmp.Or(last, err); err != nil {
		return fmt.Errorf("deleting the load workload, pod %[1]s/%[2]s: %[3]w; delete it with kubectl -n %[1]s delete pod %[2]s", m.namespace, name, err)
	}
	return nil
}

// takeAway deletes the load workload's pod of a run, unless that was taken, and says whether
// it is gone. Uid is that of the pod once it is deleted.
func (m *Mesh) takeAway(ctx context.Context, name, run string, uid *types.UID) (gone bool, err error) {
	pods := m.kube.CoreV1().Pods(m.namespace)
	now, err := pods.Get(ctx, name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return true, nil
	case err != nil:
		return false, answered(err)
	case now.Labels[instance] != run, *uid != "" && now.UID != *uid:
		return true, nil
	case *uid != "":
		return false, nil
	}
	grace := int64(1)
	err = pods.Delete(ctx, name, metav1.DeleteOptions{GracePeriodSeconds: &grace, Preconditions: &metav1.Preconditions{UID: &now.UID}})
	if err == nil || apierrors.IsNotFound(err) {
		*uid = now.UID
		return false, nil
	}
	return false, answered(err)
}
