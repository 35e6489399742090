// Package microapi answers one request with one text, as the service micro-api of
// the guides does that send it through an ingress gateway: which text tells which
// version was reached, and nothing which of its three pods.
//
// The package imports of this module only what a workload is.
package microapi

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/meshchaos/meshchaos/internal/samples/workload"
)

// path is the one that is served.
const path = "/test/test"

// Application is micro-api. The data of v2 begin with V3, as they do in the guides.
func Application() workload.Application {
	answering := func(version, prefix string) workload.Workload {
		return workload.Workload{
			App: "micro-api", Version: version, Replicas: 3, ServicePort: 19090, Port: 9090, Path: path,
			HTTP: func(context.Context, workload.Env) http.Handler { return newHandler(prefix) },
		}
	}
	return workload.Application{Name: "micro-api", Workloads: []workload.Workload{answering("v1", ""), answering("v2", "V3|")}}
}

func newHandler(prefix string) http.Handler {
	// As text, since encoding/json would escape the arrow.
	body := fmt.Sprintf(`{"code":0,"data":"%s无依赖测试接口返回->OK!","message":"成功"}`, prefix)
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		// The caller may have gone; there is nobody left to tell.
		_, _ = io.WriteString(w, body)
	})
	return mux
}
