//go:build e2e

package fidelity

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/meshchaos/meshchaos/internal/envoy"
)

// namespace is what the test makes, and deletes at its end.
var namespace = cmp.Or(os.Getenv("MESHCHAOS_FIDELITY_NAMESPACE"), "meshchaos-fidelity")

// cluster is a pod whose sidecar is a real Envoy that Istio configures. Calls enter
// it as those of a container of the pod do: from the pod's network namespace.
type cluster struct {
	kube    *kubernetes.Clientset
	dynamic *dynamic.DynamicClient
	podIP   string
	hostIP  string // of this process, as the pod sees it
	netns   string
	admin   *envoy.Admin
}

// the pod's only container does nothing: its proxy is what is of interest.
const podImage = "meshchaos.local/pause:dev"

func startCluster(t *testing.T) *cluster {
	t.Helper()
	kubeconfig := os.Getenv("MESHCHAOS_E2E_KUBECONFIG")
	if kubeconfig == "" {
		t.Fatal("MESHCHAOS_E2E_KUBECONFIG names no cluster; make e2e starts one")
	}
	if _, err := os.Stat(stateFolder()); err != nil {
		t.Skipf("the comparison needs the cluster of test/cluster on this machine: %v", err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	config.QPS, config.Burst = 100, 200
	c := &cluster{kube: kubernetes.NewForConfigOrDie(config), dynamic: dynamic.NewForConfigOrDie(config)}
	c.makeNamespace(t)
	if err := c.apply(asManifest(t, "Telemetry", "logged", `{"accessLogging": [{"providers": [{"name": "envoy"}]}]}`)); err != nil {
		t.Fatal(err)
	}
	c.makePod(t)
	if c.netns, err = namespaceOf(c.podIP); err != nil {
		t.Fatal(err)
	}
	way, err := net.Dial("udp", net.JoinHostPort(c.podIP, "9"))
	if err != nil {
		t.Fatal(err)
	}
	defer way.Close()
	c.hostIP = way.LocalAddr().(*net.UDPAddr).IP.String()
	c.admin = &envoy.Admin{Base: "http://127.0.0.1:15000", Client: &http.Client{Transport: &http.Transport{DialContext: c.dialTo("127.0.0.1:15000")}}}
	return c
}

func (c *cluster) makeNamespace(t *testing.T) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	spaces := c.kube.CoreV1().Namespaces()
	now := int64(0)
	remove := func() {
		if err := spaces.Delete(ctx, namespace, metav1.DeleteOptions{GracePeriodSeconds: &now}); err != nil && !apierrors.IsNotFound(err) {
			t.Error(err)
		}
	}
	remove()
	await(t, "the old namespace is gone", 2*time.Minute, func() error {
		_, err := spaces.Get(ctx, namespace, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return errors.Join(err, errors.New("it is there"))
	})
	_, err := spaces.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace, Labels: map[string]string{"istio-injection": "enabled"}}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(remove)
}

func (c *cluster) makePod(t *testing.T) {
	t.Helper()
	grace := int64(0)
	pods := c.kube.CoreV1().Pods(namespace)
	_, err := pods.Create(t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "client", Labels: map[string]string{"app": "client"}, Annotations: map[string]string{
			"proxy.istio.io/config": `{"concurrency": 2, "proxyStatsMatcher": {"inclusionPrefixes": ["cluster.outbound", "http.outbound"]}}`,
		}},
		Spec: corev1.PodSpec{TerminationGracePeriodSeconds: &grace, Containers: []corev1.Container{{Name: "idle", Image: podImage, ImagePullPolicy: corev1.PullIfNotPresent}}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	await(t, "the client's pod is ready", 3*time.Minute, func() error {
		pod, err := pods.Get(t.Context(), "client", metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, condition := range pod.Status.Conditions {
			if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue {
				c.podIP = pod.Status.PodIP
				return nil
			}
		}
		return fmt.Errorf("it is %s", pod.Status.Phase)
	})
}

// await polls what the outside world does.
func await(t testing.TB, what string, limit time.Duration, holds func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := holds()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("after %s it is not so that %s: %v", limit, what, err)
		}
	}
}

// stateFolder is where test/cluster keeps what runs.
func stateFolder() string { return cmp.Or(os.Getenv("MESHCHAOS_CLUSTER_STATE"), "/run/meshchaos-rig") }

// namespaceOf finds the network namespace that has an address, among those of the
// cluster's pods.
func namespaceOf(ip string) (string, error) {
	all, err := filepath.Glob(filepath.Join(stateFolder(), "containerd/io.containerd.grpc.v1.cri/netns/*"))
	if err != nil {
		return "", err
	}
	for _, path := range all {
		found := false
		err := inside(path, func() error {
			addresses, err := net.InterfaceAddrs()
			for _, a := range addresses {
				if n, ok := a.(*net.IPNet); ok && n.IP.String() == ip {
					found = true
				}
			}
			return err
		})
		if err == nil && found {
			return path, nil
		}
	}
	return "", fmt.Errorf("finding the network namespace of the pod %s below %s: none of %d has the address; the comparison needs the cluster of test/cluster on this machine", ip, stateFolder(), len(all))
}

// inside does something in a network namespace. The thread that was there ends.
func inside(path string, do func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		done <- func() error {
			file, err := os.Open(path)
			if err != nil {
				return err
			}
			defer file.Close()
			if err := unix.Setns(int(file.Fd()), unix.CLONE_NEWNET); err != nil {
				return fmt.Errorf("entering the network namespace %s: %w; run this as root", path, err)
			}
			return do()
		}()
	}()
	return <-done
}

