package bookinfo

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/meshchaos/meshchaos/internal/samples/workload"
)

// calls makes the calls of one service to the others.
type calls struct {
	ctx    context.Context
	client *http.Client
}

// newCalls returns a caller whose calls end with ctx, and not with the request
// that caused them: the original's handlers do not notice that their caller has
// gone, so a delay injected further down runs to its end.
//
// Each call has a connection of its own. Istio's sample does so on purpose, for
// a kept connection would hide how load is spread over versions.
func newCalls(ctx context.Context, dial workload.Dial) calls {
	return calls{ctx, &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}}
}

// get returns what url answered within the timeout. An answer of any status is
// no error.
func (c calls) get(url string, header http.Header, timeout time.Duration) (status int, body []byte, err error) {
	ctx, cancel := context.WithTimeout(c.ctx, timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, nil, err
	}
	request.Header = header
	response, err := c.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return 0, nil, fmt.Errorf("reading the answer of GET %q: %w", url, err)
	}
	return response.StatusCode, body, nil
}

// forwarded returns what productpage and reviews pass on of a request's headers:
// what the tracers that Istio names need, and what says who asks. It is the list
// of Istio's sample; anything else, baggage included, stays behind.
func forwarded(in http.Header) http.Header {
	out := http.Header{}
	for _, name := range []string{
		"X-Request-Id",
		"Traceparent", "Tracestate",
		"X-B3-Traceid", "X-B3-Spanid", "X-B3-Parentspanid", "X-B3-Sampled", "X-B3-Flags",
		"X-Ot-Span-Context",
		"X-Datadog-Trace-Id", "X-Datadog-Parent-Id", "X-Datadog-Sampling-Priority",
		"X-Cloud-Trace-Context", "Grpc-Trace-Bin", "Sw8",
		"User-Agent", "Cookie", "Authorization", "Jwt",
	} {
		if values := in.Values(name); len(values) > 0 {
			out[name] = values
		}
	}
	return out
}
