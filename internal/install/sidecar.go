package install

import (
	"context"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/meshchaos/meshchaos/internal/cluster"
)

// proxyContainer is the sidecar's, an init container where it is a native one.
const proxyContainer = "istio-proxy"

// withoutSidecars tries a pod of each sample, which is not made: labels of a namespace do
// not tell whether an injector serves it.
func (in *Installer) withoutSidecars(ctx context.Context, samples []Sample) ([]string, error) {
	var problems []string
	for _, s := range samples {
		pod, err := aPod(s)
		if err != nil {
			return nil, err
		}
		tried, err := in.kube.CoreV1().Pods(in.namespace).Create(ctx, pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldManager: manager})
		problem := ""
		switch {
		case err == nil && !hasProxy(tried.Spec):
			problem = fmt.Sprintf("pods in the namespace %s get no sidecar, without which no rule bears on them; kubectl label namespace %[1]s istio-injection=enabled (or istio.io/rev=REVISION), or name a namespace of your own and --create-namespace", in.namespace)
		case err == nil, untried(err):
		case !cluster.Answers(err):
			return nil, fmt.Errorf("trying a pod of %s: %w", s.Name, err)
		default:
			problem = fmt.Sprintf("the cluster would not take a pod of %s: %v", s.Name, err)
		}
		if problem != "" && !slices.Contains(problems, problem) {
			problems = append(problems, problem)
		}
	}
	return problems, nil
}

// untried says that a pod could not be tried, which tells nothing: whether there is a
// sidecar the pods themselves will show. Who may make a Deployment need not be allowed to
// make a pod.
func untried(err error) bool {
	return apierrors.IsForbidden(err) && strings.Contains(err.Error(), `cannot create resource "pods"`) ||
		apierrors.IsBadRequest(err) && strings.Contains(err.Error(), "does not support dry run")
}

// aPod is as the pods of the sample's first Deployment will be, without the service account
// that is not there yet.
func aPod(s Sample) (*corev1.Pod, error) {
	for _, o := range s.Objects {
		if o.GetKind() != "Deployment" {
			continue
		}
		var d appsv1.Deployment
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &d); err != nil {
			return nil, fmt.Errorf("reading %s of %s: %w", named(o), s.Name, err)
		}
		pod := &corev1.Pod{ObjectMeta: d.Spec.Template.ObjectMeta, Spec: d.Spec.Template.Spec}
		pod.GenerateName = d.Name + "-"
		pod.Spec.ServiceAccountName = ""
		return pod, nil
	}
	return nil, fmt.Errorf("reading the manifest of %s: it has no Deployment", s.Name)
}

// hasProxy says whether there is a sidecar, or a gateway, that the injector has filled in.
func hasProxy(spec corev1.PodSpec) bool {
	return slices.ContainsFunc(slices.Concat(spec.InitContainers, spec.Containers), func(c corev1.Container) bool {
		return c.Name == proxyContainer && c.Image != "auto"
	})
}
