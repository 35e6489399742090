//go:build e2e

package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	batch "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/meshchaos/meshchaos/internal/journal"
	"github.com/meshchaos/meshchaos/internal/mesh/istio"
	"github.com/meshchaos/meshchaos/manifests"
	"github.com/meshchaos/meshchaos/report"
)

// plurals are the resources of the kinds that the manifests for a cluster have.
var plurals = map[string]string{
	"ServiceAccount": "serviceaccounts", "Role": "roles", "RoleBinding": "rolebindings",
	"CronJob": "cronjobs", "PersistentVolumeClaim": "persistentvolumeclaims",
}

// night is the namespace of the tests, whose cluster runs and restores by itself.
type night struct {
	kube      kubernetes.Interface
	namespace string
}

func newNight(t *testing.T) night {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("MESHCHAOS_E2E_KUBECONFIG"))
	if err != nil {
		t.Fatal(err)
	}
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return night{kube, optionsOf("").Namespace}
}

// apply applies a manifest for the namespace until the test ends, and returns its
// CronJob, which makes no jobs by itself.
func (n night) apply(t *testing.T, name string) (job *batch.CronJob) {
	t.Helper()
	text, err := manifests.ForCluster(name, n.namespace, image())
	if err != nil {
		t.Fatal(err)
	}
	for documents := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096); ; {
		o := &unstructured.Unstructured{}
		if err := documents.Decode(o); errors.Is(err, io.EOF) {
			return job
		} else if err != nil {
			t.Fatal(err)
		}
		if o.GetKind() == "CronJob" {
			job = &batch.CronJob{}
			if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(o.Object, job, true); err != nil {
				t.Fatal(err)
			}
			_ = unstructured.SetNestedField(o.Object, true, "spec", "suspend")
		}
		kind := o.GroupVersionKind()
		of := dynamicClient(t).Resource(schema.GroupVersionResource{Group: kind.Group, Version: kind.Version, Resource: plurals[kind.Kind]}).Namespace(o.GetNamespace())
		if _, err := of.Create(t.Context(), o, metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = of.Delete(context.Background(), o.GetName(), metav1.DeleteOptions{}) })
	}
}

// run makes a job as a CronJob does, and returns what it said once it has succeeded.
func (n night) run(t *testing.T, of *batch.CronJob, limit time.Duration) (name, said string) {
	t.Helper()
	jobs := n.kube.BatchV1().Jobs(n.namespace)
	job, err := jobs.Create(t.Context(), &batch.Job{
		ObjectMeta: metav1.ObjectMeta{GenerateName: of.Name + "-", Labels: of.Spec.JobTemplate.Labels}, Spec: of.Spec.JobTemplate.Spec,
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		background := metav1.DeletePropagationBackground
		_ = jobs.Delete(context.Background(), job.Name, metav1.DeleteOptions{PropagationPolicy: &background})
	})
	err = wait.PollUntilContextTimeout(t.Context(), time.Second, limit, true, func(ctx context.Context) (bool, error) {
		job, err = jobs.Get(ctx, job.Name, metav1.GetOptions{})
		return err == nil && job.Status.Succeeded+job.Status.Failed > 0, err
	})
	pods, _ := n.kube.CoreV1().Pods(n.namespace).List(t.Context(), metav1.ListOptions{LabelSelector: batch.JobNameLabel + "=" + job.Name})
	for _, pod := range pods.Items {
		log, _ := n.kube.CoreV1().Pods(n.namespace).GetLogs(pod.Name, &corev1.PodLogOptions{}).DoRaw(t.Context())
		said += string(log)
		if containers := len(pod.Spec.Containers) + len(pod.Spec.InitContainers); containers != 1 {
			t.Errorf("the pod of the job has %d containers; a sidecar would keep it from ending", containers)
		}
	}
	if err != nil || job.Status.Succeeded != 1 {
		t.Fatalf("the job %s did not succeed: %v\n%s", job.Name, err, said)
	}
	return job.Name, said
}

