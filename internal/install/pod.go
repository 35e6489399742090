package install

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// logTail is how many lines of a container's log an error has.
const logTail = 5

// podError says that a pod will not become ready however long one waits.
type podError struct {
	pod       *corev1.Pod
	container string // whose log may tell more; empty: it has none
	words     string
}

// Error implements error.
func (e *podError) Error() string { return fmt.Sprintf("pod %s: %s", e.pod.Name, e.words) }

// lacking words what a pod that is not ready waits for; the error is that it will never be.
func lacking(pod *corev1.Pod) (string, error) {
	if !hasProxy(pod.Spec) {
		return "", &podError{pod: pod, words: "Istio gave it no sidecar, without which no rule bears on its traffic; check that istiod's sidecar injector runs and serves this namespace (label istio-injection=enabled, or istio.io/rev)"}
	}
	statuses := slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses)
	for _, s := range statuses {
		if words, log := hopeless(s); words != "" {
			e := &podError{pod: pod, words: words}
			if log {
				e.container = s.Name
			}
			return "", e
		}
	}
	if pod.Status.Phase == corev1.PodFailed {
		return "", &podError{pod: pod, words: fmt.Sprintf("it failed (%s: %s)", pod.Status.Reason, pod.Status.Message)}
	}
	if isTrue(pod, corev1.PodReady) {
		return "", nil
	}
	if !isTrue(pod, corev1.PodScheduled) {
		return "a node to take it" + message(pod, corev1.PodScheduled), nil
	}
	return notReady(pod, statuses), nil
}

// hopeless says why a container will not start, and whether its log may tell more.
func hopeless(s corev1.ContainerStatus) (words string, log bool) {
	w := s.State.Waiting
	if w == nil {
		return "", false
	}
	switch w.Reason {
	case "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull":
		return fmt.Sprintf("the cluster cannot pull the image %s of container %s (%s: %s); let the cluster have it, or name one that it can pull with --image", s.Image, s.Name, w.Reason, w.Message), false
	case "CreateContainerConfigError", "CreateContainerError", "RunContainerError":
		return fmt.Sprintf("container %s does not start (%s: %s)", s.Name, w.Reason, w.Message), false
	case "CrashLoopBackOff":
		return fmt.Sprintf("container %s ends again and again (%s)", s.Name, w.Message), true
	}
	return "", false
}

// notReady words which containers of a pod that has a node are not ready yet.
func notReady(pod *corev1.Pod, statuses []corev1.ContainerStatus) string {
	var starting, words []string
	for _, s := range statuses {
		name := s.Name
		if name == proxyContainer {
			name = "its sidecar"
		}
		done := s.State.Terminated != nil && s.State.Terminated.ExitCode == 0
		switch w := s.State.Waiting; {
		case s.Ready || done:
		case w == nil:
			words = append(words, name+" to be ready")
		case w.Message == "": // PodInitializing or ContainerCreating: its images are pulled, or one waits for another
			starting = append(starting, name)
		default:
			words = append(words, fmt.Sprintf("%s to start (%s: %s)", name, w.Reason, w.Message))
		}
	}
	if len(starting) > 0 {
		words = append(words, strings.Join(starting, ", ")+" to start")
	}
	if len(words) == 0 {
		return "to be ready" + message(pod, corev1.PodReady)
	}
	return strings.Join(words, ", ")
}

func isTrue(pod *corev1.Pod, kind corev1.PodConditionType) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == kind && c.Status == corev1.ConditionTrue
	})
}

func message(pod *corev1.Pod, kind corev1.PodConditionType) string {
	for _, c := range pod.Status.Conditions {
		if c.Type == kind && c.Message != "" {
			return " (" + c.Message + ")"
		}
	}
	return ""
}

// explained adds to what keeps a pod from becoming ready the end of the log that tells why.
func (in *Installer) explained(ctx context.Context, err error) error {
	var of *podError
	if !errors.As(err, &of) || of.container == "" {
		return err
	}
	tail := int64(logTail)
	text, readErr := in.kube.CoreV1().Pods(in.namespace).GetLogs(of.pod.Name, &corev1.PodLogOptions{Container: of.container, Previous: true, TailLines: &tail}).DoRaw(ctx)
	if readErr != nil || len(text) == 0 { // the reason alone must do
		return err
	}
	return fmt.Errorf("%w; its log ends with:\n%s", err, strings.TrimRight(string(text), "\n"))
}
