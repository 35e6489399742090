//go:build e2e

package e2e_test

import (
	"cmp"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	"github.com/meshchaos/meshchaos/internal/cluster"
	"github.com/meshchaos/meshchaos/internal/install"
)

// site is a namespace that samples are installed in.
type site struct {
	*install.Installer
	namespace string
	kube      kubernetes.Interface
}

// newSite opens a namespace beside that of the other tests, which is not there yet, and
// deletes it when the test ends.
func newSite(t *testing.T, suffix string) site {
	t.Helper()
	s := site{namespace: cmp.Or(os.Getenv("MESHCHAOS_E2E_NAMESPACE"), "meshchaos-e2e") + suffix}
	config, _, err := cluster.Load(cluster.Options{Kubeconfig: os.Getenv("MESHCHAOS_E2E_KUBECONFIG")})
	if err != nil {
		t.Fatal(err)
	}
	if s.kube, err = kubernetes.NewForConfig(config); err != nil {
		t.Fatal(err)
	}
	if s.Installer, err = install.Open(config, s.namespace); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		err := s.kube.CoreV1().Namespaces().Delete(context.Background(), s.namespace, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			t.Error(err)
		}
		s.Close()
	})
	return s
}

// made makes the site's namespace as install does.
func made(t *testing.T, suffix string) site {
	t.Helper()
	s := newSite(t, suffix)
	if there, err := s.There(t.Context()); there || err != nil {
		t.Fatalf("the namespace %s is there: %v, error %v", s.namespace, there, err)
	}
	if err := s.Make(t.Context(), "", "e2e"); err != nil {
		t.Fatal(err)
	}
	return s
}

func samplesOf(t *testing.T, image string, names ...string) []install.Sample {
	t.Helper()
	var samples []install.Sample
	for _, name := range names {
		s, err := install.Read(name, image, cmp.Or(image, "meshchaos/meshchaos:dev"), "e2e")
		if err != nil {
			t.Fatal(err)
		}
		samples = append(samples, s)
	}
	return samples
}

// did is what becomes of an object, by what a plan says of it.
var did = map[string]string{"create": "created", "update": "updated", "keep": "as it was", "delete": "deleted"}

