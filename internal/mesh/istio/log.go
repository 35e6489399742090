package istio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
)

// logMargin is how much earlier a log is asked for than it is wanted: the kubelet
// reckons from when it is asked, which is later than here, and in whole seconds.
const logMargin = 5 * time.Second

// followLog returns the function that is a proxy's mesh.Proxy.Log. The log comes
// through the Kubernetes API, which the kubelet answers from the file that it
// keeps of the container; so it holds what Envoy itself says as well.
func (c *Cluster) followLog(pod types.NamespacedName) func(context.Context, time.Time) (io.ReadCloser, error) {
	return func(ctx context.Context, since time.Time) (io.ReadCloser, error) {
		doing := fmt.Sprintf("following the access log of the proxy of pod %s", pod)
		// So many seconds ago by the node's clock, which may not be this machine's.
		back := int64(max(time.Since(since)+logMargin, logMargin) / time.Second)
		body, err := c.kube.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{
			Container: proxyContainer, Follow: true, SinceSeconds: &back,
		}).Stream(ctx)
		if apierrors.IsForbidden(err) {
			return nil, fmt.Errorf("%s: this user lacks the right to get pods/log in namespace %s: %w; grant it, or let the counts come from elsewhere with --no-access-log", doing, pod.Namespace, err)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", doing, err)
		}
		return &followed{body: body, doing: doing}, nil
	}
}

// followed is a log that is followed. It has no end of its own: a stream that
// ends by itself leaves out whatever is logged from then on, which must not look
// like a proxy that logs nothing.
type followed struct {
	body  io.ReadCloser
	doing string
}

// Read implements io.Reader.
func (f *followed) Read(p []byte) (int, error) {
	n, err := f.body.Read(p)
	switch {
	case errors.Is(err, io.EOF):
		err = fmt.Errorf("%s: the log ended while it was read: the container ended, or its log was rotated away: %w", f.doing, io.ErrUnexpectedEOF)
	case err != nil:
		err = fmt.Errorf("%s: %w", f.doing, err)
	}
	return n, err
}

// Close implements io.Closer.
func (f *followed) Close() error { return f.body.Close() }
