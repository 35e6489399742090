//go:build e2e

package e2e_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	authentication "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// secretive has a secret in each place of a load that takes one, and a login, of which
// there is a cookie.
const secretive = `
apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: secretive}
spec:
  app: bookinfo
  apply:
    - fault: {service: ratings, delay: 20ms}
  load:
    bearer: {get: "http://productpage:9080/productpage", connections: 1, requests: 5, headers: {authorization: Bearer sesame, cookie: id=sesame}, body: password=sesame}
    jason: {get: "http://productpage:9080/productpage", as: jason, connections: 1, requests: 5}
  expect:
    - bearer.status[200] == bearer.sent
    - jason.status[200] == jason.sent
`

// A run holds the token of its user, and what its load sends. Neither is in what it
// leaves in the cluster, nor in what it, or the pod of its load, says.
func TestNoSecretIsInTheLedgerOrALog(t *testing.T) {
	n := newNight(t)
	n.apply(t, "rbac")
	token := n.token(t)
	folder := t.TempDir()
	scenario, kubeconfig := filepath.Join(folder, "secretive.yaml"), filepath.Join(folder, "kubeconfig")
	if err := os.WriteFile(scenario, []byte(secretive), 0o600); err != nil {
		t.Fatal(err)
	}
	n.login(t, kubeconfig, token)
	heard := n.listen(t)
	cmd := exec.Command(build(t), "run", scenario, "--mesh", "istio", "--kubeconfig", kubeconfig, "--namespace", n.namespace, "--image", image(), "--explain")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("the run with the token of the service account: %v\n%s", err, out)
	}
	texts := heard()
	texts["the output"] = string(out)
	for where, has := range map[string]string{"the output": "jason.sent", "the ledger": "entry-0", "the log of " + proxy: "/productpage", "the log of agent": ""} {
		text, there := texts[where]
		if !there || !strings.Contains(text, has) {
			t.Errorf("%s has no %q, so it was not read: %s", where, has, text)
		}
		for _, secret := range []string{"sesame", "session=", token} {
			if strings.Contains(strings.ToLower(text), strings.ToLower(secret)) {
				t.Errorf("%s has %q:\n%s", where, secret, text)
			}
		}
	}
}

// proxy is the container of a sidecar.
const proxy = "istio-proxy"

// token is one of the service account that runs have.
func (n night) token(t *testing.T) string {
	t.Helper()
	request, err := n.kube.CoreV1().ServiceAccounts(n.namespace).CreateToken(t.Context(), "meshchaos", &authentication.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return request.Status.Token
}

// login writes a kubeconfig with a token for the cluster.
func (n night) login(t *testing.T, path, token string) {
	t.Helper()
	config, err := clientcmd.LoadFromFile(os.Getenv("MESHCHAOS_E2E_KUBECONFIG"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range config.Contexts {
		c.AuthInfo = "token"
	}
	config.AuthInfos = map[string]*api.AuthInfo{"token": {Token: token}}
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
}

// listen reads the ledgers of the namespace and the logs of load pods until what it
// returns is called, which returns all that was read.
func (n night) listen(t *testing.T) func() map[string]string {
	t.Helper()
	ctx, end := context.WithCancel(t.Context())
	t.Cleanup(end)
	var (
		listening sync.WaitGroup
		mu        sync.Mutex
		all       = map[string]string{}
	)
	add := func(where, text string) {
		mu.Lock()
		defer mu.Unlock()
		all[where] += text
	}
	listening.Go(func() {
		for ctx.Err() == nil { // an API server may end a watch at any time
			ledgers, err := n.kube.CoreV1().ConfigMaps(n.namespace).Watch(ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/managed-by=meshchaos"})
			if err != nil {
				continue // which shows, if it goes on
			}
			for e := range ledgers.ResultChan() {
				if ledger, ok := e.Object.(*corev1.ConfigMap); ok {
					add("the ledger", ledger.String())
				}
			}
			ledgers.Stop()
		}
	})
	for _, container := range []string{"agent", proxy} {
		listening.Go(func() {
			log, err := n.logOf(ctx, container)
			if err != nil {
				return // which shows
			}
			defer log.Close()
			var text bytes.Buffer
			_, _ = io.Copy(&text, log) // it ends with the pod
			add("the log of "+container, text.String())
		})
	}
	return func() map[string]string {
		end()
		listening.Wait()
		return all
	}
}

// logOf follows the log of a container of the load pod once that runs.
func (n night) logOf(ctx context.Context, container string) (log io.ReadCloser, err error) {
	pods := n.kube.CoreV1().Pods(n.namespace)
	err = wait.PollUntilContextCancel(ctx, 100*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		list, err := pods.List(ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/managed-by=meshchaos,app=meshchaos-client"})
		if err != nil || len(list.Items) == 0 {
			return false, err
		}
		log, err = pods.GetLogs(list.Items[0].Name, &corev1.PodLogOptions{Container: container, Follow: true}).Stream(ctx)
		return err == nil, nil // it does not run yet
	})
	return log, err
}
