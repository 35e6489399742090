package loadgen

import (
	"errors"
	"fmt"
	"net"
)

// Address returns the host and port that the plan calls, as its URL or TCP
// address has them; Connect, which leads the connections elsewhere, plays no
// part. A URL without a port has port 80. It is an error if the plan calls
// nothing, or what Validate would refuse to call.
func (p Plan) Address() (host, port string, err error) {
	switch {
	case p.HTTP != nil:
		u, err := validateURL("http.url", p.HTTP.URL)
		if err != nil {
			return "", "", err
		}
		if u.Port() == "" {
			return u.Hostname(), "80", nil
		}
		return u.Hostname(), u.Port(), nil
	case p.TCP != nil:
		host, port, err := net.SplitHostPort(p.TCP.Address)
		if err != nil {
			return "", "", fmt.Errorf("tcp.address is not host:port: %w", err)
		}
		return host, port, nil
	}
	return "", "", errors.New("the plan has neither http nor tcp")
}

// Through returns a copy of the plan that connects to address, host:port,
// and calls what it called.
func (p Plan) Through(address string) Plan {
	if p.HTTP != nil {
		h := *p.HTTP
		h.Connect = address
		p.HTTP = &h
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
	case p.HTTP != nil && p.HTTP.Connect != "":
		return p.HTTP.Connect, nil
	case p.TCP != nil && p.TCP.Connect != "":
		return p.TCP.Connect, nil
	}
	host, port, err := p.Address()
	return net.JoinHostPort(host, port), err
}
