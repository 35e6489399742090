package istio

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestAPortIsTCPAsIstioSelectsItsProtocol(t *testing.T) {
	for _, test := range []struct {
		name, app string
		port      int32
		tcp       bool
	}{
		{"http", "", 8000, false},
		{"http-web", "", 8000, false},
		{"HTTP2-web", "", 8000, false},
		{"grpc", "", 9000, false},
		{"grpc-web", "", 9000, false},
		{"tcp", "", 9000, true},
		{"tcp-http", "", 9000, true},
		{"https", "", 443, true},
		{"mongo-a", "", 27017, true},
		{"", "", 8000, false},
		{"web", "", 8000, false},
		{"database", "", 3306, true},
		{"http", "", 3306, false},
		{"http", "tcp", 8000, true},
		{"tcp", "http", 9000, false},
		{"tcp", "kubernetes.io/h2c", 9000, false},
		{"http", "kubernetes.io/wss", 9000, true},
	} {
		p := corev1.ServicePort{Name: test.name, Port: test.port}
		if test.app != "" {
			p.AppProtocol = &test.app
		}
		if opaque(p) != test.tcp {
			t.Errorf("port %d, name %q, appProtocol %q: TCP %v; want %v", test.port, test.name, test.app, opaque(p), test.tcp)
		}
	}
}
