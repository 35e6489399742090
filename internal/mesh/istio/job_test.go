package istio

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/loadgen"
)

func TestSendersAreThePodsOfOneIndexedJob(t *testing.T) {
	c := &Cluster{namespace: "book", id: "t1", image: "our:1", lifetime: 1e9}
	w := &workload{name: c.nameOf("", 3, 1), senders: 3}
	pod, err := c.sent(w)
	if err != nil {
		t.Fatal(err)
	}
	job := jobOf(w, pod)
	if s := job.Spec; *s.CompletionMode != batchv1.IndexedCompletion || *s.Completions != 3 || *s.Parallelism != 3 || *s.BackoffLimitPerIndex != 0 || *s.ActiveDeadlineSeconds != 1 || *s.TTLSecondsAfterFinished == 0 {
		t.Errorf("it is %+v", s)
	}
	if job.Name != "meshchaos-client-t1-x3" || job.Namespace != "book" || job.Labels[label] != "t1" || job.Spec.Template.Labels[label] != "t1" || job.Spec.Template.Name != "" || job.Spec.Template.Spec.RestartPolicy != corev1.RestartPolicyNever {
		t.Errorf("it is %+v, its pods %+v", job.ObjectMeta, job.Spec.Template.ObjectMeta)
	}
	agent := job.Spec.Template.Spec.Containers[0]
	if agent.Resources.Limits.Cpu().String() != "2" || agent.Resources.Limits.Memory().String() != "512Mi" || agent.Image != "our:1" {
		t.Errorf("its agent is %+v", agent)
	}
	for _, borrows := range []string{"page-v1", strings.Repeat("a-workload-with-a-long-name-", 5) + "v1"} {
		first, other := c.nameOf(borrows, 3, 1), c.nameOf(borrows, 3, 2)
		if len(first) > maxJobName || len(other) > maxJobName || first == other || first == c.nameOf(borrows, 4, 1) {
			t.Errorf("Jobs for %s are named %s and %s", borrows, first, other)
		}
	}
}

// podsOfAJob are such, each ready or not.
func podsOfAJob(ready map[int]bool) *corev1.PodList {
	list := &corev1.PodList{TypeMeta: metav1.TypeMeta{Kind: "PodList", APIVersion: "v1"}}
	for i, is := range ready {
		pod := corev1.Pod{ObjectMeta: metav1.ObjectMeta{
			Name: fmt.Sprintf("j-%d-x", i), Annotations: map[string]string{batchv1.JobCompletionIndexAnnotation: fmt.Sprint(i)},
			OwnerReferences: []metav1.OwnerReference{{Kind: "Job", Name: "j", UID: "u", Controller: new(bool)}},
		}}
		*pod.OwnerReferences[0].Controller = true
		pod.Spec.Containers = []corev1.Container{{Name: agentContainer}, {Name: proxyContainer, Image: "proxy"}}
		if is {
			pod.Status = corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.ContainersReady, Status: corev1.ConditionTrue}}}
		}
		list.Items = append(list.Items, pod)
	}
	return list
}

// withJob is a cluster that lists the pods of a Job, each time others.
func withJob(t *testing.T, lists ...*corev1.PodList) *Cluster {
	t.Helper()
	var mu sync.Mutex
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if !strings.HasSuffix(r.URL.Path, "/pods") || r.URL.Query().Get("labelSelector") != "batch.kubernetes.io/job-name=j" {
			fails(w, http.StatusNotFound, "NotFound", "not here")
			return
		}
		if lists[0] == nil {
			fails(w, http.StatusServiceUnavailable, "ServiceUnavailable", "etcd is away")
		} else {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(lists[0])
		}
		if len(lists) > 1 {
			lists = lists[1:]
		}
	}))
	t.Cleanup(server.Close)
	kube, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL, QPS: -1})
	if err != nil {
		t.Fatal(err)
	}
	return &Cluster{namespace: "book", image: "our:1", kube: kube}
}

