// Package samples holds the sample services: Bookinfo, httpbin and tcp-echo,
// behaving as Istio's own do. The same code serves in the embedded mesh and as
// pods of a cluster.
//
// A service knows nothing of proxies: it is given a listener, and a dialer for
// its own calls. The package may import its own folders, one for each
// application, and nothing else of this module.
package samples

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
)

// Workload is one version of one service of an application.
type Workload struct {
	App         string // the label app, and the service's name: reviews
	Version     string // the label version: v2
	ServicePort int    // of the service: 9080, httpbin 8000, tcp-echo 9000
	Port        int    // of the container: 9080, httpbin 8080, tcp-echo 9000
	TCP         bool   // opaque TCP rather than HTTP
}

// Name is the workload's name: reviews-v2.
func (w Workload) Name() string { return w.App + "-" + w.Version }

// Env is what a workload is told of where it runs.
type Env struct {
	PodName string
	// Dial makes its connections to other services, by their short names:
	// ratings:9080. Nil: as the machine resolves them.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Apps returns the names of the applications.
func Apps() []string { return []string{"bookinfo", "httpbin", "tcp-echo"} }

// App returns the workloads of an application. The error of an unknown one names
// those that there are.
func App(name string) ([]Workload, error) {
	switch name {
	case "bookinfo":
		return []Workload{
			bookinfoWorkload("productpage", "v1"),
			bookinfoWorkload("details", "v1"),
			bookinfoWorkload("ratings", "v1"),
			bookinfoWorkload("reviews", "v1"),
			bookinfoWorkload("reviews", "v2"),
			bookinfoWorkload("reviews", "v3"),
		}, nil
	case "httpbin":
		return []Workload{{App: "httpbin", Version: "v1", ServicePort: 8000, Port: 8080}}, nil
	case "tcp-echo":
		return []Workload{
			{App: "tcp-echo", Version: "v1", ServicePort: 9000, Port: 9000, TCP: true},
			{App: "tcp-echo", Version: "v2", ServicePort: 9000, Port: 9000, TCP: true},
		}, nil
	}
	return nil, fmt.Errorf("finding application %q: there is no such sample; choose %s", name, strings.Join(Apps(), ", "))
}

func bookinfoWorkload(app, version string) Workload {
	return Workload{App: app, Version: version, ServicePort: 9080, Port: 9080}
}

// Lookup returns the workload with these labels. The error of an unknown one
// names those that there are: the service's versions, or all services.
func Lookup(app, version string) (Workload, error) {
	var apps, versions []string
	for _, name := range Apps() {
		workloads, err := App(name)
		if err != nil {
			return Workload{}, err
		}
		for _, w := range workloads {
			if w.App == app && w.Version == version {
				return w, nil
			}
			apps = append(apps, w.App)
			if w.App == app {
				versions = append(versions, w.Version)
			}
		}
	}
	if len(versions) > 0 {
		return Workload{}, fmt.Errorf("finding version %q of service %q: there is no such version; choose %s", version, app, strings.Join(versions, ", "))
	}
	return Workload{}, fmt.Errorf("finding service %q: there is no such service; choose %s", app, strings.Join(slices.Compact(apps), ", "))
}
