package install

import (
	"context"
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/meshchaos/meshchaos/internal/cluster"
)

const own = "meshchaos/meshchaos:1.0"

func TestASampleRunsTheImageThatIsAsked(t *testing.T) {
	for _, row := range []struct{ name, image, want string }{
		{"bookinfo", "", "istio/examples-bookinfo-"},
		{"bookinfo", "mine:1", "mine:1"},
		{"httpbin", "", "mccutchen/go-httpbin:"},
		{"tcp-echo", "", "istio/tcp-echo-server:"},
		{"micro-api", "", own},
		{"micro-api", "mine:1", "mine:1"},
		{"sleep", "", "curlimages/curl:"},
		{"sleep", "mine:1", "mine:1"},
		{"fortio", "", "fortio/fortio:"},
		{Gateways, "", "auto"},
		{Gateways, "mine:1", "auto"},
	} {
		s, err := Read(row.name, row.image, own, "1.0")
		if err != nil {
			t.Errorf("%s with %q: %v", row.name, row.image, err)
			continue
		}
		pods := 0
		for _, o := range s.Objects {
			if o.GetNamespace() != "" || o.GetLabels()[managedBy] != program || o.GetLabels()[partOf] != row.name || o.GetAnnotations()[versionOf] != "1.0" {
				t.Errorf("%s: %s is in %q, with labels %v and annotations %v", row.name, named(o), o.GetNamespace(), o.GetLabels(), o.GetAnnotations())
			}
			if o.GetKind() != "Deployment" {
				continue
			}
			pods++
			var d appsv1.Deployment
			if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(o.Object, &d, true); err != nil {
				t.Errorf("%s: %s: %v", row.name, named(o), err)
			}
			if image := d.Spec.Template.Spec.Containers[0].Image; !strings.HasPrefix(image, row.want) {
				t.Errorf("%s with %q: %s runs %s, want %s", row.name, row.image, d.Name, image, row.want)
			}
			if d.Spec.Template.Labels[managedBy] != "" {
				t.Errorf("%s: pods of %s have the label of a run's load pod", row.name, d.Name)
			}
		}
		if pods == 0 {
			t.Errorf("%s has no Deployment", row.name)
		}
	}
}

func TestWhatCannotBeInstalledIsRefused(t *testing.T) {
	for _, row := range []struct{ name, image, want string }{
		{"bokinfo", "", "there is no such sample; choose bookinfo, httpbin"},
		{"ratings", "", "there is no such sample"},
		{"fortio", "mine:1", "without --image"},
		{"httpbin", "a\nprivileged: true", "that is no image's name"},
	} {
		if _, err := Read(row.name, row.image, own, "1.0"); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s with %q: error %v, want %s", row.name, row.image, err, row.want)
		}
	}
}

func TestWhatInstallMadeIsToldByItsManagerToo(t *testing.T) {
	by := func(managers ...string) *metav1.ObjectMeta {
		o := &metav1.ObjectMeta{Labels: map[string]string{managedBy: program, partOf: "httpbin"}}
		for _, m := range managers {
			o.ManagedFields = append(o.ManagedFields, metav1.ManagedFieldsEntry{Manager: m})
		}
		return o
	}
	if !made(by("kubectl-edit", manager), "httpbin") {
		t.Error("what somebody edited since is not taken for install's")
	}
	if made(by("kubectl-client-side-apply"), "httpbin") || made(by(manager), "bookinfo") || made(&metav1.ObjectMeta{ManagedFields: by(manager).ManagedFields}, "httpbin") {
		t.Error("a copy, an object of another sample or one without labels is taken for install's")
	}
}

