package sidecar

import (
	"errors"
	"io"
	"strconv"
	"time"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/sidecar/config"
)

// mirrorFilter chooses the clusters that get a copy of a request. As in Envoy the
// router sends the copies when it sends the request itself: one that a filter
// answers, or for which there is no host, is not copied.
type mirrorFilter struct{}

// Fields implements HTTPFilter.
func (mirrorFilter) Fields() config.Fields {
	return config.Fields{
		"HTTPRoute":        {"mirror", "mirror_percent", "mirror_percentage", "mirrors"},
		"HTTPMirrorPolicy": {"destination", "percentage"},
	}
}

// Check implements HTTPFilter.
func (mirrorFilter) Check(string, *networking.HTTPRoute, config.Refuse) {}

// Compile implements HTTPFilter.
func (mirrorFilter) Compile(at config.Place, r *networking.HTTPRoute) config.RouteFilter {
	mirrors := config.Mirrors(at, r)
	if len(mirrors) == 0 {
		return nil
	}
	return &mirror{mirrors: mirrors, draws: at.Key + " mirrors"}
}

// mirror is the filter on one route.
type mirror struct {
	mirrors []config.Mirror
	draws   string
}

// Dump implements RouteFilter.
func (m *mirror) Dump(route config.Object) {
	var policies []any
	for _, to := range m.mirrors {
		policies = append(policies, config.Object{
			"cluster":                           to.Cluster,
			"runtime_fraction":                  config.Object{"default_value": config.Object{"numerator": to.Share, "denominator": "MILLION"}},
			"trace_sampled":                     false,
			"disable_shadow_host_suffix_append": true,
		})
	}
	route["route"].(config.Object)["request_mirror_policies"] = policies
}

// decode implements routeFilter. One draw decides for all mirrors, so that one of
// a smaller share gets none that another does not.
func (m *mirror) decode(s *stream) bool {
	drawn := s.proxy.draws.below(m.draws, config.Million)
	for _, to := range m.mirrors {
		if drawn < uint64(to.Share) {
			s.mirrors = append(s.mirrors, to.Cluster)
		}
	}
	return true
}

// mirror sends the copies of the request. A mirror without a cluster gets none,
// as in Envoy, which says nothing of it either.
func (f *forwarding) mirror() {
	for _, target := range f.mirrors {
		if f.proxy.state.Load().clusters[target] == nil {
			continue
		}
		c := f.copy(target)
		f.proxy.routines.Go(func() { c.forget(f.timeout) })
	}
	switch {
	case f.webSocket:
		f.onEnd(func() {
			for _, body := range f.copies {
				body.finish(io.EOF)
			}
		})
	case f.body != nil && len(f.body.copies) > 0:
		f.onEnd(f.endCopies)
	}
}

// onTheWay is how long the rest of a body may take that its client has sent already.
const onTheWay = 50 * time.Millisecond

// endCopies ends the bodies of the copies. A host may answer before it has read the
// request's; Envoy by then has passed on to the copies what had come.
func (f *forwarding) endCopies() {
	select {
	case <-f.body.whole:
	case <-f.r.Context().Done():
	case <-time.After(onTheWay):
	}
	for _, body := range f.body.copies {
		body.finish(errCopyCut)
	}
}

// errCopyCut says that the rest of a body does not come, as its request has ended.
var errCopyCut = errors.New("reading a copied body: its request has ended")

// copy is a copy of the request that has no client: Envoy's AsyncClient sends it.
func (f *forwarding) copy(target string) *stream {
	r := f.r.Clone(f.proxy.ctx)
	r.Header.Set("X-Envoy-Internal", "true")
	appendForwardedFor(r.Header, f.proxy.ip())
	if f.timeout == 0 && f.perTry > 0 { // It is made of what goes to the first host, and has no limit of its own.
		r.Header.Set(expectedTimeout, strconv.FormatInt(f.perTry.Milliseconds(), 10))
	}
	if f.body != nil || f.webSocket {
		body := newCopiedBody()
		r.Body = body
		if f.webSocket {
			f.copies = append(f.copies, body)
		} else {
			f.body.copies = append(f.body.copies, body)
		}
	}
	return &stream{httpListener: f.proxy.copies, r: r, worker: f.worker, config: f.config, target: target, started: time.Now(), webSocket: f.webSocket}
}

// forget sends a copy and reads its answer, which goes nowhere.
func (s *stream) forget(timeout time.Duration) {
	defer s.release()
	defer s.r.Body.Close()
	(&router{timeout: timeout}).decode(s)
	if s.answer.tunnel != nil {
		s.answer.tunnel.forget(s)
		return
	}
	if s.answer.body != nil {
		_, _ = io.Copy(io.Discard, s.answer.body)
		s.answer.body.Close()
	}
}
