// Package cluster finds the Kubernetes cluster that a user means, by the rules of
// kubectl, tells an answer of its API from none, and asks what this user may do there.
// What speaks to a cluster, the mesh on Istio and the installing of samples, begins here.
//
// The package imports nothing of this module.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	authentication "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Options say which cluster, and which namespace of it.
type Options struct {
	Kubeconfig string // a file; empty: as kubectl finds it, or the pod's own account
	Context    string // of the kubeconfig; empty: its current one
	Namespace  string // empty: the context's
}

// find finds the kubeconfig by kubectl's rules.
func find(o Options) clientcmd.ClientConfig {
	files := clientcmd.NewDefaultClientConfigLoadingRules()
	files.ExplicitPath = o.Kubeconfig
	overrides := &clientcmd.ConfigOverrides{CurrentContext: o.Context}
	overrides.Context.Namespace = o.Namespace
	return clientcmd.NewNonInteractiveDeferredLoadingClientConfig(files, overrides)
}

// Context is the name of the context that Load takes; empty: there is none, as where a
// pod's own account is taken.
func Context(o Options) string {
	if o.Context != "" {
		return o.Context
	}
	config, err := find(o).RawConfig()
	if err != nil { // which Load has said
		return ""
	}
	return config.CurrentContext
}

// Load reads the kubeconfig by kubectl's rules, and returns how the cluster is
// reached and the namespace that is meant. It reaches for nothing itself: its errors
// are about the Options.
func Load(o Options) (config *rest.Config, namespace string, err error) {
	client := find(o)
	config, err = client.ClientConfig()
	if clientcmd.IsEmptyConfig(err) {
		return nil, "", errors.New("opening the cluster: there is no kubeconfig; set KUBECONFIG, or give --kubeconfig")
	}
	if err != nil {
		return nil, "", fmt.Errorf("opening the cluster: reading the kubeconfig: %w; name another by --kubeconfig or --context", err)
	}
	namespace, _, err = client.Namespace()
	if err != nil {
		return nil, "", fmt.Errorf("opening the cluster: finding the namespace in the kubeconfig: %w", err)
	}
	// Certificates are read now: client-go would watch the files for ever.
	if err := rest.LoadTLSFiles(config); err != nil {
		return nil, "", fmt.Errorf("opening the cluster: reading the kubeconfig's certificates: %w", err)
	}
	config.CertFile, config.KeyFile, config.CAFile = "", "", ""
	// client-go's default of 5 requests a second would slow the checks before a run.
	config.QPS, config.Burst = 50, 100
	return config, namespace, nil
}

// Address is where the API server of a cluster is, without the password that a
// kubeconfig may have in it.
func Address(config *rest.Config) string {
	u, err := url.Parse(config.Host)
	if err != nil { // as of a host and a port alone
		return config.Host[strings.LastIndex(config.Host, "@")+1:]
	}
	return u.Redacted()
}

// Host is host:port of the API server of a cluster, or the host alone if that is all that
// the kubeconfig has: nothing of its address by which anybody could enter.
func Host(config *rest.Config) string {
	address := config.Host
	if !strings.Contains(address, "://") {
		address = "//" + address
	}
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

// Account is as whom the API server knows this user; empty: it does not say, as before
// Kubernetes 1.28.
func Account(ctx context.Context, kube kubernetes.Interface) string {
	review, err := kube.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authentication.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return ""
	}
	return review.Status.UserInfo.Username
}

// Answers says whether an error is the API's answer to what was asked, or one of our
// own about the objects. It is none if the cluster is away, throttles, or could not ask
// a webhook or another part of its own: that tells nothing, and it may answer later.
func Answers(err error) bool {
	var status apierrors.APIStatus
	var lost net.Error // of a connection; *url.Error is one, whatever it wraps
	switch {
	case errors.As(err, &status):
		code := int(status.Status().Code)
		return code >= 400 && code < 500 && code != http.StatusTooManyRequests && code != http.StatusRequestTimeout && code != http.StatusConflict
	case errors.As(err, &lost), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return false
	}
	return true
}
