package config

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// UnsupportedError says that an object sets a field, or gives one a value,
// that this proxy does not implement.
type UnsupportedError struct {
	Object rules.Ref
	Path   string // spec.http[0].corsPolicy
	Reason string // empty: the field as such
}

// Error implements error.
func (e *UnsupportedError) Error() string {
	if e.Reason != "" {
		return fmt.Sprintf("reading %s: %s: %s", e.Object, e.Path, e.Reason)
	}
	return fmt.Sprintf("reading %s: the embedded mesh does not implement %s; leave it out, or run with --mesh istio", e.Object, e.Path)
}

// Fields are fields by the message that has them.
type Fields map[protoreflect.Name][]protoreflect.Name

// implemented are the fields that this proxy carries out beside those of its
// HTTP filters. A field that stands here is read in this package.
var implemented = Fields{
	"VirtualService":       {"hosts", "gateways", "http", "tcp"},
	"HTTPRoute":            {"name", "match", "route"},
	"HTTPMatchRequest":     {"name", "uri", "method", "authority", "headers", "port", "gateways", "ignore_uri_case", "without_headers", "source_labels", "source_namespace"},
	"StringMatch":          {"exact", "prefix", "regex"},
	"HTTPRouteDestination": {"destination", "weight"},
	"Destination":          {"host", "subset", "port"},
	"PortSelector":         {"number"},
	"TCPRoute":             {"match", "route"},
	"L4MatchAttributes":    {"port", "gateways"},
	"RouteDestination":     {"destination", "weight"},

	"DestinationRule":        {"host", "traffic_policy", "subsets"},
	"Subset":                 {"name", "labels", "traffic_policy"},
	"TrafficPolicy":          {"load_balancer", "connection_pool", "outlier_detection"},
	"LoadBalancerSettings":   {"simple", "consistent_hash"},
	"ConsistentHashLB":       {"http_header_name"},
	"ConnectionPoolSettings": {"tcp", "http"},
	"TCPSettings":            {"max_connections", "connect_timeout"},
	"HTTPSettings":           {"http1_max_pending_requests", "http2_max_requests", "max_requests_per_connection", "max_retries"},
	"OutlierDetection": {"consecutive_gateway_errors", "consecutive_5xx_errors", "interval", "base_ejection_time",
		"max_ejection_percent", "min_health_percent"},

	"Gateway": {"servers", "selector"},
	"Server":  {"port", "hosts", "name", "tls"},
	"Port":    {"number", "protocol", "name"},

	"ServerTLSSettings": {"mode", "credential_name"},

	"Telemetry":        {"access_logging", "selector"},
	"WorkloadSelector": {"match_labels"},
	"AccessLogging":    {"providers"},
	"ProviderRef":      {"name"},

	"Duration":    {"seconds", "nanos"},
	"UInt32Value": {"value"},
}

// checkImplemented returns an UnsupportedError for every field that the
// objects set and this proxy does not carry out, so that none is ignored, and
// for every such value of the others.
func checkImplemented(objects []*rules.Object, filters []HTTPFilter) error {
	all := maps.Clone(implemented)
	for _, f := range filters {
		for message, fields := range f.Fields() {
			all[message] = slices.Concat(all[message], fields)
		}
	}
	var errs []error
	for _, o := range objects {
		paths := all.without(o.Spec, "spec")
		for _, path := range paths {
			errs = append(errs, &UnsupportedError{Object: o.Ref, Path: path})
		}
		if len(paths) == 0 {
			errs = append(errs, unimplementedValues(o, filters)...)
		}
	}
	return errors.Join(errs...)
}

// without returns the paths of the set fields of a message that are not listed,
// in the order of their declaration.
func (f Fields) without(m proto.Message, path string) []string {
	var found []string
	message := m.ProtoReflect()
	allowed := f[message.Descriptor().Name()]
	for _, fd := range setFields(message) {
		here := path + "." + fd.JSONName()
		if !slices.Contains(allowed, fd.Name()) {
			found = append(found, here)
			continue
		}
		found = append(found, f.withoutIn(fd, message.Get(fd), here)...)
	}
	return found
}

func (f Fields) withoutIn(fd protoreflect.FieldDescriptor, value protoreflect.Value, path string) []string {
	var found []string
	switch {
	case fd.IsMap() && fd.MapValue().Message() != nil:
		value.Map().Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
			found = append(found, f.without(v.Message().Interface(), fmt.Sprintf("%s[%s]", path, k))...)
			return true
		})
		slices.Sort(found)
	case fd.IsList() && fd.Message() != nil:
		for i := range value.List().Len() {
			found = append(found, f.without(value.List().Get(i).Message().Interface(), fmt.Sprintf("%s[%d]", path, i))...)
		}
	case fd.Message() != nil && !fd.IsMap():
		found = f.without(value.Message().Interface(), path)
	}
	return found
}

func setFields(m protoreflect.Message) []protoreflect.FieldDescriptor {
	var fields []protoreflect.FieldDescriptor
	m.Range(func(fd protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		fields = append(fields, fd)
		return true
	})
	slices.SortFunc(fields, func(a, b protoreflect.FieldDescriptor) int { return cmp.Compare(a.Index(), b.Index()) })
	return fields
}
