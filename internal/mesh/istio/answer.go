package istio

import (
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/meshchaos/meshchaos/internal/cluster"
	"github.com/meshchaos/meshchaos/internal/mesh"
)

// answered returns an error of the API as it is if it is the API's answer to what
// was asked, and as a mesh.UnansweredError if it is none (cluster.Answers).
func answered(err error) error {
	if err == nil || cluster.Answers(err) {
		return err
	}
	return &mesh.UnansweredError{Err: err}
}

// isUnanswered says whether an error, as answered returns it, tells nothing of what was
// asked.
func isUnanswered(err error) bool {
	var unanswered *mesh.UnansweredError
	return errors.As(err, &unanswered)
}

// refused says that the cluster did not take an object, in its own words.
func refused(doing string, err error) error {
	if err == nil {
		return nil
	}
	switch err = answered(err); {
	case isUnanswered(err):
		return fmt.Errorf("%s: the cluster did not answer: %w", doing, err)
	case apierrors.IsForbidden(err):
		return fmt.Errorf("%s: this user may not: %w", doing, err)
	}
	return fmt.Errorf("%s: the cluster refuses it: %w", doing, err)
}