// TestTheNightlyJobRunsScenariosAndKeepsTheirReports has one without and one with
// load by the gateway run in the cluster, the second for a host of a namespace in which
// nobody granted anything, with the rights of manifests/rbac.yaml alone. The
// volume is a folder of this machine, which is the node.
func TestTheNightlyJobRunsScenariosAndKeepsTheirReports(t *testing.T) {
	n := newNight(t)
	before := standing(t, n.namespace)
	n.apply(t, "rbac")
	reports := n.volume(t)
	job := n.apply(t, "nightly")
	night := []string{"breaker-httpbin", "ingress-micro-api"}
	n.scenarios(t, night...)
	name, said := n.run(t, job, 5*time.Minute)
	for _, scenario := range night {
		text, err := os.ReadFile(filepath.Join(reports, name, scenario, "report.json"))
		if err != nil {
			t.Fatalf("%v\n%s", err, said)
		}
		var record report.Record
		if err := json.Unmarshal(text, &record); err != nil {
			t.Fatal(err)
		}
		if record.Scenario.Name != scenario || record.Verdict != report.Pass || !record.Restored {
			t.Errorf("%s: the report says %s of %s, restored %v", scenario, record.Verdict, record.Scenario.Name, record.Restored)
		}
	}
	if diff := cmp.Diff(before, standing(t, n.namespace)); diff != "" {
		t.Errorf("after the night (-before +after):\n%s", diff)
	}
}

// volume is what the claim of the nightly job is bound to, until the test ends.
// Kubernetes gives the folder of a node to no group, so it is for everybody.
func (n night) volume(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	if err := os.Chmod(folder, 0o777); err != nil { //nolint:gosec // the pod's user is nobody of this machine
		t.Fatal(err)
	}
	volumes := n.kube.CoreV1().PersistentVolumes()
	made, err := volumes.Create(t.Context(), &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{GenerateName: n.namespace + "-reports-"},
		Spec: corev1.PersistentVolumeSpec{
			Capacity:               corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")},
			AccessModes:            []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			ClaimRef:               &corev1.ObjectReference{Namespace: n.namespace, Name: "meshchaos-reports"},
			PersistentVolumeSource: corev1.PersistentVolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: folder}},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = volumes.Delete(context.Background(), made.Name, metav1.DeleteOptions{}) })
	return folder
}

// scenarios makes the ConfigMap of the nightly job, of scenarios of the library.
func (n night) scenarios(t *testing.T, names ...string) {
	t.Helper()
	files := map[string]string{}
	for _, name := range names {
		text, err := os.ReadFile("../../scenarios/library/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		files[name+".yaml"] = string(text)
	}
	maps := n.kube.CoreV1().ConfigMaps(n.namespace)
	if _, err := maps.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "meshchaos-scenarios"}, Data: files}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = maps.Delete(context.Background(), "meshchaos-scenarios", metav1.DeleteOptions{}) })
}

// TestTheReaperUndoesWhatWasKilledAndLeavesTheLivingAlone has a run killed when its
// breaker is in force.
func TestTheReaperUndoesWhatWasKilledAndLeavesTheLivingAlone(t *testing.T) {
	n := newNight(t)
	job := n.apply(t, "reaper")
	before := standing(t, n.namespace)
	at := standBetween(t).endAt(t, "breaker-httpbin", "dead", 6, func(_ *testing.T, p *process, _ string, _ func()) {
		_ = p.Process.Kill()
		<-p.ended
	})
	if at == "" || cmp.Equal(before, standing(t, n.namespace)) {
		t.Fatalf("killed at %q, and nothing is left", at)
	}
	n.dueIn(t, "dead", -6*time.Minute)
	n.dueIn(t, "lost", -4*time.Minute)
	n.dueIn(t, "alive", time.Minute)
	_, said := n.run(t, job, 2*time.Minute)
	after := standing(t, n.namespace)
	for _, run := range []string{"lost", "alive"} {
		ledger := "ConfigMap/meshchaos-ledger-" + run
		if after[ledger] == "" {
			t.Errorf("the ledger of the run %s is gone", run)
		}
		delete(after, ledger)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the reaper said\n%s\nand there is (-before +after):\n%s", said, diff)
	}
}

// dueIn gives a run a ledger with such a deadline, until the test ends at the latest.
func (n night) dueIn(t *testing.T, run string, ahead time.Duration) {
	t.Helper()
	m, err := istio.Open(t.Context(), optionsOf(run))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = m.Settle(context.Background(), run)
		_ = m.Close(context.Background())
	})
	ledgers, err := m.Ledgers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ledger := &journal.Ledger{Run: run, Scenario: "breaker-httpbin", By: "somebody", Started: time.Now().UTC()}
	for _, l := range ledgers {
		if l.Run == run {
			ledger = l
		}
	}
	ledger.Deadline = time.Now().Add(ahead).UTC()
	if err := m.Enter(t.Context(), ledger); err != nil {
		t.Fatal(err)
	}
}
