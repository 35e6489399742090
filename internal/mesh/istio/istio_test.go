//go:build e2e

package istio

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	networking "istio.io/api/networking/v1alpha3"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshchaos/meshchaos/internal/agent"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/loadgen"
)

// These tests need a cluster with Istio (MESHCHAOS_E2E_KUBECONFIG) and an image
// of this program that it has (MESHCHAOS_E2E_IMAGE). They make a namespace of
// their own, and delete it. They need no application: a VirtualService with a
// direct response lets a proxy answer by itself.

// open makes a namespace and opens the mesh in it.
func open(t *testing.T) *Mesh {
	t.Helper()
	kubeconfig := os.Getenv("MESHCHAOS_E2E_KUBECONFIG")
	if kubeconfig == "" {
		t.Fatal("MESHCHAOS_E2E_KUBECONFIG names no kubeconfig")
	}
	outer, err := Open(t.Context(), Options{Kubeconfig: kubeconfig, Namespace: "default"})
	if err != nil {
		t.Fatal(err)
	}
	made, err := outer.kube.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		GenerateName: "istio-test-", Labels: map[string]string{"istio-injection": "enabled"},
	}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := outer.kube.CoreV1().Namespaces().Delete(context.Background(), made.Name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
		if err := outer.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	m, err := Open(t.Context(), Options{Kubeconfig: kubeconfig, Namespace: made.Name, Image: os.Getenv("MESHCHAOS_E2E_IMAGE"), Run: "t1", Log: func(s string) { t.Log(s) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		began := time.Now()
		if err := m.Close(context.Background()); err != nil {
			t.Error(err)
		}
		t.Logf("closed after %s", time.Since(began).Round(time.Millisecond))
		_, err := m.kube.CoreV1().Pods(m.namespace).Get(context.Background(), "meshchaos-client-t1", metav1.GetOptions{})
		if !apierrors.IsNotFound(err) {
			t.Errorf("after Close the load workload is still there (%v)", err)
		}
	})
	return m
}

// virtualService is an object as a user has it on disk.
func virtualService(t *testing.T, spec string) *rules.Object {
	t.Helper()
	o, err := rules.DecodeFile([]byte(`{"apiVersion":"networking.istio.io/v1beta1","kind":"VirtualService","metadata":{"name":"ping","labels":{"team":"a"}},"spec":` + spec + `}`))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

const pong = `{"hosts":["ping"],"http":[{"name":"pong","directResponse":{"status":200,"body":{"string":"pong"}}}]}`

// raw reads an object past the code under test.
func raw(t *testing.T, m *Mesh, ref rules.Ref) *unstructured.Unstructured {
	t.Helper()
	r, err := m.resource(ref)
	if err != nil {
		t.Fatal(err)
	}
	u, err := r.Get(t.Context(), ref.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// write writes a change that must succeed.
func write(t *testing.T, m *Mesh, c rules.Change) *rules.Object {
	t.Helper()
	o, err := m.Write(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// existing makes a VirtualService as somebody else would have, with metadata
// and a spelling that an Object does not keep.
func existing(t *testing.T, m *Mesh) *rules.Object {
	t.Helper()
	r, err := m.resource(rules.Ref{Kind: rules.VirtualService})
	if err != nil {
		t.Fatal(err)
	}
	u := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
		"metadata": map[string]any{
			"name": "ping", "labels": map[string]any{"team": "a"}, "annotations": map[string]any{"note": "theirs"},
			"finalizers": []any{"example.com/keep"},
		},
		"spec": map[string]any{
			"hosts": []any{"ping"},
			"http":  []any{map[string]any{"timeout": "1m30s", "route": []any{map[string]any{"destination": map[string]any{"host": "ping"}, "weight": int64(0)}}}},
		},
	}}
	if _, err := r.Create(t.Context(), u, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	objects, err := m.Objects(t.Context())
	if err != nil || len(objects) != 1 {
		t.Fatalf("objects %v, error %v; want the one that was made", objects, err)
	}
	t.Cleanup(func() { // so that the namespace can go
		if _, err := r.Patch(context.Background(), "ping", "application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{}); err != nil && !apierrors.IsNotFound(err) {
			t.Error(err)
		}
	})
	return objects[0]
}

func TestAnUpdateIsUndoneToTheLetter(t *testing.T) {
	m := open(t)
	before := existing(t, m)
	was := raw(t, m, before.Ref)
	after := before.Clone()
	after.Spec.(*networking.VirtualService).Http[0].Fault = &networking.HTTPFaultInjection{Abort: &networking.HTTPFaultInjection_Abort{
		ErrorType: &networking.HTTPFaultInjection_Abort_HttpStatus{HttpStatus: 500}, Percentage: &networking.Percent{Value: 100},
	}}
	after.Labels["run"] = "t1"
	if err := m.Admit(t.Context(), []*rules.Object{after}); err != nil {
		t.Fatal(err)
	}
	if now := raw(t, m, before.Ref); now.GetResourceVersion() != was.GetResourceVersion() {
		t.Error("Admit changed the object")
	}
	written := write(t, m, rules.Change{Before: before, After: after})
	now := raw(t, m, before.Ref)
	if !rules.HasFault(written) || now.GetLabels()["run"] != "t1" || now.GetAnnotations()["note"] != "theirs" || len(now.GetFinalizers()) != 1 {
		t.Errorf("written: %v", now.Object)
	}

	_, err := m.Write(t.Context(), rules.Change{Before: before, After: after})
	var conflict *mesh.ConflictError
	if !errors.As(err, &conflict) || conflict.Want != before.ResourceVersion || conflict.Have != written.ResourceVersion {
		t.Errorf("writing over a version that was not read: %v; want a ConflictError", err)
	}
	_, err = m.Write(t.Context(), rules.Change{Before: before})
	if !errors.As(err, &conflict) {
		t.Errorf("deleting a version that was not read: %v; want a ConflictError", err)
	}

	change := rules.Change{Before: before, After: after}
	back := write(t, m, rules.Change{Before: written, After: change.Before})
	if !rules.Equal(back, before) {
		t.Errorf("undone: %v", rules.Diff(before, back))
	}
	now = raw(t, m, before.Ref)
	for _, field := range []string{"spec", "metadata.labels", "metadata.annotations", "metadata.finalizers"} {
		path := strings.Split(field, ".")
		want, _, _ := unstructured.NestedFieldNoCopy(was.Object, path...)
		have, _, _ := unstructured.NestedFieldNoCopy(now.Object, path...)
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("%s after the undo (-was +is):\n%s", field, diff)
		}
	}
}

func TestWhoOwnedTheFieldsOfAnObjectOwnsThemAgain(t *testing.T) {
	m := open(t)
	r, err := m.resource(rules.Ref{Kind: rules.VirtualService})
	if err != nil {
		t.Fatal(err)
	}
	apply := func(timeout string) error {
		_, err := r.Apply(t.Context(), "ping", &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": map[string]any{"name": "ping"},
			"spec": map[string]any{"hosts": []any{"ping"}, "http": []any{map[string]any{"timeout": timeout, "route": []any{map[string]any{"destination": map[string]any{"host": "ping"}}}}}},
		}}, metav1.ApplyOptions{FieldManager: "argocd"})
		return err
	}
	if err := apply("1s"); err != nil {
		t.Fatal(err)
	}
	objects, err := m.Objects(t.Context())
	if err != nil || len(objects) != 1 {
		t.Fatalf("objects %v, error %v", objects, err)
	}
	was := raw(t, m, objects[0].Ref)
	after := objects[0].Clone()
	after.Spec.(*networking.VirtualService).Http[0].Timeout = nil
	change := rules.Change{Before: objects[0], After: after}
	back := write(t, m, rules.Change{Before: write(t, m, change), After: change.Before})
	now := raw(t, m, back.Ref)
	if diff := cmp.Diff(was.GetManagedFields(), now.GetManagedFields()); diff != "" || back.ResourceVersion != now.GetResourceVersion() {
		t.Errorf("resource version %s, not %s; the owners (-were +are):\n%s", back.ResourceVersion, now.GetResourceVersion(), diff)
	}
	if err := apply("2s"); err != nil {
		t.Errorf("the owner's next apply: %v", err)
	}
}

func TestACreationIsUndoneByDeletingAndADeletionByCreating(t *testing.T) {
	m := open(t)
	o := virtualService(t, pong)
	o.Namespace = m.namespace
	if err := m.Admit(t.Context(), []*rules.Object{o}); err != nil {
		t.Fatal(err)
	}
	creation := rules.Change{After: o}
	created := write(t, m, creation)
	if created.ResourceVersion == "" || created.Manifest == nil || !rules.Equal(created, o) {
		t.Errorf("created %+v", created)
	}
	var conflict *mesh.ConflictError
	if _, err := m.Write(t.Context(), creation); !errors.As(err, &conflict) || conflict.Have != created.ResourceVersion {
		t.Errorf("creating it again: %v; want a ConflictError", err)
	}
	deletion := rules.Change{Before: created}
	if gone := write(t, m, deletion); gone != nil || raw(t, m, o.Ref) != nil {
		t.Errorf("after the deletion there is %v", gone)
	}
	again := write(t, m, rules.Change{After: deletion.Before})
	if !rules.Equal(again, created) {
		t.Errorf("made again: %v", rules.Diff(created, again))
	}
	write(t, m, rules.Change{Before: again, After: creation.Before})
	if raw(t, m, o.Ref) != nil {
		t.Error("the creation was not undone")
	}
	if _, err := m.Write(t.Context(), rules.Change{Before: again, After: creation.Before}); !errors.As(err, &conflict) || conflict.Have != "" {
		t.Errorf("deleting what is gone: %v; want a ConflictError", err)
	}
}

func TestADeletionThatAFinalizerHoldsIsNone(t *testing.T) {
	m := open(t)
	held := existing(t, m)
	_, err := m.Write(t.Context(), rules.Change{Before: held})
	if err == nil || !strings.Contains(err.Error(), "finalizer example.com/keep") || !strings.Contains(err.Error(), "kubectl -n "+m.namespace+" patch") {
		t.Errorf("deleting what a finalizer holds: %v", err)
	}
}

func TestWhatTheClusterRefusesIsRefusedBeforeItIsWritten(t *testing.T) {
	m := open(t)
	o := virtualService(t, `{"hosts":["ping"],"http":[{"timeout":"0.0001s","route":[{"destination":{"host":"ping"}}]}]}`)
	err := m.Admit(t.Context(), []*rules.Object{o})
	if err == nil || !strings.Contains(err.Error(), "ping") || !strings.Contains(err.Error(), "timeout") {
		t.Errorf("error %v; want that the timeout of ping is refused", err)
	}
	t.Log(err)
}

func TestLoadPassesItsSidecarAndTheGateway(t *testing.T) {
	m := open(t)
	createPing(t, m)
	services, err := m.Services(t.Context())
	want := []mesh.Service{{Name: "ping", Host: "ping." + m.namespace + ".svc.cluster.local", Ports: []mesh.Port{{Number: 8000}}}}
	if diff := cmp.Diff(want, services); err != nil || diff != "" {
		t.Errorf("services (error %v):\n%s", err, diff)
	}
	began := time.Now()
	client, gateway := proxies(t, m)
	t.Logf("the load workload was ready after %s; %s", time.Since(began).Round(time.Millisecond), m.Info().Version)

	write(t, m, rules.Change{After: virtualService(t, pong)})
	host := m.namespace + ".example.com"
	entrance := virtualService(t, `{"hosts":["`+host+`"],"gateways":["entrance"],"http":[{"directResponse":{"status":200,"body":{"string":"door"}}}]}`)
	entrance.Name = "entrance"
	write(t, m, rules.Change{After: entrance})
	door, err := rules.DecodeFile([]byte(`{"apiVersion":"networking.istio.io/v1","kind":"Gateway","metadata":{"name":"entrance"},"spec":{"selector":{"istio":"ingressgateway"},"servers":[{"port":{"number":80,"name":"http","protocol":"HTTP"},"hosts":["` + host + `"]}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	write(t, m, rules.Change{After: door})
	configured(t, client, "pong")
	configured(t, gateway, host)

	cohorts := []mesh.Cohort{
		cohort("inside", mesh.FromClient, "http://ping:8000/", "pong", 200),
		cohort("outside", mesh.FromGateway, "http://"+host+"/", "door", 100),
	}
	seen := map[string]int64{}
	before := counter(t, client, "http.outbound_0.0.0.0_8000;.downstream_rq_total")
	outside := counter(t, client, "http.outbound_0.0.0.0_80;.downstream_rq_total")
	log, err := client.Log(t.Context(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	results, err := m.Load(t.Context(), cohorts, mesh.Guard{}, begun, func(p loadgen.Progress) { seen[p.Cohort] = p.Sent })
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cohorts {
		r := results[c.Name]
		if len(r.Outcomes) != 1 || r.Outcomes[0].Count != c.Plan.Requests || r.Outcomes[0].Status != 200 || len(r.Outcomes[0].Checks) != 1 || seen[c.Name] != c.Plan.Requests {
			t.Errorf("%s: outcomes %+v, last progress %d; want %d answers 200 that hold the check", c.Name, r.Outcomes, seen[c.Name], c.Plan.Requests)
		}
	}
	if grew := counter(t, client, "http.outbound_0.0.0.0_8000;.downstream_rq_total") - before; grew != 200 {
		t.Errorf("the sidecar counted %d of the 200 requests that went through it", grew)
	}
	if grew := counter(t, client, "http.outbound_0.0.0.0_80;.downstream_rq_total") - outside; grew != 0 {
		t.Errorf("the sidecar counted %d requests that should have passed it by", grew)
	}
	logged(t, log, 200)
	cut(t, m, cohort("inside", mesh.FromClient, "http://ping:8000/", "pong", 0))
	interrupt(t, m, cohort("inside", mesh.FromClient, "http://ping:8000/", "pong", 0))
}

// logged reads lines of the route pong until there are as many as there must be,
// and says how long that takes after the load.
func logged(t *testing.T, log io.ReadCloser, want int) {
	t.Helper()
	began := time.Now()
	defer time.AfterFunc(10*time.Second, func() { _ = log.Close() }).Stop()
	defer log.Close()
	lines, found := bufio.NewScanner(log), 0
	for found < want && lines.Scan() {
		if strings.Contains(lines.Text(), `"GET / HTTP/1.1" 200`) && strings.HasSuffix(lines.Text(), " pong") {
			found++
		}
	}
	took := time.Since(began)
	if found != want || took > 2*logDelay {
		t.Errorf("the log has %d of %d lines after %s (%v)", found, want, took, lines.Err())
	}
	t.Logf("the last line was read %s after the load", took.Round(time.Millisecond))
}

func TestATelemetryIsWrittenSeenAndUndone(t *testing.T) {
	m := open(t)
	o, err := rules.Decode([]byte(`{"apiVersion":"telemetry.istio.io/v1","kind":"Telemetry","metadata":{"name":"log"},"spec":{"accessLogging":[{"providers":[{"name":"envoy"}]}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	o.Manifest = nil // it was not read from this mesh
	if err := m.Admit(t.Context(), []*rules.Object{o}); err != nil {
		t.Fatal(err)
	}
	creation := rules.Change{After: o}
	written := write(t, m, creation)
	objects, err := m.Objects(t.Context())
	if err != nil || len(objects) != 1 || !rules.Equal(objects[0], written) {
		t.Errorf("objects %v, error %v; want what was written", objects, err)
	}
	write(t, m, rules.Change{Before: written, After: creation.Before})
	if raw(t, m, written.Ref) != nil {
		t.Error("the creation was not undone")
	}
}

func cohort(name, from, url, body string, requests int64) mesh.Cohort {
	return mesh.Cohort{Name: name, From: from, Plan: loadgen.Plan{
		HTTP: &loadgen.HTTP{Method: "GET", URL: url}, Connections: 2, Requests: requests, QPS: 200,
		Checks: []loadgen.Check{{Name: "body", Body: body}},
	}}
}

// proxies starts the load workload, from several goroutines at once, and finds
// its proxy and the gateway's.
func proxies(t *testing.T, m *Mesh) (client, gateway mesh.Proxy) {
	t.Helper()
	var starting sync.WaitGroup
	for range 3 {
		starting.Go(func() {
			if err := m.Prepare(t.Context(), ownLoad); err != nil {
				t.Error(err)
			}
		})
	}
	starting.Wait()
	all, err := m.Proxies(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		if p.Client {
			client = p
		}
		if p.Gateway {
			gateway = p
		}
	}
	if len(all) != 2 || client.Name != "meshchaos-client-t1" || client.Address == "" || gateway.Workload != "istio-ingressgateway" {
		t.Fatalf("proxies %+v; want the load workload's and the ingress gateway's", all)
	}
	return client, gateway
}

// configured waits until a proxy's routes hold a text.
func configured(t *testing.T, p mesh.Proxy, text string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); <-time.After(100 * time.Millisecond) {
		dump, err := p.Admin.Get(t.Context(), "/config_dump?resource=dynamic_route_configs")
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(dump), text) {
			return
		}
	}
	t.Fatalf("the routes of %s do not hold %q after 30 s", p.Name, text)
}

// counter reads one of a proxy's counters; absent is 0, as Envoy makes counters
// when they are first needed.
func counter(t *testing.T, p mesh.Proxy, name string) int64 {
	t.Helper()
	body, err := p.Admin.Get(t.Context(), "/stats?format=json&filter=^"+strings.ReplaceAll(name, ";", "%3B")+"$")
	if err != nil {
		t.Fatal(err)
	}
	var stats struct {
		Stats []struct {
			Name  string
			Value int64
		}
	}
	if err := json.Unmarshal(body, &stats); err != nil {
		t.Fatal(fmt.Errorf("%w: %s", err, body))
	}
	for _, s := range stats.Stats {
		if s.Name == name {
			return s.Value
		}
	}
	return 0
}

// interrupt begins a load without end and ends it by its context.
func interrupt(t *testing.T, m *Mesh, c mesh.Cohort) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stopped time.Time
	results, err := m.Load(ctx, []mesh.Cohort{c}, mesh.Guard{}, begun, func(p loadgen.Progress) {
		if p.Sent > 20 && ctx.Err() == nil {
			stopped = time.Now()
			cancel()
		}
	})
	took := time.Since(stopped)
	if !errors.Is(err, context.Canceled) || results[c.Name] == nil || results[c.Name].Sent < 20 || took > 2*time.Second {
		t.Errorf("after %s: results %v, error %v; want what was seen, and context.Canceled, at once", took, results, err)
	}
	t.Logf("an interrupted load returned after %s", took.Round(time.Millisecond))
}

// cut breaks the connection under a load without end, and waits until the agent
// takes another load.
func cut(t *testing.T, m *Mesh, c mesh.Cohort) {
	t.Helper()
	var broken time.Time
	_, err := m.Load(t.Context(), []mesh.Cohort{c}, mesh.Guard{}, begun, func(p loadgen.Progress) {
		if p.Sent > 20 && broken.IsZero() {
			broken = time.Now()
			for _, tunnel := range m.tunnels.to {
				if tunnel.port == agent.Port {
					_ = tunnel.carrier.Close()
				}
			}
		}
	})
	if err == nil || !strings.Contains(err.Error(), "connection to the load workload was lost") {
		t.Errorf("error %v; want that the connection was lost", err)
	}
	c.Plan.Requests = 2
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); <-time.After(50 * time.Millisecond) {
		if _, err = m.Load(t.Context(), []mesh.Cohort{c}, mesh.Guard{}, begun, nil); err == nil {
			t.Logf("a load whose connection was cut ended within %s", time.Since(broken).Round(time.Millisecond))
			return
		}
	}
	t.Errorf("10 s after the connection was cut: %v", err)
}

func TestAnImageThatIsNotThereIsNamed(t *testing.T) {
	m := open(t)
	m.image = "example.invalid/none:1"
	began := time.Now()
	err := m.Prepare(t.Context(), ownLoad)
	if err == nil || !strings.Contains(err.Error(), "example.invalid/none:1") || !strings.Contains(err.Error(), "--image") {
		t.Errorf("error %v; want one that names the image and --image", err)
	}
	t.Logf("after %s: %v", time.Since(began).Round(time.Millisecond), err)
}

func TestAClusterThatCannotServeIsRefusedWithTheNextStep(t *testing.T) {
	for name, test := range map[string]struct {
		options Options
		want    string
	}{
		"no such file":      {Options{Kubeconfig: "no/such/file"}, "no/such/file"},
		"no such context":   {Options{Kubeconfig: os.Getenv("MESHCHAOS_E2E_KUBECONFIG"), Context: "elsewhere"}, "elsewhere"},
		"no such namespace": {Options{Kubeconfig: os.Getenv("MESHCHAOS_E2E_KUBECONFIG"), Namespace: "nowhere"}, "--namespace"},
	} {
		_, err := Open(t.Context(), test.options)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v; want one with %q", name, err, test.want)
		}
	}
}

func TestAnInterruptedStartIsWaitedForLaterAndTakenAway(t *testing.T) {
	m := open(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := m.Prepare(ctx, ownLoad); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v; want context.DeadlineExceeded", err)
	}
	proxies(t, m)
}

func TestAMeshIsClosedWhileItsWorkloadStarts(t *testing.T) {
	m := open(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := m.Prepare(ctx, ownLoad); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v; want context.DeadlineExceeded", err)
	}
}

// ownLoad is one that borrows of nobody.
var ownLoad = []mesh.Cohort{{Name: "a", From: mesh.FromClient}}

// begun begins a load at once.
func begun(context.Context) error { return nil }

// createPing creates the service ping, of port 8000, which selects no pods.
func createPing(t *testing.T, m *Mesh) {
	t.Helper()
	_, err := m.kube.CoreV1().Services(m.namespace).Create(t.Context(), &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "ping"},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "http", Port: 8000}}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
}