// put installs samples, and returns what was done to which object. It is what was planned.
func (s site) put(t *testing.T, samples []install.Sample) ([]string, error) {
	t.Helper()
	steps, err := s.Plan(t.Context(), samples)
	if err != nil {
		t.Fatal(err)
	}
	var done []string
	err = s.Apply(t.Context(), steps, func(step install.Step, became string) {
		if done = append(done, step.Name()+" "+became); became != did[step.Does()] {
			t.Errorf("%s: planned: %s, done: %s", step.Name(), step.Does(), became)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	said := ""
	return done, s.Wait(ctx, samples, func(words string) {
		if words != said {
			t.Log(words)
		}
		said = words
	})
}

func (s site) take(t *testing.T, sample string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if err := s.Remove(ctx, sample, func(string) {}, func(string) {}); err != nil {
		t.Fatal(err)
	}
}

// services are the names of those that are there.
func (s site) services(t *testing.T) []string {
	t.Helper()
	list, err := s.kube.CoreV1().Services(s.namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, one := range list.Items {
		names = append(names, one.Name)
	}
	return names
}

func TestSamplesAreInstalledAndNothingElseIsTakenAway(t *testing.T) {
	s := made(t, "-installed")
	samples := samplesOf(t, image(), "httpbin", "sleep")
	done, err := s.put(t, samples)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(done, "Deployment/httpbin-v1 created") {
		t.Errorf("done: %v", done)
	}
	s.allReady(t, 4)

	done, err = s.put(t, samples)
	if err != nil || slices.ContainsFunc(done, func(did string) bool { return !strings.HasSuffix(did, " as it was") }) {
		t.Errorf("installed again: %v, error %v", done, err)
	}

	copied := s.copy(t, "httpbin", "copied")
	theirs := s.service(t, "tcp-echo", nil)
	s.refused(t, samplesOf(t, image(), "tcp-echo"), "Service/tcp-echo is there already")
	s.edit(t, "sleep")

	s.take(t, "httpbin")
	s.take(t, "sleep")
	left := s.services(t)
	slices.Sort(left)
	if want := []string{copied, theirs}; !slices.Equal(left, want) {
		t.Errorf("left are the services %v, want %v", left, want)
	}
	if mine, others, err := s.Find(t.Context(), "httpbin"); len(mine) > 0 || len(others) != 1 || err != nil {
		t.Errorf("of httpbin there is still %v, with its labels %v, error %v", mine, others, err)
	}
	s.vacated(t, copied, theirs)
}

// allReady wants so many pods, each with a sidecar, and all containers ready.
func (s site) allReady(t *testing.T, want int) {
	t.Helper()
	pods, err := s.kube.CoreV1().Pods(s.namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(pods.Items) != want {
		t.Fatalf("%d pods, want %d; error %v", len(pods.Items), want, err)
	}
	for _, pod := range pods.Items {
		if len(pod.Status.ContainerStatuses)+len(pod.Status.InitContainerStatuses) < 2 {
			t.Errorf("%s has no sidecar", pod.Name)
		}
		for _, c := range pod.Status.ContainerStatuses {
			if !c.Ready {
				t.Errorf("%s: %s is not ready", pod.Name, c.Name)
			}
		}
	}
}

// service makes one of somebody's own.
func (s site) service(t *testing.T, name string, labels map[string]string) string {
	t.Helper()
	_, err := s.kube.CoreV1().Services(s.namespace).Create(t.Context(), &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "http", Port: 80}}},
	}, metav1.CreateOptions{FieldManager: "somebody"})
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// copy makes a service with the labels of one that was installed.
func (s site) copy(t *testing.T, of, name string) string {
	t.Helper()
	original, err := s.kube.CoreV1().Services(s.namespace).Get(t.Context(), of, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return s.service(t, name, original.Labels)
}

// edit changes what was installed, as somebody would.
func (s site) edit(t *testing.T, deployment string) {
	t.Helper()
	d, err := s.kube.AppsV1().Deployments(s.namespace).Get(t.Context(), deployment, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	d.Labels["team"] = "theirs"
	if _, err := s.kube.AppsV1().Deployments(s.namespace).Update(t.Context(), d, metav1.UpdateOptions{FieldManager: "somebody"}); err != nil {
		t.Fatal(err)
	}
}

// refused wants samples to be refused for one reason, and nothing of them to be there.
func (s site) refused(t *testing.T, samples []install.Sample, reason string) {
	t.Helper()
	var blocked *install.BlockedError
	if _, err := s.Plan(t.Context(), samples); !errors.As(err, &blocked) || len(blocked.Problems) != 1 || !strings.Contains(blocked.Problems[0], reason) {
		t.Errorf("error %v, want one problem: %s", err, reason)
	}
	if mine, _, err := s.Find(t.Context(), samples[0].Name); len(mine) > 0 || err != nil {
		t.Errorf("there is %v, error %v", mine, err)
	}
}

// vacated wants the namespace to stay as long as there is somebody's service in it.
func (s site) vacated(t *testing.T, services ...string) {
	t.Helper()
	for _, name := range services {
		gone, kept, err := s.Vacate(t.Context())
		if gone || !strings.HasPrefix(kept, "there is Service/") || err != nil {
			t.Fatalf("with %s in it the namespace is gone: %v, kept since %q, error %v", name, gone, kept, err)
		}
		if err := s.kube.CoreV1().Services(s.namespace).Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if gone, kept, err := s.Vacate(t.Context()); !gone || err != nil {
		t.Errorf("the namespace is kept since %q, error %v", kept, err)
	}
}

func TestAnImageThatNobodyHasEndsTheWaitingEarly(t *testing.T) {
	s := made(t, "-unpulled")
	began := time.Now()
	_, err := s.put(t, samplesOf(t, "registry.invalid/meshchaos:none", "tcp-echo"))
	if took := time.Since(began); took > time.Minute {
		t.Errorf("it took %s to say so", took)
	}
	if err == nil || !strings.Contains(err.Error(), "pod tcp-echo-v") || !strings.Contains(err.Error(), "cannot pull the image registry.invalid/meshchaos:none") || !strings.Contains(err.Error(), "--image") {
		t.Errorf("error %v", err)
	}
	done, err := s.put(t, samplesOf(t, image(), "tcp-echo"))
	if err != nil || !slices.Contains(done, "Deployment/tcp-echo-v1 updated") {
		t.Errorf("with another image: %v, error %v", done, err)
	}
}

func TestWhereThereIsNoSidecarNothingIsInstalled(t *testing.T) {
	s := newSite(t, "-plain")
	if _, err := s.kube.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		_, err := s.kube.CoreV1().ServiceAccounts(s.namespace).Get(ctx, "default", metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return false, nil
		}
		return err == nil, err
	})
	if err != nil {
		t.Fatalf("waiting until %s takes pods: %v", s.namespace, err)
	}
	s.refused(t, samplesOf(t, image(), "httpbin"), "get no sidecar")
	if gone, kept, err := s.Vacate(t.Context()); gone || kept != "" || err != nil {
		t.Errorf("a namespace that install did not make is gone: %v, kept since %q, error %v", gone, kept, err)
	}
}

// Who may not do all of it is told so before anything is written.
func TestWhoMayNotInstallIsToldEachRight(t *testing.T) {
	config, namespace, err := cluster.Load(cluster.Options{Kubeconfig: os.Getenv("MESHCHAOS_E2E_KUBECONFIG"), Namespace: "default"})
	if err != nil {
		t.Fatal(err)
	}
	config.Impersonate.UserName = "somebody"
	in, err := install.Open(config, namespace)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	_, err = in.Plan(t.Context(), samplesOf(t, image(), "sleep"))
	var blocked *install.BlockedError
	if !errors.As(err, &blocked) {
		t.Fatalf("error %v, want one of what is in the way", err)
	}
	for _, right := range []string{"create deployments.apps -n default", "delete services -n default", "list pods -n default", "list replicasets.apps -n default"} {
		if !strings.Contains(err.Error(), right) {
			t.Errorf("%s is not named: %v", right, err)
		}
	}
}

// What is made of Istio's own samples the API server takes; their images it is not asked for.
func TestTheClusterTakesIstiosSamples(t *testing.T) {
	s := made(t, "-tried")
	for _, name := range install.Names() {
		samples := samplesOf(t, "", name)
		if name == install.Gateways {
			s.refused(t, samples, "has an ingress gateway already")
			continue
		}
		if _, err := s.Plan(t.Context(), samples); err != nil {
			t.Error(err)
		}
	}
	if gone, kept, err := s.Vacate(t.Context()); !gone || err != nil {
		t.Errorf("after the trying the namespace is kept since %q, error %v", kept, err)
	}
}
