// Package samples holds the sample applications: Bookinfo, httpbin, tcp-echo and grpc-echo,
// behaving as Istio's own do, micro-api, and ratings with its versions that misbehave.
// The same code serves in the embedded mesh and as pods of a cluster.
//
// An application is a folder of this package, which says all of it, its line in
// applications, its manifest in the folder manifests/samples and its section in
// docs/samples.md. The package may import its own folders, and nothing else of
// this module.
package samples

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/samples/bookinfo"
	"github.com/meshchaos/meshchaos/internal/samples/grpcecho"
	"github.com/meshchaos/meshchaos/internal/samples/httpbin"
	"github.com/meshchaos/meshchaos/internal/samples/microapi"
	"github.com/meshchaos/meshchaos/internal/samples/tcpecho"
	"github.com/meshchaos/meshchaos/internal/samples/workload"
)

// applications are all of them, in the order in which they are listed.
func applications() []workload.Application {
	return []workload.Application{
		bookinfo.Application(),
		httpbin.Application(),
		tcpecho.Application(),
		microapi.Application(),
		grpcecho.Application(),
		bookinfo.RatingsApplication(),
	}
}

// Apps returns the names of the applications.
func Apps() []string {
	var names []string
	for _, a := range applications() {
		names = append(names, a.Name)
	}
	return names
}

// App returns the workloads of an application. The error of an unknown one names
// those that there are.
func App(name string) ([]workload.Workload, error) {
	for _, a := range applications() {
		if a.Name == name {
			return a.Workloads, nil
		}
	}
	return nil, fmt.Errorf("finding application %q: there is no such sample; choose %s", name, strings.Join(Apps(), ", "))
}

// Lookup returns the workload with these labels. The error of an unknown one
// names those that there are: the service's versions, or all services.
func Lookup(app, version string) (workload.Workload, error) {
	var apps, versions []string
	for _, a := range applications() {
		for _, w := range a.Workloads {
			if w.App == app && w.Version == version {
				return w, nil
			}
			if !slices.Contains(apps, w.App) {
				apps = append(apps, w.App)
			}
			if w.App == app && !slices.Contains(versions, w.Version) {
				versions = append(versions, w.Version)
			}
		}
	}
	if len(versions) > 0 {
		return workload.Workload{}, fmt.Errorf("finding version %q of service %q: there is no such version; choose %s", version, app, strings.Join(versions, ", "))
	}
	return workload.Workload{}, fmt.Errorf("finding service %q: there is no such service; choose %s", app, strings.Join(apps, ", "))
}
