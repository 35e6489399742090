package sidecar

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

// takesAll reads the whole request before it answers.
func takesAll(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }

// takesAllAndWaits reads the whole request and does not answer.
func takesAllAndWaits(w http.ResponseWriter, r *http.Request) {
	takesAll(w, r)
	<-r.Context().Done()
}

// A route's timeout, and that of an attempt, begin when the request has come with all
// of its body.
func TestATimeoutBeginsWhenTheBodyHasCome(t *testing.T) {
	retrying := `"retries":{"attempts":1,"perTryTimeout":"1s","retryOn":"5xx"},`
	for _, tt := range []struct {
		name, entry string
		handler     http.HandlerFunc
		want        int
	}{
		{"a body that comes slowly", `"timeout":"1s",`, takesAll, 200},
		{"a body that comes slowly to an attempt", retrying, takesAll, 200},
		{"an answer that does", `"timeout":"1s",`, takesAllAndWaits, 504},
		{"an answer that does to an attempt", retrying, takesAllAndWaits, 504},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := startMesh(t, Options{}, web(t, tt.handler), sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[{`+tt.entry+`"route":[{"destination":{"host":"web"}}]}]}`))
			body, client := io.Pipe()
			go func() {
				fmt.Fprint(client, "a")
				<-time.After(1500 * time.Millisecond) // What the timeout must not count.
				fmt.Fprint(client, "b")
				client.Close()
			}()
			resp, err := m.client.Post("http://web:8000/", "text/plain", body)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != tt.want {
				t.Errorf("it is %d, want %d", resp.StatusCode, tt.want)
			}
		})
	}
}

// What has come is known though no host takes it.
func TestATimeoutBeginsBeforeAHostTakesTheBody(t *testing.T) {
	for _, retries := range []string{"", `"retries":{"attempts":0},`} {
		m, _ := startSilentMesh(t, sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[{"timeout":"0.5s",`+retries+`"route":[{"destination":{"host":"web"}}]}]}`))
		resp, err := m.client.Post("http://web:8000/", "text/plain", strings.NewReader("a body"))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if e := m.lines.all()[0]; e.status != http.StatusGatewayTimeout || e.received != 6 || e.duration > time.Minute {
			t.Errorf("it is %d after %s, and %d bytes have come", e.status, e.duration, e.received)
		}
	}
}
