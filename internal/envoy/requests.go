package envoy

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Requests is one series of Istio's standard metrics: of istio_requests_total, or, of
// TCP connections, of istio_tcp_connections_opened_total.
type Requests struct {
	TCP      bool   // they are connections
	Reporter string // source or destination: whose proxy counted
	Host     string // destination_service: ratings.default.svc.cluster.local
	Flags    string // response_flags: "-", or Envoy's flags such as DI,FI
	Count    uint64
}

// Flagged says whether the requests carry one of Envoy's response flags.
func (r Requests) Flagged(flag string) bool {
	for f := range strings.SplitSeq(r.Flags, ",") {
		if f == flag {
			return true
		}
	}
	return false
}

// The metrics of Istio's that are read.
const (
	requestsTotal     = "istio_requests_total"
	connectionsOpened = "istio_tcp_connections_opened_total"
)

// Requests returns both metrics, none if the proxy does not count them: it needs
// Istio's own build of Envoy and a metrics provider. A series begins with its first
// request, or with the first connection whose peer is known or that has ended.
func (a *Admin) Requests(ctx context.Context) ([]Requests, error) {
	body, err := a.Get(ctx, "/stats/prometheus?filter="+url.QueryEscape(requestsTotal+"|"+connectionsOpened))
	if err != nil {
		return nil, err
	}
	return decodeRequests(body)
}

func decodeRequests(body []byte) ([]Requests, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("decoding /stats/prometheus of the proxy: %w", err)
	}
	var all []Requests
	for _, name := range []string{requestsTotal, connectionsOpened} {
		for _, metric := range families[name].GetMetric() {
			r := Requests{TCP: name == connectionsOpened, Count: uint64(metric.GetCounter().GetValue())}
			for _, label := range metric.GetLabel() {
				switch label.GetName() {
				case "reporter":
					r.Reporter = label.GetValue()
				case "destination_service":
					r.Host = label.GetValue()
				case "response_flags":
					r.Flags = label.GetValue()
				}
			}
			all = append(all, r)
		}
	}
	return all, nil
}
