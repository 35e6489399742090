package istio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/meshchaos/meshchaos/internal/mesh"
)

// answered returns an error of the API as it is if it is the API's answer to what
// was asked, and as a mesh.UnansweredError if the cluster is away, throttles, or
// could not ask a webhook or another part of its own.
func answered(err error) error {
	var status apierrors.APIStatus
	var lost net.Error // of a connection; *url.Error is one, whatever it wraps
	switch {
	case err == nil:
		return nil
	case errors.As(err, &status):
		code := int(status.Status().Code)
		if code >= 400 && code < 500 && code != http.StatusTooManyRequests && code != http.StatusRequestTimeout && code != http.StatusConflict {
			return err
		}
	case errors.As(err, &lost), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
	default: // an error of our own, about the objects
		return err
	}
	return &mesh.UnansweredError{Err: err}
}

// refused says that the cluster did not take an object, in its own words.
func refused(doing string, err error) error {
	if err == nil {
		return nil
	}
	var unanswered *mesh.UnansweredError
	switch err = answered(err); {
	case errors.As(err, &unanswered):
		return fmt.Errorf("%s: the cluster did not answer: %w", doing, err)
	case apierrors.IsForbidden(err):
		return fmt.Errorf("%s: this user may not: %w", doing, err)
	}
	return fmt.Errorf("%s: the cluster refuses it: %w", doing, err)
}
