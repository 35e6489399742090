package config_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/sidecar"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

// ofNoConsequence are the fields that decide nothing beside the others of an
// object, in Istio neither: a name that is for people, shares of a mirror that is
// not there, what is about a host where there is a redirect, and the old spelling
// of a percentage that is given.
var ofNoConsequence = map[string][]string{
	"routes":    {"spec.http[0].fault.delay.percent", "spec.http[0].mirrorPercent", "spec.http[0].mirrorPercentage"},
	"redirects": {"spec.http[0].timeout", "spec.http[0].mirrorPercent", "spec.http[0].mirrorPercentage"},
	"gateway":   {"spec.servers[0].name"},
}

// A field that an object sets changes what the proxies run, or is refused by its
// name: each field of each message is set beside what a valid object has.
func TestNoFieldIsIgnored(t *testing.T) {
	entry := `"name":"e","match":[{"name":"m","uri":{"prefix":"/a"},"headers":{"a":{"exact":"b"}}}],"timeout":"9s","fault":{"delay":{"fixedDelay":"1s","percentage":{"value":50}},"abort":{"httpStatus":503,"percentage":{"value":50}}},
		"retries":{"attempts":3},"headers":{"request":{"set":{"a":"b"}}},"rewrite":{"uri":"/b"},"mirrors":[{"destination":{"host":"web"}}],"route":[{"destination":{"host":"web","subset":"v1","port":{"number":8000}},"weight":1,"headers":{"response":{"set":{"a":"b"}}}},{"destination":{"host":"web"},"weight":2}]`
	settings := `"loadBalancer":{"consistentHash":{"httpHeaderName":"x"}},"connectionPool":{"tcp":{"maxConnections":3},"http":{"maxRetries":3}},"outlierDetection":{"interval":"9s"}`
	for name, base := range map[string]*rules.Object{
		"routes":    sidecartest.VirtualService(t, "a", `{"hosts":["web"],"http":[{`+entry+`}]}`),
		"redirects": sidecartest.VirtualService(t, "a", `{"hosts":["web"],"http":[{"redirect":{"uri":"/x"}}]}`),
		"tcp":       sidecartest.VirtualService(t, "a", `{"hosts":["echo"],"tcp":[{"match":[{"port":9000}],"route":[{"destination":{"host":"echo"},"weight":1},{"destination":{"host":"web"},"weight":1}]}]}`),
		"policy":    sidecartest.DestinationRule(t, "a", `{"host":"web","trafficPolicy":{`+settings+`},"subsets":[{"name":"v1","labels":{"version":"v1"},"trafficPolicy":{`+settings+`}}]}`),
		"balancer":  sidecartest.DestinationRule(t, "a", `{"host":"web","trafficPolicy":{"loadBalancer":{"simple":"RANDOM"}}}`),
		"gateway":   sidecartest.Gateway(t, "a", `{"selector":{"istio":"ingressgateway"},"servers":[{"port":{"number":80,"protocol":"HTTP","name":"http"},"hosts":["*"]}]}`),
	} {
		t.Run(name, func(t *testing.T) {
			before, err := compiled(base)
			if err != nil {
				t.Fatal(err)
			}
			walk(base.Spec.ProtoReflect(), "spec", func(m protoreflect.Message, fd protoreflect.FieldDescriptor, path string) {
				if m.Has(fd) || slices.Contains(ofNoConsequence[name], path) {
					return
				}
				m.Set(fd, something(m, fd))
				defer m.Clear(fd)
				after, err := compiled(base)
				switch {
				case err != nil && !strings.Contains(err.Error(), fd.JSONName()):
					t.Errorf("%s is not named: %v", path, err)
				case err == nil && reflect.DeepEqual(before, after):
					t.Errorf("%s changes nothing, and is not refused", path)
				}
			})
		})
	}
}

// compiled is what proxies run by an object, without when it was made.
func compiled(o *rules.Object) (*config.Config, error) {
	endpoint := sidecartest.Endpoint("web", "v1", "127.0.0.1:1")
	mesh := config.Mesh{Services: []config.Service{sidecartest.Service("web", 8000, false, endpoint), sidecartest.Service("echo", 9000, true, endpoint)}}
	clone := *o
	clone.Spec = proto.Clone(o.Spec)
	attached := &rules.Object{Ref: rules.Ref{Kind: rules.VirtualService, Namespace: "default", Name: "attached"}, Spec: &networking.VirtualService{
		Hosts: []string{"example.com"}, Gateways: []string{"a"},
		Http: []*networking.HTTPRoute{{Route: []*networking.HTTPRouteDestination{{Destination: &networking.Destination{Host: "web"}}}}},
		Tcp:  []*networking.TCPRoute{{Route: []*networking.RouteDestination{{Destination: &networking.Destination{Host: "echo"}}}}},
	}}
	c, err := sidecar.Compile(mesh, []*rules.Object{&clone, attached})
	if c != nil {
		c.Version, c.Updated = "", time.Time{}
	}
	return c, err
}

// walk visits every field of a message and of those in it, set or not. A field of
// a oneof of which another is set would take its place.
func walk(m protoreflect.Message, path string, visit func(protoreflect.Message, protoreflect.FieldDescriptor, string)) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		here := path + "." + fd.JSONName()
		if one := fd.ContainingOneof(); one == nil || m.WhichOneof(one) == nil {
			visit(m, fd, here)
		}
		if fd.Message() == nil || !m.Has(fd) || strings.HasPrefix(string(fd.Message().FullName()), "google.protobuf.") {
			continue
		}
		switch {
		case fd.IsMap() && fd.MapValue().Message() != nil:
			m.Get(fd).Map().Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
				walk(v.Message(), fmt.Sprintf("%s[%s]", here, k), visit)
				return true
			})
		case fd.IsList():
			for j := range m.Get(fd).List().Len() {
				walk(m.Get(fd).List().Get(j).Message(), fmt.Sprintf("%s[%d]", here, j), visit)
			}
		case !fd.IsMap():
			walk(m.Get(fd).Message(), here, visit)
		}
	}
}

// something is a value for a field, another than none.
func something(m protoreflect.Message, fd protoreflect.FieldDescriptor) protoreflect.Value {
	switch {
	case fd.IsMap():
		value := m.NewField(fd)
		key := protoreflect.ValueOfString("k").MapKey()
		if fd.MapValue().Message() != nil {
			value.Map().Set(key, value.Map().NewValue())
		} else {
			value.Map().Set(key, protoreflect.ValueOfString("v"))
		}
		return value
	case fd.IsList():
		value := m.NewField(fd)
		if fd.Message() != nil {
			element := value.List().NewElement()
			fill(element.Message())
			value.List().Append(element)
		} else {
			value.List().Append(scalar(fd))
		}
		return value
	case fd.Message() != nil:
		value := m.NewField(fd)
		fill(value.Message())
		return value
	}
	return scalar(fd)
}

// fill gives a message its first field. A wrapped bool is false, which none of them
// is by default.
func fill(m protoreflect.Message) {
	if first := m.Descriptor().Fields().Get(0); m.Descriptor().FullName() != "google.protobuf.BoolValue" {
		m.Set(first, something(m, first))
	}
}

func scalar(fd protoreflect.FieldDescriptor) protoreflect.Value {
	switch fd.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(true)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(1)
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(7)
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(7)
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(7)
	case protoreflect.Uint32Kind:
		return protoreflect.ValueOfUint32(7)
	case protoreflect.Uint64Kind:
		return protoreflect.ValueOfUint64(7)
	}
	return protoreflect.ValueOfString("x")
}
