package sidecar

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// Compile makes the configuration of all proxies of a mesh from its services
// and its objects, these in the order of their creation. A field or value that
// the proxies do not implement is an UnsupportedError; what Istio would not
// take either is an error that names the object and the field.
func Compile(services []Service, objects []*rules.Object) (*Config, error) {
	if err := checkImplemented(objects); err != nil {
		return nil, err
	}
	now := time.Now()
	c := &compiler{config: &Config{
		version:  now.UTC().Format(time.RFC3339Nano),
		updated:  now,
		services: services,
		byName:   map[string]*clusterConfig{},
		http:     map[int]*routeConfig{},
	}}
	for _, o := range objects {
		if err := c.sort(o); err != nil {
			return nil, err
		}
	}
	c.compileClusters()
	for _, step := range []func() error{c.checkRules, c.checkVirtualServices, c.compileHTTP, c.compileTCP, c.compileGateways} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return c.config, nil
}

// compiler holds the objects by kind while they are compiled.
type compiler struct {
	config          *Config
	virtualServices []virtualService
	rules           []destinationRule
	gateways        []gateway
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

func (c *compiler) sort(o *rules.Object) error {
	switch spec := o.Spec.(type) {
	case *networking.VirtualService:
		c.virtualServices = append(c.virtualServices, virtualService{o.Ref, spec})
	case *networking.DestinationRule:
		c.rules = append(c.rules, destinationRule{o.Ref, spec})
	case *networking.Gateway:
		c.gateways = append(c.gateways, gateway{o.Ref, spec})
	default:
		return fmt.Errorf("reading %s: a spec of type %T is no VirtualService, DestinationRule or Gateway", o.Ref, o.Spec)
	}
	return nil
}

// service finds a service by its fully qualified host, nil if there is none.
func (c *compiler) service(host string) *Service {
	for i := range c.config.services {
		if c.config.services[i].Host == host {
			return &c.config.services[i]
		}
	}
	return nil
}

// istioPath is how Istio names an object in the metadata of what it became.
func istioPath(ref rules.Ref, kind string) string {
	return fmt.Sprintf("/apis/networking.istio.io/v1/namespaces/%s/%s/%s", ref.Namespace, kind, ref.Name)
}

// targets are a route's clusters with their weights: those of weight 0 are
// dropped, and a sole destination takes all.
func (c *compiler) targets(ref rules.Ref, path string, port int, destinations []destination) ([]target, error) {
	if len(destinations) == 0 {
		return nil, fmt.Errorf("reading %s: %s.route is empty; name a destination", ref, path)
	}
	var targets []target
	for i, d := range destinations {
		if d.GetHost() == "" {
			return nil, fmt.Errorf("reading %s: %s.route[%d].destination.host is missing", ref, path, i)
		}
		if d.weight < 0 {
			return nil, fmt.Errorf("reading %s: %s.route[%d].weight is %d; it must be 0 or more", ref, path, i, d.weight)
		}
		weight := uint32(d.weight)
		if len(destinations) == 1 {
			weight = 100
		}
		if weight > 0 {
			targets = append(targets, target{cluster: c.destinationCluster(ref, d.Destination, port), weight: weight})
		}
	}
	if len(targets) == 0 {
		return nil, fmt.Errorf("reading %s: the weights in %s.route sum to 0; give a destination a weight", ref, path)
	}
	return targets, nil
}

// destination is what HTTP and TCP routes have in common.
type destination struct {
	*networking.Destination
	weight int32
}

// destinationCluster names the cluster of a destination: without a port of its
// own it is the service's only port, else the listener's.
func (c *compiler) destinationCluster(ref rules.Ref, d *networking.Destination, listener int) string {
	host := qualify(d.GetHost(), ref.Namespace)
	port := listener
	if service := c.service(host); service != nil && len(service.Ports) == 1 {
		port = service.Ports[0].Number
	}
	if d.GetPort().GetNumber() != 0 {
		port = int(d.GetPort().GetNumber())
	}
	return clusterName(port, d.GetSubset(), host)
}

// httpPorts are the numbers of all HTTP ports of the services, ascending.
func (c *compiler) httpPorts() []int {
	var ports []int
	for _, s := range c.config.services {
		for _, p := range s.Ports {
			if !p.TCP {
				ports = append(ports, p.Number)
			}
		}
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}

// checkVirtualServices refuses what Istio's own validation would.
func (c *compiler) checkVirtualServices() error {
	var errs []error
	for _, vs := range c.virtualServices {
		if len(vs.GetHosts()) == 0 {
			errs = append(errs, fmt.Errorf("reading %s: spec.hosts is empty; name the host whose traffic it routes", vs.Ref))
		}
		if len(vs.GetHttp())+len(vs.GetTcp()) == 0 {
			errs = append(errs, fmt.Errorf("reading %s: it has neither spec.http nor spec.tcp; add a route", vs.Ref))
		}
		for i, host := range vs.GetHosts() {
			if vs.attached(meshGateway) && strings.HasPrefix(host, "*") {
				errs = append(errs, &UnsupportedError{Object: vs.Ref, Path: fmt.Sprintf("spec.hosts[%d]", i),
					Reason: fmt.Sprintf("%q is for gateways alone; name the service, or set spec.gateways", host)})
			}
		}
		for i, r := range vs.GetHttp() {
			errs = append(errs, checkHTTPRoute(vs.Ref, fmt.Sprintf("spec.http[%d]", i), r))
		}
	}
	return errors.Join(errs...)
}

func byPort(a, b *gatewayListener) int { return cmp.Compare(a.port, b.port) }
