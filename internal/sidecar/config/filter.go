package config

import (
	"encoding/json"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/durationpb"
	networking "istio.io/api/networking/v1alpha3"
)

// HTTPFilter is a filter of the HTTP connection manager: what of Istio's
// HTTPRoute it carries out. All that there is to a filter stands in its file.
type HTTPFilter interface {
	// Fields are the fields of an HTTPRoute, and of the messages in them, that
	// the filter carries out. Any other that is set is refused.
	Fields() Fields
	// Check refuses the values of these fields that it does not carry out. path
	// is the route's in its object.
	Check(path string, r *networking.HTTPRoute, refuse Refuse)
	// Compile returns what the filter does on a route, nil if that is nothing.
	Compile(at Place, r *networking.HTTPRoute) RouteFilter
}

// RouteFilter is a filter with what it does on one route.
type RouteFilter interface {
	// Dump writes it into the route as /config_dump shows it.
	Dump(route Object)
}

// Object is a JSON object whose shape is Envoy's.
type Object = map[string]any

// Duration is a duration as protobuf's JSON has it.
func Duration(d time.Duration) json.RawMessage {
	text, _ := protojson.Marshal(durationpb.New(d)) // It fails beyond 10000 years, and d holds 292.
	return text
}