func TestAJobIsWaitedForUntilAllItsPodsAreThere(t *testing.T) {
	three := int32(3)
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "j", UID: "u"}, Spec: batchv1.JobSpec{Completions: &three}}
	foreign := podsOfAJob(map[int]bool{0: true, 1: true, 2: true})
	foreign.Items[0].OwnerReferences[0].UID = "of a former one"
	c := withJob(t, podsOfAJob(nil), nil, foreign, podsOfAJob(map[int]bool{0: true, 1: false, 2: true}), podsOfAJob(map[int]bool{2: true, 0: true, 1: true}))
	pods, err := c.awaitPods(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, pod := range pods {
		names = append(names, pod.Name)
	}
	if !slices.Equal(names, []string{"j-0-x", "j-1-x", "j-2-x"}) {
		t.Errorf("they are %q", names)
	}
	bare, broken := podsOfAJob(map[int]bool{1: false}), podsOfAJob(map[int]bool{1: false})
	bare.Items[0].Spec.Containers = bare.Items[0].Spec.Containers[:1]
	broken.Items[0].Status.ContainerStatuses = []corev1.ContainerStatus{{Name: agentContainer, State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff"}}}}
	for want, list := range map[string]*corev1.PodList{"no sidecar by Istio": bare, "cannot pull the image our:1": broken} {
		if _, err := withJob(t, list).awaitPods(t.Context(), job); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "pod j-1-x") {
			t.Errorf("error %v; want %s", err, want)
		}
	}
}

// Of the many times that a cluster has refused a pod of a Job the last is told of.
func TestWhyAPodOfAJobIsNotMadeIsToldOnce(t *testing.T) {
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "j", UID: "u"}}
	for want, answer := range map[string]string{
		"FailedCreate: exceeded quota of pods": `{"kind":"EventList","apiVersion":"v1","items":[
			{"reason":"FailedCreate","message":"webhook is away","lastTimestamp":"2026-01-02T03:04:05Z"},
			{"reason":"FailedCreate","message":"exceeded quota of pods","lastTimestamp":"2026-01-02T03:04:07Z"},
			{"reason":"FailedCreate","message":"exceeded quota","lastTimestamp":"2026-01-02T03:04:06Z"}]}`,
		"": `{"kind":"EventList","apiVersion":"v1","items":[]}`,
	} {
		c, _ := withPods(t, func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasSuffix(r.URL.Path, "/events") || !strings.Contains(r.URL.Query().Get("fieldSelector"), "involvedObject.uid=u") {
				return false
			}
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, answer)
			return true
		})
		if got := c.refused(t.Context(), job); got != want {
			t.Errorf("it says %q, want %q", got, want)
		}
	}
}

func TestAJobIsDeletedBeforeItsPods(t *testing.T) {
	for name, test := range map[string]struct {
		jobs int // the status of listing them
		want []string
	}{
		"one is there":       {http.StatusOK, []string{"jobs/j", "pods/a", "pods/b"}},
		"nobody may see any": {http.StatusForbidden, []string{"pods/a", "pods/b"}},
	} {
		t.Run(name, func(t *testing.T) {
			var order []string
			c, _ := withPods(t, func(w http.ResponseWriter, r *http.Request) bool {
				parts := strings.Split(r.URL.Path, "/")
				switch {
				case r.Method == http.MethodDelete:
					order = append(order, strings.Join(parts[len(parts)-2:], "/"))
					return false
				case parts[len(parts)-1] != "jobs":
					return false
				case test.jobs != http.StatusOK:
					fails(w, test.jobs, "Forbidden", "may not list jobs")
				default:
					fmt.Fprint(w, `{"kind":"JobList","apiVersion":"batch/v1","items":[{"metadata":{"name":"j"}}]}`)
				}
				return true
			}, "a", "b")
			if err := c.deletePods(t.Context(), "t1", "", ""); err != nil {
				t.Fatal(err)
			}
			if order = slices.Compact(order); len(order) < len(test.want) || !slices.Equal(order[:len(test.want)], test.want) {
				t.Errorf("deleted were %q, want %q", order, test.want)
			}
		})
	}
}

// Of pods that a Job makes anew nobody is rid who may not see it.
func TestTheRightToSeeAJobIsNamed(t *testing.T) {
	c, deleted := withPods(t, func(w http.ResponseWriter, r *http.Request) bool {
		switch {
		case strings.HasSuffix(r.URL.Path, "/jobs"):
			fails(w, http.StatusForbidden, "Forbidden", "may not list jobs")
		case r.Method == http.MethodGet:
			_ = json.NewEncoder(w).Encode(podsOfAJob(map[int]bool{0: true}))
		default:
			return false
		}
		return true
	})
	if err := c.deletePods(t.Context(), "t1", "", ""); err == nil || !strings.Contains(err.Error(), "may not list jobs") || len(deleted) > 0 {
		t.Errorf("error %v, deleted %v", err, deleted)
	}
}

