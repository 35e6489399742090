package rules

import (
	"errors"
	"fmt"
	"maps"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
	networking "istio.io/api/networking/v1alpha3"
)

// subset returns the name of the subset that is a version of a service: the one
// named after the version, made where it is missing, or, where that name stands
// for something else, one whose only label is the version.
func (d *draft) subset(service, version string) (string, error) {
	owner, err := d.destinationRule(service)
	if err != nil {
		return "", err
	}
	rule := owner.Spec.(*networking.DestinationRule)
	labels := map[string]string{"version": version}
	taken := false
	other := ""
	for _, s := range rule.Subsets {
		exact := maps.Equal(s.Labels, labels)
		switch {
		case exact && s.Name == version:
			return version, nil
		case exact && other == "":
			other = s.Name
		}
		taken = taken || s.Name == version
	}
	switch {
	case !taken && dnsLabel.MatchString(version):
		rule.Subsets = append(rule.Subsets, &networking.Subset{Name: version, Labels: labels})
		return version, nil
	case other != "":
		return other, nil
	case taken:
		return "", fmt.Errorf("%s has a subset %s with other labels than version: %s; give it a subset with that label alone", owner.Ref, version, version)
	}
	return "", fmt.Errorf("the version %q cannot be the name of a subset; give %s a subset with the label version: %s alone", version, owner.Ref, version)
}

func (d *draft) mergeBreaker(b *Breaker) error {
	service, err := d.service(b.Service)
	if err != nil {
		return err
	}
	owner, err := d.destinationRule(service)
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

func (b *Breaker) limitsPool() bool {
	return b.MaxConnections != nil || b.HTTP1MaxPendingRequests != nil || b.HTTP2MaxRequests != nil || b.MaxRequestsPerConnection != nil
}

func (b *Breaker) limitPool(pool *networking.ConnectionPoolSettings) {
	if b.MaxConnections != nil {
		if pool.Tcp == nil {
			pool.Tcp = &networking.ConnectionPoolSettings_TCPSettings{}
		}
		pool.Tcp.MaxConnections = *b.MaxConnections
	}
	if b.HTTP1MaxPendingRequests == nil && b.HTTP2MaxRequests == nil && b.MaxRequestsPerConnection == nil {
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
	return b.ConsecutiveGatewayErrors != nil || b.Consecutive5xxErrors != nil || b.Interval > 0 || b.BaseEjectionTime > 0 || b.MaxEjectionPercent != nil
}

func (b *Breaker) eject(outlier *networking.OutlierDetection) {
	if b.ConsecutiveGatewayErrors != nil {
		outlier.ConsecutiveGatewayErrors = wrapperspb.UInt32(*b.ConsecutiveGatewayErrors)
	}
	if b.Consecutive5xxErrors != nil {
		outlier.Consecutive_5XxErrors = wrapperspb.UInt32(*b.Consecutive5xxErrors)
	}
	if b.Interval > 0 {
		outlier.Interval = durationpb.New(b.Interval)
	}
	if b.BaseEjectionTime > 0 {
		outlier.BaseEjectionTime = durationpb.New(b.BaseEjectionTime)
	}
	set(&outlier.MaxEjectionPercent, b.MaxEjectionPercent)
}

func set(field *int32, value *int32) {
	if value != nil {
		*field = *value
	}
}