// aView is of one Deployment of httpbin with one pod, which change may change.
func aView(change func(*view, *corev1.Pod)) *view {
	yes := true
	owner := func(uid types.UID) []metav1.OwnerReference {
		return []metav1.OwnerReference{{UID: uid, Controller: &yes}}
	}
	revision := map[string]string{"deployment.kubernetes.io/revision": "2"}
	v := &view{
		deployments: []appsv1.Deployment{{
			ObjectMeta: metav1.ObjectMeta{Name: "httpbin-v1", UID: "d", Annotations: revision},
			Status:     appsv1.DeploymentStatus{Replicas: 1, UpdatedReplicas: 1, AvailableReplicas: 1},
		}},
		sets: []appsv1.ReplicaSet{{ObjectMeta: metav1.ObjectMeta{Name: "httpbin-v1-x", UID: "s", Annotations: revision, OwnerReferences: owner("d")}}},
		pods: []corev1.Pod{{
			ObjectMeta: metav1.ObjectMeta{Name: "httpbin-v1-x-y", OwnerReferences: owner("s")},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "httpbin"}, {Name: proxyContainer}}},
			Status: corev1.PodStatus{
				Conditions:        []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionTrue}, {Type: corev1.PodReady, Status: corev1.ConditionTrue}},
				ContainerStatuses: []corev1.ContainerStatus{{Name: "httpbin", Ready: true}, {Name: proxyContainer, Ready: true}},
			},
		}},
		services: []corev1.Service{{ObjectMeta: metav1.ObjectMeta{Name: "httpbin"}, Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "httpbin"}}}},
		slices:   []discoveryv1.EndpointSlice{{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{discoveryv1.LabelServiceName: "httpbin"}}, Endpoints: []discoveryv1.Endpoint{{}}}},
	}
	change(v, &v.pods[0])
	return v
}

// waits makes a container of the pod wait for a reason, and the pod be not ready.
func waits(pod *corev1.Pod, container int, reason, words string) {
	pod.Status.Conditions[1].Status = corev1.ConditionFalse
	pod.Status.ContainerStatuses[container] = corev1.ContainerStatus{
		Name: pod.Status.ContainerStatuses[container].Name, Image: "nowhere/it:1",
		State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: words}},
	}
}

