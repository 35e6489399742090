package install

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/meshchaos/meshchaos/internal/cluster"
)

// refusedLimit is how long the cluster may refuse to make pods: a webhook of istiod's that
// does not answer for a moment does that too.
const refusedLimit = 30 * time.Second

// Wait waits until samples serve: every pod is there as the Deployment now has it, ready
// and with a sidecar that is, and stands behind its Services. Say takes what is still
// waited for, each time it is looked at. A pod that will not become ready however long one
// waits ends the waiting with the reason. The time that Wait may take is ctx's.
func (in *Installer) Wait(ctx context.Context, samples []Sample, say func(string)) error {
	var waiting []string
	var hopeless error
	refused := map[string]time.Time{}
	err := wait.PollUntilContextCancel(ctx, lookEvery, true, func(ctx context.Context) (bool, error) {
		seen, err := in.look(ctx)
		if err != nil {
			if cluster.Answers(err) {
				return false, err
			}
			waiting = []string{"the cluster to answer: " + err.Error()}
		} else {
			waiting, hopeless = seen.waitingFor(samples)
			hopeless = errors.Join(hopeless, seen.refusing(refused))
		}
		if hopeless == nil && len(waiting) > 0 {
			say("waiting for " + brief(waiting))
		}
		return len(waiting) == 0, hopeless
	})
	switch {
	case err == nil:
		return nil
	case hopeless != nil:
		return fmt.Errorf("%s: %w", in.doing("starting", samples), in.explained(ctx, hopeless))
	case len(waiting) > 0 && ctx.Err() != nil:
		return fmt.Errorf("%s: %w; still waiting for %s", in.doing("starting", samples), ended(ctx), strings.Join(waiting, "; "))
	}
	return fmt.Errorf("%s: %w", in.doing("starting", samples), err)
}

// ended is why a waiting ended before its time: what ctx says, or that it was interrupted.
func ended(ctx context.Context) error {
	if why := context.Cause(ctx); !errors.Is(why, context.Canceled) {
		return why
	}
	return errors.New("it was interrupted")
}

// briefly is how many of what is waited for are named at once; the others are counted.
const briefly = 3

func brief(waiting []string) string {
	if len(waiting) <= briefly {
		return strings.Join(waiting, "; ")
	}
	return fmt.Sprintf("%s; and for %d more", strings.Join(waiting[:briefly], "; "), len(waiting)-briefly)
}

// view is the namespace as it was looked at.
type view struct {
	deployments []appsv1.Deployment // of samples
	sets        []appsv1.ReplicaSet
	pods        []corev1.Pod
	services    []corev1.Service // of samples
	slices      []discoveryv1.EndpointSlice
}

func (in *Installer) look(ctx context.Context) (*view, error) {
	mine := metav1.ListOptions{LabelSelector: managedBy + "=" + program}
	deployments, err := in.kube.AppsV1().Deployments(in.namespace).List(ctx, mine)
	if err != nil {
		return nil, fmt.Errorf("listing the deployments of %s: %w", in.namespace, err)
	}
	services, err := in.kube.CoreV1().Services(in.namespace).List(ctx, mine)
	if err != nil {
		return nil, fmt.Errorf("listing the services of %s: %w", in.namespace, err)
	}
	sets, err := in.kube.AppsV1().ReplicaSets(in.namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("listing the replica sets of %s: %w", in.namespace, err)
	}
	pods, err := in.kube.CoreV1().Pods(in.namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("listing the pods of %s: %w", in.namespace, err)
	}
	endpoints, err := in.kube.DiscoveryV1().EndpointSlices(in.namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("listing the endpoints of %s: %w", in.namespace, err)
	}
	return &view{deployments.Items, sets.Items, pods.Items, services.Items, endpoints.Items}, nil
}