// dialTo connects to an address from within the pod.
func (c *cluster) dialTo(to string) dialer {
	return func(ctx context.Context, network, _ string) (conn net.Conn, err error) {
		err = inside(c.netns, func() error {
			conn, err = new(net.Dialer).DialContext(ctx, network, to)
			return err
		})
		return conn, err
	}
}

// anyService is an address that leads to the listener of the port, whose routes go
// by the host.
const anyService = "240.240.0.1:8000"

// resources are the paths of Istio's kinds.
var resources = map[string]schema.GroupVersionResource{
	"VirtualService":  {Group: "networking.istio.io", Version: "v1", Resource: "virtualservices"},
	"DestinationRule": {Group: "networking.istio.io", Version: "v1", Resource: "destinationrules"},
	"ServiceEntry":    {Group: "networking.istio.io", Version: "v1", Resource: "serviceentries"},
	"Gateway":         {Group: "networking.istio.io", Version: "v1", Resource: "gateways"},
	"Telemetry":       {Group: "telemetry.istio.io", Version: "v1", Resource: "telemetries"},
}

// apply writes an object, whether or not it is there.
func (c *cluster) apply(manifest map[string]any) error {
	u := &unstructured.Unstructured{Object: manifest}
	resource := resources[u.GetKind()]
	u.SetAPIVersion(resource.GroupVersion().String())
	_, err := c.dynamic.Resource(resource).Namespace(namespace).Apply(context.Background(), u.GetName(), u, metav1.ApplyOptions{FieldManager: "fidelity", Force: true})
	if err != nil {
		return fmt.Errorf("writing %s %s: %w", u.GetKind(), u.GetName(), err)
	}
	return nil
}

// logged returns the lines of the proxy's access log, by request id.
func (c *cluster) logged(ctx context.Context) (map[string]string, error) {
	stream, err := c.kube.CoreV1().Pods(namespace).GetLogs("client", &corev1.PodLogOptions{Container: "istio-proxy"}).Stream(ctx)
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	text, err := io.ReadAll(stream)
	return byID(string(text)), err
}

// byID are the lines of an access log by the ids that this test gave, those of TCP
// connections by themselves.
func byID(log string) map[string]string {
	lines := map[string]string{}
	for line := range strings.Lines(log) {
		if m := logLine.FindStringSubmatch(line); m != nil {
			id := m[logLine.SubexpIndex("id")]
			if id == "-" {
				id = line
			}
			lines[id] = line
		}
	}
	return lines
}