func TestWhatIsWaitedForIsSaid(t *testing.T) {
	s, err := Read("httpbin", "", own, "1.0")
	if err != nil {
		t.Fatal(err)
	}
	s.Objects = slices.DeleteFunc(s.Objects, func(o *unstructured.Unstructured) bool { return o.GetName() == "httpbin-v2" })
	for name, row := range map[string]struct {
		change         func(*view, *corev1.Pod)
		waits, failure string
	}{
		"all is there":          {func(*view, *corev1.Pod) {}, "", ""},
		"no endpoint":           {func(v *view, _ *corev1.Pod) { v.slices = nil }, "Service/httpbin: an endpoint", ""},
		"an endpoint not ready": {func(v *view, _ *corev1.Pod) { no := false; v.slices[0].Endpoints[0].Conditions.Ready = &no }, "Service/httpbin: an endpoint", ""},
		"no pod":                {func(v *view, _ *corev1.Pod) { v.pods = nil; v.deployments[0].Status = appsv1.DeploymentStatus{} }, "its pods to be made", ""},
		"no node": {func(_ *view, p *corev1.Pod) {
			p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Message: "0/1 nodes"}}
		}, "a node to take it (0/1 nodes)", ""},
		"the sidecar not ready": {func(_ *view, p *corev1.Pod) {
			p.Status.Conditions[1].Status = corev1.ConditionFalse
			p.Status.ContainerStatuses[1].Ready = false
		}, "pod httpbin-v1-x-y: its sidecar to be ready", ""},
		"containers that start":   {func(_ *view, p *corev1.Pod) { waits(p, 0, "ContainerCreating", ""); waits(p, 1, "PodInitializing", "") }, "httpbin, its sidecar to start", ""},
		"a pull that failed once": {func(_ *view, p *corev1.Pod) { waits(p, 0, "ErrImagePull", "no such host") }, "httpbin to start (ErrImagePull: no such host)", ""},
		"an image nobody has":     {func(_ *view, p *corev1.Pod) { waits(p, 0, "ImagePullBackOff", "no such host") }, "", "cannot pull the image nowhere/it:1 of container httpbin (ImagePullBackOff: no such host)"},
		"a container that ends":   {func(_ *view, p *corev1.Pod) { waits(p, 0, "CrashLoopBackOff", "back-off") }, "", "ends again and again"},
		"no sidecar":              {func(_ *view, p *corev1.Pod) { p.Spec.Containers = p.Spec.Containers[:1] }, "", "gave it no sidecar"},
		"a former pod that fails": {func(v *view, p *corev1.Pod) {
			waits(p, 0, "ImagePullBackOff", "")
			v.sets[0].Annotations = map[string]string{"deployment.kubernetes.io/revision": "1"}
			v.deployments[0].Status.Replicas = 2
		}, "its former pods to go", ""},
		"a spec not yet looked at": {func(v *view, _ *corev1.Pod) { v.deployments[0].Generation = 2 }, "its pods to be made", ""},
		"a deletion":               {func(v *view, _ *corev1.Pod) { v.deployments = nil }, "", "somebody has deleted Deployment/httpbin-v1"},
		"a refusal": {func(v *view, _ *corev1.Pod) {
			v.deployments[0].Status = appsv1.DeploymentStatus{Conditions: []appsv1.DeploymentCondition{{Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate", Message: "quota"}}}
			v.pods = nil
		}, "its pods to be made (FailedCreate: quota)", ""},
	} {
		waiting, err := aView(row.change).waitingFor([]Sample{s})
		switch words := strings.Join(waiting, "; "); {
		case row.failure != "":
			if err == nil || !strings.Contains(err.Error(), row.failure) {
				t.Errorf("%s: error %v, want %s", name, err, row.failure)
			}
		case err != nil || !strings.Contains(words, row.waits) || (row.waits == "") != (words == ""):
			t.Errorf("%s: waiting for %q (%v), want %q", name, words, err, row.waits)
		}
	}
}

func TestARefusalThatLastsEndsTheWaiting(t *testing.T) {
	v := aView(func(v *view, _ *corev1.Pod) {
		v.deployments[0].Status.Conditions = []appsv1.DeploymentCondition{{Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Message: "quota"}}
	})
	since := map[string]time.Time{}
	if err := v.refusing(since); err != nil {
		t.Errorf("at first sight: %v", err)
	}
	since["httpbin-v1"] = time.Now().Add(-refusedLimit - time.Second)
	if err := v.refusing(since); err == nil || !strings.Contains(err.Error(), "quota") {
		t.Errorf("after %s: %v", refusedLimit, err)
	}
	v.deployments[0].Status.Conditions = nil
	if err := v.refusing(since); err != nil || len(since) != 0 {
		t.Errorf("when it is over: %v, %v", err, since)
	}
}

// A cluster that is away may be back: that ends neither the waiting for pods nor for their end.
func TestAClusterThatIsAwayIsWaitedFor(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	in, err := Open(&rest.Config{Host: server.URL}, "shop")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	s, err := Read("sleep", "", own, "1.0")
	if err != nil {
		t.Fatal(err)
	}
	tooLong := errors.New("that took too long")
	var said []string
	ctx, cancel := context.WithTimeoutCause(t.Context(), lookEvery*3/2, tooLong)
	defer cancel()
	err = in.Wait(ctx, []Sample{s}, func(words string) { said = append(said, words) })
	if !errors.Is(err, tooLong) || !strings.Contains(err.Error(), "the cluster to answer") || len(said) < 2 {
		t.Errorf("error %v after %q", err, said)
	}
	interrupted, interrupt := context.WithCancel(t.Context())
	err = in.Wait(interrupted, []Sample{s}, func(string) { interrupt() })
	if err == nil || !strings.Contains(err.Error(), "it was interrupted; still waiting for the cluster to answer") {
		t.Errorf("interrupted: %v", err)
	}
	if _, err := in.Plan(t.Context(), []Sample{s}); err == nil || cluster.Answers(err) || !strings.Contains(err.Error(), "reaching the cluster") {
		t.Errorf("Plan: %v", err)
	}
}
