package sidecar

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"syscall"

	"github.com/meshchaos/meshchaos/internal/sidecar/config"
)

// Dial connects to a service of the mesh through the proxy: address is a name
// of the service, short or qualified, and a port of it. The errors are those
// that a workload would get: of DNS for an unknown name, refused for a port
// that the service has not.
func (s *Sidecar) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	listener, err := s.ListenerAddress(address)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	var d net.Dialer
	return d.DialContext(ctx, network, listener)
}

// ListenerAddress is the host:port on which the proxy takes connections to a
// service's name and port. Its errors are Dial's.
func (s *Sidecar) ListenerAddress(address string) (string, error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	number, err := strconv.Atoi(portText)
	if err != nil {
		return "", &net.AddrError{Err: "invalid port", Addr: address}
	}
	services := s.state.Load().config.Services
	i := slices.IndexFunc(services, func(svc config.Service) bool { return slices.Contains(svc.Domains(), host) })
	if i < 0 {
		return "", &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	port := services[i].Port(number)
	if port == nil {
		return "", fmt.Errorf("service %s has no port %d: %w", services[i].Name, number, syscall.ECONNREFUSED)
	}
	key := httpKey(number)
	if port.TCP {
		key = tcpKey(services[i].Host, number)
	}
	return s.listenerAddress(key)
}

// GatewayAddress is the host:port of a port of the ingress gateway. As long as
// no Gateway object opens the port, it refuses connections.
func (s *Sidecar) GatewayAddress(port int) (string, error) {
	if !s.options.Gateway {
		return "", fmt.Errorf("looking up port %d: %s is not the ingress gateway", port, s.options.Name)
	}
	for _, key := range []string{httpKey(port), httpsKey(port), gatewayTCPKey(port)} {
		if address, err := s.listenerAddress(key); err == nil {
			return address, nil
		}
	}
	return s.refusing[0].LocalAddr().String(), nil
}

func (s *Sidecar) listenerAddress(key string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l, ok := s.listeners[key]; ok {
		return l.address, nil
	}
	return "", errors.New("the proxy of " + s.options.Name + " has no listener " + key)
}

// refuse holds an address on which nothing listens as long as the proxy lives.
func (s *Sidecar) refuse() error {
	l, err := s.listen()
	if err != nil {
		return err
	}
	defer l.Close()
	for _, open := range []func() (net.Conn, error){
		func() (net.Conn, error) { return net.Dial("tcp", l.Addr().String()) },
		l.Accept,
	} {
		c, err := open()
		if err != nil {
			return err
		}
		s.refusing = append(s.refusing, c)
	}
	return nil
}