// waitingFor words what the samples lack, and returns why they will never have it. Services
// wait for pods, so that they are told of when those are there.
func (v *view) waitingFor(samples []Sample) (waiting []string, hopeless error) {
	var services []string
	for _, s := range samples {
		for _, o := range s.Objects {
			switch o.GetKind() {
			case "Deployment":
				lacks, err := v.deployment(o.GetName())
				if err != nil {
					return nil, err
				}
				waiting = append(waiting, lacks...)
			case "Service":
				services = append(services, v.service(o.GetName())...)
			}
		}
	}
	if len(waiting) == 0 {
		return services, nil
	}
	return waiting, nil
}

// deployment words what a Deployment lacks.
func (v *view) deployment(name string) ([]string, error) {
	i := slices.IndexFunc(v.deployments, func(d appsv1.Deployment) bool { return d.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("somebody has deleted Deployment/%s meanwhile; run the command again", name)
	}
	d := &v.deployments[i]
	var waiting []string
	for _, pod := range v.current(d) {
		lacks, err := lacking(&pod)
		if err != nil {
			return nil, err
		}
		if lacks != "" {
			waiting = append(waiting, fmt.Sprintf("pod %s: %s", pod.Name, lacks))
		}
	}
	want := int32(1)
	if d.Spec.Replicas != nil {
		want = *d.Spec.Replicas
	}
	switch s := d.Status; {
	case len(waiting) > 0:
		return waiting, nil
	case s.ObservedGeneration < d.Generation || s.UpdatedReplicas < want:
		return []string{name + ": its pods to be made" + refusal(d)}, nil
	case s.Replicas > want:
		return []string{name + ": its former pods to go"}, nil
	case s.AvailableReplicas < want:
		return []string{name + ": its pods to be available"}, nil
	}
	return nil, nil
}

// current are the pods of a Deployment as it now is, without those of former versions.
func (v *view) current(d *appsv1.Deployment) []corev1.Pod {
	const revision = "deployment.kubernetes.io/revision"
	i := slices.IndexFunc(v.sets, func(s appsv1.ReplicaSet) bool {
		return metav1.IsControlledBy(&s, d) && s.Annotations[revision] == d.Annotations[revision]
	})
	if i < 0 || d.Status.ObservedGeneration < d.Generation {
		return nil
	}
	var pods []corev1.Pod
	for _, p := range v.pods {
		if metav1.IsControlledBy(&p, &v.sets[i]) && p.DeletionTimestamp == nil {
			pods = append(pods, p)
		}
	}
	return pods
}

// service words what a Service lacks: an endpoint that is ready.
func (v *view) service(name string) []string {
	i := slices.IndexFunc(v.services, func(s corev1.Service) bool { return s.Name == name })
	if i < 0 || len(v.services[i].Spec.Selector) == 0 {
		return nil
	}
	for _, slice := range v.slices {
		if slice.Labels[discoveryv1.LabelServiceName] != name {
			continue
		}
		for _, e := range slice.Endpoints {
			if e.Conditions.Ready == nil || *e.Conditions.Ready {
				return nil
			}
		}
	}
	return []string{"Service/" + name + ": an endpoint"}
}

// refusal is why the cluster makes no pods of a Deployment, in its words.
func refusal(d *appsv1.Deployment) string {
	for _, c := range d.Status.Conditions {
		if c.Type == appsv1.DeploymentReplicaFailure && c.Status == corev1.ConditionTrue {
			return " (" + c.Reason + ": " + c.Message + ")"
		}
	}
	return ""
}

// refusing returns an error when the cluster has refused to make pods for long. Since has,
// by Deployment, when it was first seen to.
func (v *view) refusing(since map[string]time.Time) error {
	for _, d := range v.deployments {
		words := refusal(&d)
		first, known := since[d.Name]
		switch {
		case words == "":
			delete(since, d.Name)
		case !known:
			since[d.Name] = time.Now()
		case time.Since(first) > refusedLimit:
			return fmt.Errorf("the cluster makes no pods of Deployment/%s%s", d.Name, words)
		}
	}
	return nil
}