// withSenders has two more pods for the load workload that borrows none.
func withSenders(t *testing.T) *Mesh {
	m := agents(t)
	w := m.workloads[""].lent
	for i := range 2 {
		other := agents(t).workloads[""].lent
		other.name, other.pod = w.name, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("client-%d", i+1)}}
		w.rest = append(w.rest, other)
	}
	w.pod = &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "client-0"}}
	return m
}

func TestALoadOfSendersComesFromAllPods(t *testing.T) {
	m := withSenders(t)
	url, asked := page(t)
	three, two := calls(url, "three", mesh.FromClient, 60, ""), calls(url, "two", mesh.FromClient, 20, "")
	three.Plan.Connections, three.Plan.Senders = 3, 3
	two.Plan.Connections, two.Plan.Senders = 2, 2
	cohorts := []mesh.Cohort{three, two, calls(url, "one", mesh.FromClient, 0, "three"), calls(url, "theirs", "page-v1", 5, "")}
	results, err := m.Load(t.Context(), cohorts, mesh.Guard{}, begunAtOnce, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, pods := range map[string]int{"three": 3, "two": 2, "one": 0, "theirs": 0} {
		r := results[name]
		if len(r.Senders) != pods || pods > 0 && (r.Senders[1].Name != "pod /client-1" || r.Senders[1].Sent == 0) {
			t.Errorf("%s was sent by %+v", name, r.Senders)
		}
	}
	if sent := results["three"].Sent + results["two"].Sent + results["one"].Sent + results["theirs"].Sent; results["three"].Sent != 60 || results["two"].Sent != 20 || asked.Load() != sent {
		t.Errorf("%d were sent and %d came", sent, asked.Load())
	}
	four := three
	four.Plan.Connections, four.Plan.Senders = 4, 4
	if _, err := m.Load(t.Context(), []mesh.Cohort{four}, mesh.Guard{}, begunAtOnce, nil); err == nil || !strings.Contains(err.Error(), "3 pods for 4 senders") {
		t.Errorf("error %v", err)
	}
}

func TestAPodOfSendersThatDiesIsNamed(t *testing.T) {
	m := withSenders(t)
	url, _ := page(t)
	three := calls(url, "three", mesh.FromClient, 0, "")
	three.Plan.Connections, three.Plan.Senders = 3, 3
	dead := m.workloads[""].lent.rest[0].vigil
	dead.why, dead.logged = errors.New("somebody deleted it"), make(chan struct{})
	close(dead.logged)
	var once sync.Once
	results, err := m.Load(t.Context(), []mesh.Cohort{three}, mesh.Guard{}, begunAtOnce, func(p loadgen.Progress) {
		if p.Sent > 20 {
			once.Do(func() { close(dead.over) })
		}
	})
	if err == nil || !strings.Contains(err.Error(), "client-1, died: somebody deleted it") {
		t.Fatalf("error %v", err)
	}
	// Its agent could still tell what it had sent.
	if r := results["three"]; r == nil || len(r.Senders) != 3 || r.Senders[1].Name != "pod /client-1" || r.Senders[1].Sent == 0 || r.Senders[0].Lost != "" || !strings.Contains(r.Senders[1].Lost, "somebody deleted it") {
		t.Errorf("it came to %+v", r)
	}
}

// A Job makes a pod of its own anew, so that whoever is in the way is told to delete that.
func TestWhoIsInTheWayIsToldOfWithWhatMadeIt(t *testing.T) {
	m := &Mesh{Cluster: &Cluster{id: "t1"}}
	controls := true
	pod := func(name, of string, owners ...metav1.OwnerReference) corev1.Pod {
		return corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "book", Labels: map[string]string{label: of}, OwnerReferences: owners}, Status: corev1.PodStatus{Phase: corev1.PodRunning}}
	}
	warnings := m.othersLoad([]corev1.Pod{pod("alone", "t2"), pod("senders-0", "t2", metav1.OwnerReference{Kind: "Job", Name: "senders", Controller: &controls}), pod("ours", "t1")})
	if len(warnings) != 2 || !strings.HasSuffix(warnings[0], ": kubectl -n book delete pod alone") || !strings.HasSuffix(warnings[1], ": kubectl -n book delete job senders") {
		t.Errorf("it warns %q", warnings)
	}
}
