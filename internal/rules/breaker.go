package rules

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

// Breaker limits the connection pools of services and ejects endpoints that
// fail, by DestinationRules. The words are Istio's; one that is absent is left
// as it is.
type Breaker struct {
	Service                  yamlnode.Names    `yaml:"service"`
	MaxConnections           *int32            `yaml:"maxConnections,omitempty"`
	HTTP1MaxPendingRequests  *int32            `yaml:"http1MaxPendingRequests,omitempty"`
	HTTP2MaxRequests         *int32            `yaml:"http2MaxRequests,omitempty"`
	MaxRequestsPerConnection *int32            `yaml:"maxRequestsPerConnection,omitempty"`
	ConsecutiveGatewayErrors *uint32           `yaml:"consecutiveGatewayErrors,omitempty"`
	Consecutive5xxErrors     *uint32           `yaml:"consecutive5xxErrors,omitempty"`
	Interval                 yamlnode.Duration `yaml:"interval,omitempty"`
	BaseEjectionTime         yamlnode.Duration `yaml:"baseEjectionTime,omitempty"`
	MaxEjectionPercent       *int32            `yaml:"maxEjectionPercent,omitempty"`
}

// String implements Intent.
func (b *Breaker) String() string { return "the breaker of " + strings.Join(b.Service, ", ") }

// Services implements Intent.
func (b *Breaker) Services() []string { return b.Service }

// Versions implements Intent: a breaker sends nowhere.
func (b *Breaker) Versions() []string { return nil }

// Check implements Intent.
func (b *Breaker) Check() error {
	for _, limit := range []struct {
		name  string
		value *int32
		most  int32
	}{
		{"maxConnections", b.MaxConnections, math.MaxInt32},
		{"http1MaxPendingRequests", b.HTTP1MaxPendingRequests, math.MaxInt32},
		{"http2MaxRequests", b.HTTP2MaxRequests, math.MaxInt32},
		{"maxRequestsPerConnection", b.MaxRequestsPerConnection, 1 << 29},
		{"maxEjectionPercent", b.MaxEjectionPercent, 100},
	} {
		if limit.value != nil && (*limit.value < 1 || *limit.value > limit.most) {
			return wrongKey(limit.name, "%s is %d; it must be from 1 to %d (Istio takes 0 as unset)", limit.name, *limit.value, limit.most)
		}
	}
	switch interval, ejection := b.Interval.Duration, b.BaseEjectionTime.Duration; {
	case !b.limitsPool() && !b.ejects():
		return errors.New("it sets nothing; give a limit or a threshold")
	case interval != 0 && !validDuration(interval):
		return wrongKey("interval", "interval is %s; it must be whole milliseconds, at least 1ms", interval)
	case ejection != 0 && !validDuration(ejection):
		return wrongKey("baseEjectionTime", "baseEjectionTime is %s; it must be whole milliseconds, at least 1ms", ejection)
	}
	return checkScope(b.Service, b.scope())
}

func (b *Breaker) scope() scope { return scope{} }

func (b *Breaker) merge(d *draft, service Service) error {
	if service.TCP && b.limitsRequests() {
		return fmt.Errorf("the service %s is opaque TCP, where http1MaxPendingRequests, http2MaxRequests and maxRequestsPerConnection limit nothing; take maxConnections", service.Name)
	}
	owner, err := d.destinationRule(service.Name)
	if err != nil {
		return err
	}
	rule := owner.Spec.(*networking.DestinationRule)
	if rule.TrafficPolicy == nil {
		rule.TrafficPolicy = &networking.TrafficPolicy{}
	}
	if err := onPorts(rule.TrafficPolicy); err != nil {
		return inObject(owner, err)
	}
	b.limit(rule.TrafficPolicy)
	for _, s := range rule.Subsets {
		if err := onPorts(s.TrafficPolicy); err != nil {
			return inObject(owner, fmt.Errorf("its subset %s: %w", s.Name, err))
		}
		b.override(s.TrafficPolicy)
	}
	return nil
}

// onPorts refuses a policy whose settings of single ports would hide those of
// the whole.
func onPorts(policy *networking.TrafficPolicy) error {
	if len(policy.GetPortLevelSettings()) > 0 {
		return errors.New("it has portLevelSettings, which hide the limits of the whole service; apply a DestinationRule of your own instead of a breaker")
	}
	return nil
}

// limit sets the breaker's fields in a policy and leaves all others.
func (b *Breaker) limit(policy *networking.TrafficPolicy) {
	if b.limitsPool() {
		if policy.ConnectionPool == nil {
			policy.ConnectionPool = &networking.ConnectionPoolSettings{}
		}
		b.limitPool(policy.ConnectionPool)
	}
	if b.ejects() {
		if policy.OutlierDetection == nil {
			policy.OutlierDetection = &networking.OutlierDetection{}
		}
		b.eject(policy.OutlierDetection)
	}
}

// override sets the breaker's fields in the blocks that a subset has of its
// own: each stands in the place of the service's as a whole.
func (b *Breaker) override(policy *networking.TrafficPolicy) {
	if policy.GetConnectionPool() != nil {
		b.limitPool(policy.ConnectionPool)
	}
	if policy.GetOutlierDetection() != nil {
		b.eject(policy.OutlierDetection)
	}
}

func (b *Breaker) limitsPool() bool { return b.MaxConnections != nil || b.limitsRequests() }

func (b *Breaker) limitsRequests() bool {
	return b.HTTP1MaxPendingRequests != nil || b.HTTP2MaxRequests != nil || b.MaxRequestsPerConnection != nil
}

func (b *Breaker) limitPool(pool *networking.ConnectionPoolSettings) {
	if b.MaxConnections != nil {
		if pool.Tcp == nil {
			pool.Tcp = &networking.ConnectionPoolSettings_TCPSettings{}
		}
		pool.Tcp.MaxConnections = *b.MaxConnections
	}
	if !b.limitsRequests() {
		return
	}
	if pool.Http == nil {
		pool.Http = &networking.ConnectionPoolSettings_HTTPSettings{}
	}
	set(&pool.Http.Http1MaxPendingRequests, b.HTTP1MaxPendingRequests)
	set(&pool.Http.Http2MaxRequests, b.HTTP2MaxRequests)
	set(&pool.Http.MaxRequestsPerConnection, b.MaxRequestsPerConnection)
}

func (b *Breaker) ejects() bool {
	return b.ConsecutiveGatewayErrors != nil || b.Consecutive5xxErrors != nil || b.Interval.Duration > 0 || b.BaseEjectionTime.Duration > 0 || b.MaxEjectionPercent != nil
}

func (b *Breaker) eject(outlier *networking.OutlierDetection) {
	if b.ConsecutiveGatewayErrors != nil {
		outlier.ConsecutiveGatewayErrors = wrapperspb.UInt32(*b.ConsecutiveGatewayErrors)
	}
	if b.Consecutive5xxErrors != nil {
		outlier.Consecutive_5XxErrors = wrapperspb.UInt32(*b.Consecutive5xxErrors)
	}
	if b.Interval.Duration > 0 {
		outlier.Interval = durationpb.New(b.Interval.Duration)
	}
	if b.BaseEjectionTime.Duration > 0 {
		outlier.BaseEjectionTime = durationpb.New(b.BaseEjectionTime.Duration)
	}
	set(&outlier.MaxEjectionPercent, b.MaxEjectionPercent)
}

func set(field *int32, value *int32) {
	if value != nil {
		*field = *value
	}
}
