package install

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshchaos/meshchaos/internal/cluster"
)

// reachTimeout bounds how long a cluster that does not answer is waited for.
const reachTimeout = 15 * time.Second

// istioAPI is the group of Istio's rules, which is there where Istio is.
const istioAPI = "networking.istio.io"

// BlockedError says all that keeps samples from being installed. Nothing was written.
type BlockedError struct {
	Doing    string   // installing httpbin in shop
	Problems []string // each with what to do
}

// Error implements error.
func (e *BlockedError) Error() string {
	if len(e.Problems) == 1 {
		return e.Doing + ": " + e.Problems[0]
	}
	return e.Doing + ":\n  - " + strings.Join(e.Problems, "\n  - ")
}

// doing words what is done to samples.
func (in *Installer) doing(verb string, samples []Sample) string {
	var names []string
	for _, s := range samples {
		names = append(names, s.Name)
	}
	return fmt.Sprintf("%s %s in %s", verb, strings.Join(names, ", "), in.namespace)
}

// Plan finds out what installing samples would do to each of their objects. What is in
// the way is a BlockedError, which has all of it; the error of a cluster that does not
// answer is none by cluster.Answers. It writes nothing.
func (in *Installer) Plan(ctx context.Context, samples []Sample) ([]Step, error) {
	if err := in.reach(ctx); err != nil {
		return nil, err
	}
	blocked := &BlockedError{Doing: in.doing("installing", samples)}
	if missing, err := in.withoutRights(ctx, samples); len(missing) > 0 || err != nil {
		blocked.Problems = missing // without them the rest cannot be looked at
		return nil, cmp.Or[error](err, blocked)
	}
	for _, check := range []func(context.Context, []Sample) ([]string, error){in.withoutIstio, in.withoutSidecars, in.besideGateways} {
		problems, err := check(ctx, samples)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", blocked.Doing, err)
		}
		blocked.Problems = append(blocked.Problems, problems...)
	}
	var steps []Step
	for _, s := range samples {
		for _, object := range s.Objects {
			step, problem, err := in.step(ctx, s.Name, object)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", blocked.Doing, err)
			}
			if problem != "" && !slices.Contains(blocked.Problems, problem) {
				blocked.Problems = append(blocked.Problems, problem)
			}
			steps = append(steps, step)
		}
		over, err := in.over(ctx, s)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", blocked.Doing, err)
		}
		steps = append(steps, over...)
	}
	if len(blocked.Problems) > 0 {
		return nil, blocked
	}
	return steps, nil
}

// step is what becomes of one object, or what is in its way.
func (in *Installer) step(ctx context.Context, sample string, object *unstructured.Unstructured) (s Step, problem string, err error) {
	s = Step{Sample: sample, Object: object}
	resource, err := in.resource(object)
	if err != nil {
		if object.GroupVersionKind().Group == istioAPI || !cluster.Answers(err) {
			return s, "", ignoreMissing(err) // that Istio is not there is said once
		}
		return s, err.Error(), nil
	}
	s.before, err = resource.Get(ctx, object.GetName(), metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		s.before = nil
	case err != nil && !cluster.Answers(err):
		return s, "", err
	case err != nil:
		return s, fmt.Sprintf("reading %s: %v", named(object), err), nil
	case !made(s.before, sample):
		return s, foreign(s.before), nil
	}
	tried, err := in.write(ctx, s, metav1.DryRunAll)
	s.same = err == nil && s.before != nil && same(tried, s.before)
	if err != nil && cluster.Answers(err) {
		return s, fmt.Sprintf("trying to write %s: %v", named(object), err), nil
	}
	return s, "", err
}

// over are the steps that take away what an earlier install made of the sample and this one
// has not: with another image it may have other objects.
func (in *Installer) over(ctx context.Context, s Sample) ([]Step, error) {
	there, _, err := in.installed(ctx, s.Name)
	if err != nil {
		return nil, err
	}
	var steps []Step
	for _, o := range there {
		if !slices.ContainsFunc(s.Objects, func(other *unstructured.Unstructured) bool { return named(other) == named(o) }) {
			steps = append(steps, Step{Sample: s.Name, Object: o, before: o, remove: true})
		}
	}
	return steps, nil
}

// ignoreMissing drops what says no more than that a kind is not known.
func ignoreMissing(err error) error {
	if cluster.Answers(err) {
		return nil
	}
	return err
}

// foreign words whose an object is that stands in the way.
func foreign(o *unstructured.Unstructured) string {
	if sample := o.GetLabels()[partOf]; ours(o) && sample != "" {
		return fmt.Sprintf("%s is there already, of the sample %s; uninstall that first", named(o), sample)
	}
	var writers []string
	for _, f := range o.GetManagedFields() {
		if f.Subresource == "" && !slices.Contains(writers, f.Manager) {
			writers = append(writers, f.Manager)
		}
	}
	by := ""
	if len(writers) > 0 {
		by = " (" + strings.Join(writers, ", ") + " wrote it)"
	}
	return fmt.Sprintf("%s is there already, and install did not make it%s, so that it is not touched; use what is there, or another namespace", named(o), by)
}

func (in *Installer) withoutIstio(context.Context, []Sample) ([]string, error) {
	groups, err := in.kube.Discovery().ServerGroups()
	if err != nil {
		return nil, fmt.Errorf("asking for the cluster's API groups: %w", err)
	}
	if slices.ContainsFunc(groups.Groups, func(g metav1.APIGroup) bool { return g.Name == istioAPI }) {
		return nil, nil
	}
	return []string{fmt.Sprintf("the cluster %s has no %s resources, so Istio is not installed in it; install Istio, or choose another cluster with --context", in.host, istioAPI)}, nil
}

// besideGateways refuses a second ingress gateway, which would serve the routes of every
// team's Gateway objects at an address that nobody expects.
func (in *Installer) besideGateways(ctx context.Context, samples []Sample) ([]string, error) {
	if !slices.ContainsFunc(samples, func(s Sample) bool { return s.Name == Gateways }) {
		return nil, nil
	}
	for _, namespace := range []string{metav1.NamespaceAll, "istio-system", "istio-ingress"} {
		list, err := in.kube.AppsV1().Deployments(namespace).List(ctx, metav1.ListOptions{})
		if apierrors.IsForbidden(err) {
			continue // then the next is looked at, as far as this user may
		}
		if err != nil {
			return nil, fmt.Errorf("looking for an ingress gateway: %w", err)
		}
		for _, d := range list.Items {
			if d.Spec.Template.Labels["istio"] == "ingressgateway" && !made(&d, Gateways) {
				return []string{fmt.Sprintf("the cluster has an ingress gateway already, Deployment %s/%s, which scenarios use; a second one would serve the same Gateway objects, of all teams: leave %s out", d.Namespace, d.Name, Gateways)}, nil
			}
		}
		if namespace == metav1.NamespaceAll {
			break
		}
	}
	return nil, nil
}
