package sabotage

import (
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// httpbin returns the sabotages of breakers, ejections and mirrors.
func httpbin() []Sabotage {
	return []Sabotage{
		{"breaker-httpbin", "the limits raised", "max_connections", spoilRules(limits)},
		{"breaker-httpbin", "the limits raised behind the run's back", "client.status[503] > 0", behind(limits)},
		{"breaker-httpbin", "the rule dropped behind the run's back", "client.status[503] > 0", behind(dropLimits)},
		{"breaker-httpbin", "a counter that disagrees", "overflows(httpbin)", spoilProxies(doubleOverflows)},

		{"breaker-ratings", "the limits raised", "max_connections", spoilRules(limits)},
		{"breaker-ratings", "the limits raised behind the run's back", "client.status[503] > 20", behind(limits)},
		{"breaker-ratings", "the rule dropped behind the run's back", "client.status[503] > 20", behind(dropLimits)},
		{"breaker-ratings", "a counter that disagrees", "overflows(ratings)", spoilProxies(doubleOverflows)},

		{"eject-httpbin", "no ejection", "consecutive_5xx", spoilRules(ejections(func(o *networking.OutlierDetection) {
			o.Consecutive_5XxErrors = wrapperspb.UInt32(0)
		}))},
		{"eject-httpbin", "no ejection, behind the run's back", "ejections(httpbin)", behind(dropLimits)},
		{"eject-httpbin", "ejected after six, behind the run's back", "requests(httpbin, v1)", behind(ejections(func(o *networking.OutlierDetection) {
			o.Consecutive_5XxErrors = wrapperspb.UInt32(6)
		}))},
		{"eject-httpbin", "back after half of the time, behind the run's back", "requests(httpbin, v1)", behind(ejections(func(o *networking.OutlierDetection) {
			o.BaseEjectionTime = durationpb.New(4 * time.Second)
		}))},
		{"eject-httpbin", "back after twice the time, behind the run's back", "ejections(httpbin)", behind(ejections(func(o *networking.OutlierDetection) {
			o.BaseEjectionTime = durationpb.New(16 * time.Second)
		}))},

		{"mirror-httpbin", "a mirror of half", "requests(httpbin, v2) == client.sent + names.sent", spoilRules(mirrors(func(e *networking.HTTPRoute) {
			e.MirrorPercentage = &networking.Percent{Value: 50}
		}))},
		{"mirror-httpbin", "no mirror", "never bit", spoilRules(mirrors(func(e *networking.HTTPRoute) {
			e.MirrorPercentage = &networking.Percent{Value: 0}
		}))},
		{"mirror-httpbin", "v2 for v1", "requests(httpbin, v1)", spoilRules(mirrors(func(e *networking.HTTPRoute) {
			e.Route[0].Destination.Subset = "v2"
		}))},
		{"mirror-httpbin", "the one that answers and the one that gets copies swapped", `names.share("by-v1")`, behind(mirrors(func(e *networking.HTTPRoute) {
			if to := e.Route[0].Destination; to.Host == e.Mirror.Host {
				to.Subset, e.Mirror.Subset = e.Mirror.Subset, to.Subset
			}
		}))},
		{"mirror-httpbin", "a slow version that is asked itself", "client.p90", behind(mirrors(func(e *networking.HTTPRoute) {
			e.Route[0].Destination = e.Mirror
		}))},

		{"ingress-https", "a gateway that asks for nothing", "it does not end TLS", spoilRules(unasked)},
		{"ingress-https", "a gateway that asks for nothing, behind the run's back", "strangers.errors", behind(unasked)},
		{"ingress-https", "a gateway that asks for certificates before, behind the run's back", "baseline.strangers", behind(asked)},
	}
}

// unasked has gateways ask nobody for a certificate.
func unasked(o *rules.Object) { inMode(o, networking.ServerTLSSettings_SIMPLE) }

// asked has them ask everybody.
func asked(o *rules.Object) { inMode(o, networking.ServerTLSSettings_MUTUAL) }

func inMode(o *rules.Object, mode networking.ServerTLSSettings_TLSmode) {
	if gateway, ok := o.Spec.(*networking.Gateway); ok {
		for _, server := range gateway.Servers {
			server.Tls.Mode = mode
		}
	}
}

func ejections(alter func(*networking.OutlierDetection)) func(*rules.Object) {
	return func(o *rules.Object) {
		for _, policy := range policiesOf(o) {
			if outlier := policy.GetOutlierDetection(); outlier != nil {
				alter(outlier)
			}
		}
	}
}

func mirrors(alter func(*networking.HTTPRoute)) func(*rules.Object) {
	return entries(func(e *networking.HTTPRoute) {
		if e.Mirror != nil {
			alter(e)
		}
	})
}
