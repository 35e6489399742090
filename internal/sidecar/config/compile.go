package config

import (
	"errors"
	"fmt"
	"time"

	networking "istio.io/api/networking/v1alpha3"
	telemetry "istio.io/api/telemetry/v1alpha1"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// Compile makes the configuration of all proxies of a mesh from what they
// have in common and its objects, these in the order of their creation. What
// Istio would not take is an error that names the object and the field; a field
// or value that Istio takes and neither the filters nor the rest of the proxies
// implement is an UnsupportedError.
func Compile(mesh Mesh, objects []*rules.Object, filters []HTTPFilter) (*Config, error) {
	if err := refused(objects); err != nil {
		return nil, err
	}
	if err := checkImplemented(objects, filters); err != nil {
		return nil, err
	}
	now := time.Now()
	c := &compiler{filters: filters, config: &Config{
		Version:   now.UTC().Format(time.RFC3339Nano),
		Updated:   now,
		Services:  mesh.Services,
		AccessLog: !mesh.NoAccessLog,
		ByName:    map[string]*Cluster{},
		HTTP:      map[int]*RouteTable{},
		Inbound:   map[string]*Inbound{},

		gatewayLog: !mesh.NoAccessLog,
	}}
	for _, o := range objects {
		if err := c.add(o); err != nil {
			return nil, err
		}
	}
	c.compileClusters()
	if err := c.compileHTTP(); err != nil {
		return nil, err
	}
	c.compileTCP()
	c.compileInbound()
	if err := c.compileGateways(); err != nil {
		return nil, err
	}
	return c.config, nil
}

// refused returns what Istio itself would refuse in the objects.
func refused(objects []*rules.Object) error {
	var errs []error
	for _, p := range rules.Check(objects) {
		errs = append(errs, fmt.Errorf("reading %s", p))
	}
	return errors.Join(errs...)
}

// compiler holds the objects by kind while they are compiled.
type compiler struct {
	config           *Config
	filters          []HTTPFilter
	virtualServices  []virtualService
	destinationRules []destinationRule
	gateways         []gateway
}

type virtualService struct {
	rules.Ref
	*networking.VirtualService
}

type destinationRule struct {
	rules.Ref
	*networking.DestinationRule
}

type gateway struct {
	rules.Ref
	*networking.Gateway
}

func (c *compiler) add(o *rules.Object) error {
	switch spec := o.Spec.(type) {
	case *networking.VirtualService:
		c.virtualServices = append(c.virtualServices, virtualService{o.Ref, spec})
	case *networking.DestinationRule:
		c.destinationRules = append(c.destinationRules, destinationRule{o.Ref, spec})
	case *networking.Gateway:
		c.gateways = append(c.gateways, gateway{o.Ref, spec})
	case *telemetry.Telemetry:
		c.config.log(o.Namespace, spec)
	default:
		return fmt.Errorf("reading %s: a spec of type %T is no VirtualService, DestinationRule, Gateway or Telemetry", o.Ref, o.Spec)
	}
	return nil
}

// service finds a service by its fully qualified host, nil if there is none.
func (c *compiler) service(host string) *Service {
	for i := range c.config.Services {
		if c.config.Services[i].Host == host {
			return &c.config.Services[i]
		}
	}
	return nil
}

// istioPath is how Istio names an object in the metadata of what it became.
func istioPath(ref rules.Ref, kind string) string {
	return fmt.Sprintf("/apis/networking.istio.io/v1/namespaces/%s/%s/%s", ref.Namespace, kind, ref.Name)
}
