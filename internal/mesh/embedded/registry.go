package embedded

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"slices"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/samples"
	"github.com/meshchaos/meshchaos/internal/samples/workload"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
)

// ownAddress picks a loopback address for one mesh. A busy run leaves thousands
// of closed connections behind, whose ports the kernel gives to no listener of
// the same address for a minute, so meshes beside each other would be short of
// them. Where only 127.0.0.1 is configured, as on macOS, it is that.
func ownAddress() string {
	ip := fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(254), rand.IntN(256), 1+rand.IntN(254))
	l, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		return "127.0.0.1"
	}
	l.Close()
	return ip
}

// pod is one pod of a workload.
type pod struct {
	workload.Workload
	name string // as Workload.Pods has it
}

// podsOf returns the pods of an application. The error of an unknown one names
// those that there are.
func podsOf(app string) ([]pod, error) {
	sample, err := samples.App(app)
	if err != nil {
		return nil, err
	}
	var pods []pod
	for _, w := range sample {
		for _, name := range w.Pods() {
			pods = append(pods, pod{w, name})
		}
	}
	return pods, nil
}

// ports are the listeners of one pod: its own, and its proxy's for other proxies.
type ports struct {
	own, inbound net.Listener
}

// listen opens the ports of pods.
func listen(sample []pod, ip string) ([]ports, error) {
	var all []ports
	for _, w := range sample {
		own, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
		if err != nil {
			closeAll(all)
			return nil, fmt.Errorf("opening a port for %s: %w", w.name, err)
		}
		inbound, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
		if err != nil {
			own.Close()
			closeAll(all)
			return nil, fmt.Errorf("opening a port for the proxy of %s: %w", w.name, err)
		}
		all = append(all, ports{own, inbound})
	}
	return all, nil
}

func closeAll(all []ports) {
	for _, p := range all {
		p.own.Close()
		p.inbound.Close()
	}
}

func services(registry []config.Service) []mesh.Service {
	var all []mesh.Service
	for _, s := range registry {
		service := mesh.Service{Name: s.Name, Host: s.Host}
		for _, p := range s.Ports {
			service.Ports = append(service.Ports, mesh.Port{Number: p.Number, TCP: p.TCP, NoWebSocket: p.HTTP2})
		}
		for _, endpoint := range s.Ports[0].Endpoints { // each pod serves all of them
			service.Ready = append(service.Ready, maps.Clone(endpoint.Labels))
		}
		all = append(all, service)
	}
	return all
}

// registry is the services of the pods. Without ports their endpoints have no
// address.
func registry(sample []pod, ports []ports) []config.Service {
	var all []config.Service
	for i, w := range sample {
		at := slices.IndexFunc(all, func(s config.Service) bool { return s.Name == w.App })
		if at < 0 {
			at = len(all)
			all = append(all, config.Service{
				Name:  w.App,
				Host:  fmt.Sprintf("%s.%s.svc.cluster.local", w.App, Namespace),
				Ports: []config.Port{{Number: w.ServicePort, TCP: w.IsTCP(), HTTP2: w.IsGRPC()}},
			})
		}
		endpoint := config.Endpoint{
			Workload:  w.Name(),
			Labels:    map[string]string{"app": w.App, "version": w.Version},
			MutualTLS: true,
		}
		if ports != nil {
			endpoint.Address = ports[i].inbound.Addr().String()
		}
		port := &all[at].Ports[0]
		port.Endpoints = append(port.Endpoints, endpoint)
	}
	return all
}
