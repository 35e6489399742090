package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

const kubeconfig = `apiVersion: v1
kind: Config
current-context: shop
contexts:
- {name: shop, context: {cluster: one, user: me, namespace: shop}}
- {name: other, context: {cluster: two, user: me}}
- {name: sealed, context: {cluster: one, user: sealed}}
clusters:
- {name: one, cluster: {server: "https://one:6443"}}
- {name: two, cluster: {server: "https://two:6443"}}
users:
- {name: me, user: {token: t}}
- {name: sealed, user: {client-certificate: gone.crt, client-key: gone.key}}
`

func TestTheClusterIsFoundAsKubectlFindsIt(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte(kubeconfig), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", file)
	for _, row := range []struct {
		options                Options
		host, namespace, wrong string
	}{
		{Options{}, "https://one:6443", "shop", ""},
		{Options{Context: "other"}, "https://two:6443", "default", ""},
		{Options{Kubeconfig: file, Namespace: "mine"}, "https://one:6443", "mine", ""},
		{Options{Context: "nowhere"}, "", "", `context "nowhere" does not exist`},
		{Options{Kubeconfig: file + "s"}, "", "", "configs"},
		{Options{Context: "sealed"}, "", "", "gone.crt"},
	} {
		config, namespace, err := Load(row.options)
		switch {
		case row.wrong != "":
			if err == nil || !strings.Contains(err.Error(), row.wrong) {
				t.Errorf("%+v: error %v, want one about %s", row.options, err, row.wrong)
			}
		case err != nil:
			t.Errorf("%+v: %v", row.options, err)
		case config.Host != row.host || namespace != row.namespace:
			t.Errorf("%+v: %s in %s, want %s in %s", row.options, namespace, config.Host, row.namespace, row.host)
		}
	}
}

func TestAnAddressHasNoPassword(t *testing.T) {
	for host, want := range map[string]string{
		"https://10.0.0.1:6443":            "https://10.0.0.1:6443",
		"https://me:sesame@10.0.0.1/a":     "https://me:xxxxx@10.0.0.1/a",
		"10.0.0.1:6443":                    "10.0.0.1:6443",
		"1me:sesame@10.0.0.1:6443":         "10.0.0.1:6443",
		"https://me:sesame@api.example:no": "api.example:no",
	} {
		if got := Address(&rest.Config{Host: host}); got != want {
			t.Errorf("%s: %s, want %s", host, got, want)
		}
	}
}

func TestTheHostOfAClusterIsAllThatIsSaidOfItsAddress(t *testing.T) {
	for host, want := range map[string]string{
		"https://10.0.0.1:6443":               "10.0.0.1:6443",
		"https://me:sesame@api.example/a?b=c": "api.example",
		"10.0.0.1:6443":                       "10.0.0.1:6443",
		"me:sesame@10.0.0.1:6443":             "10.0.0.1:6443",
		"https://[::1]:6443":                  "[::1]:6443",
		"https://me:sesame@api.example:no":    "",
	} {
		if got := Host(&rest.Config{Host: host}); got != want {
			t.Errorf("%s: %s, want %s", host, got, want)
		}
	}
}

func TestTheContextIsTheOneThatIsTaken(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte(kubeconfig), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, options := range map[string]Options{
		"shop":  {Kubeconfig: file},
		"other": {Kubeconfig: file, Context: "other"},
		"":      {Kubeconfig: file + "s"},
	} {
		if got := Context(options); got != want {
			t.Errorf("%+v: %q, want %q", options, got, want)
		}
	}
}

func TestWhatIsNoAnswer(t *testing.T) {
	pods := schema.GroupResource{Resource: "pods"}
	for _, row := range []struct {
		err     error
		answers bool
	}{
		{apierrors.NewForbidden(pods, "a", errors.New("no")), true},
		{apierrors.NewNotFound(pods, "a"), true},
		{errors.New("one of our own"), true},
		{apierrors.NewConflict(pods, "a", errors.New("moved")), false},
		{apierrors.NewTooManyRequestsError("later"), false},
		{apierrors.NewInternalError(errors.New("failed calling webhook")), false},
		{fmt.Errorf("asking: %w", &url.Error{Op: "Get", URL: "/", Err: errors.New("refused")}), false},
		{context.DeadlineExceeded, false},
	} {
		if got := Answers(row.err); got != row.answers {
			t.Errorf("%v: %v, want %v", row.err, got, row.answers)
		}
	}
}

// TestARightIsWordedAsKubectlTakesIt: pods/portforward is to kubectl auth can-i a pod of that
// name, for which it has another answer.
func TestARightIsWordedAsKubectlTakesIt(t *testing.T) {
	for want, r := range map[string]Right{
		"create pods --subresource=portforward -n shop": {Verb: "create", Resource: "pods", Subresource: "portforward", Namespace: "shop"},
		"list jobs.batch -n shop":                       {Verb: "list", Group: "batch", Resource: "jobs", Namespace: "shop"},
		"get secrets/shop-credential -n istio-system":   {Verb: "get", Resource: "secrets", Name: "shop-credential", Namespace: "istio-system"},
	} {
		if r.String() != want {
			t.Errorf("it is %q, want %q", r, want)
		}
	}
}
