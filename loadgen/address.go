package loadgen

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"slices"
)

// defaultPorts are those that URLs leave out, by their schemes.
var defaultPorts = map[string]string{"http": "80", "https": "443", "ws": "80", "wss": "443"}

// Address returns the host and port that the plan calls, as its URL or TCP
// address has them; Connect, which leads the connections elsewhere, plays no
// part. A URL without a port has port 80, or 443 of https and wss. It is an error if the plan calls
// nothing, or what Validate would refuse to call.
func (p Plan) Address() (host, port string, err error) {
	switch {
	case p.first() != nil:
		u, err := validateURL("http.url", p.first().URL)
		if err != nil {
			return "", "", err
		}
		return u.Hostname(), cmp.Or(u.Port(), defaultPorts[u.Scheme]), nil
	case p.TCP != nil:
		host, port, err := net.SplitHostPort(p.TCP.Address)
		if err != nil {
			return "", "", fmt.Errorf("tcp.address is not host:port: %w", err)
		}
		return host, port, nil
	}
	if p.GRPC != nil {
		host, port, err := net.SplitHostPort(p.GRPC.Address)
		if err != nil {
			return "", "", fmt.Errorf("grpc.address is not host:port: %w", err)
		}
		return host, port, nil
	}
	return "", "", errors.New("the plan has none of http, grpc, tcp and send")
}

// Through returns a copy of the plan that connects to address, host:port,
// and calls what it called.
func (p Plan) Through(address string) Plan {
	if p.HTTP != nil {
		h := *p.HTTP
		h.Connect = address
		p.HTTP = &h
	}
	p.Send = slices.Clone(p.Send)
	for i := range p.Send {
		p.Send[i].HTTP.Connect = address
	}
	if p.GRPC != nil {
		g := *p.GRPC
		g.Connect = address
		p.GRPC = &g
	}
	if p.TCP != nil {
		t := *p.TCP
		t.Connect = address
		p.TCP = &t
	}
	return p
}

// target is the host:port that the plan's connections are made to.
func (p Plan) target() (string, error) {
	switch {
	case p.first() != nil && p.first().Connect != "":
		return p.first().Connect, nil
	case p.GRPC != nil && p.GRPC.Connect != "":
		return p.GRPC.Connect, nil
	case p.TCP != nil && p.TCP.Connect != "":
		return p.TCP.Connect, nil
	}
	host, port, err := p.Address()
	return net.JoinHostPort(host, port), err
}
