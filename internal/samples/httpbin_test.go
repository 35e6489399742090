package samples

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
)

const bin = "http://httpbin:8000"

func newHTTPBin(t *testing.T) *town {
	town := newLoopback(t)
	w, err := Lookup("httpbin", "v1")
	if err != nil {
		t.Fatal(err)
	}
	town.serve(w, nil)
	return town
}

func TestHTTPBinDescribesTheRequest(t *testing.T) {
	town := newHTTPBin(t)
	for _, row := range []struct {
		method, path, contentType, body string
		want                            string
	}{
		{"GET", "/get?a=1&a=2", "", "", `{"args":{"a":["1","2"]},"headers":H,"method":"GET","origin":"127.0.0.1","url":"http://httpbin:8000/get?a=1&a=2"}`},
		{"GET", "/headers", "", "", `{"headers":H}`},
		{"POST", "/post", "application/json", `{"n":1}`, `{"args":{},"headers":H,"method":"POST","origin":"127.0.0.1","url":"http://httpbin:8000/post","data":"{\"n\":1}","files":{},"form":{},"json":{"n":1}}`},
		{"POST", "/post", "application/x-www-form-urlencoded", `a=b+c`, `{"args":{},"headers":H,"method":"POST","origin":"127.0.0.1","url":"http://httpbin:8000/post","data":"a=b+c","files":{},"form":{"a":["b c"]},"json":null}`},
		{"PUT", "/anything/x", "text/plain", `hi`, `{"args":{},"headers":H,"method":"PUT","origin":"127.0.0.1","url":"http://httpbin:8000/anything/x","data":"hi","files":{},"form":{},"json":null}`},
		{"POST", "/delay/0.01", "image/png", "\x00", `{"args":{},"headers":H,"method":"POST","origin":"127.0.0.1","url":"http://httpbin:8000/delay/0.01","data":"data:image/png;base64,AA==","files":{},"form":{},"json":null}`},
	} {
		request, err := http.NewRequest(row.method, bin+row.path, strings.NewReader(row.body))
		if err != nil {
			t.Fatal(err)
		}
		if row.contentType != "" {
			request.Header.Set("Content-Type", row.contentType)
		}
		request.Header.Set("End-User", "jason")
		got := town.do(request)
		var described map[string]any
		if err := json.Unmarshal([]byte(got.body), &described); err != nil {
			t.Fatalf("%s %s: %v in %q", row.method, row.path, err, got.body)
		}
		headers, _ := described["headers"].(map[string]any)
		if diff := cmp.Diff([]any{"jason", "httpbin:8000"}, []any{first(headers["End-User"]), first(headers["Host"])}); diff != "" {
			t.Errorf("%s %s: its headers (-want +got):\n%s", row.method, row.path, diff)
		}
		described["headers"] = "H"
		var want map[string]any
		if err := json.Unmarshal([]byte(strings.Replace(row.want, ":H", `:"H"`, 1)), &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, described); diff != "" || got.status != 200 {
			t.Errorf("%s %s: %d (-want +got):\n%s", row.method, row.path, got.status, diff)
		}
	}
}

// first is the first value of a header in JSON.
func first(values any) any {
	if list, _ := values.([]any); len(list) > 0 {
		return list[0]
	}
	return nil
}

func TestHTTPBinTellsItsPod(t *testing.T) {
	town := newHTTPBin(t)
	got := town.get(bin+"/hostname", nil)
	if want := "{\n  \"hostname\": \"httpbin-v1-pod\"\n}\n"; got.status != 200 || got.body != want {
		t.Errorf("%d %q, want %q", got.status, got.body, want)
	}
}

func TestHTTPBinStatuses(t *testing.T) {
	town := newHTTPBin(t)
	for path, status := range map[string]int{
		"/status/200":     200,
		"/status/418":     418,
		"/status/503":     503,
		"/status/600":     400,
		"/status/199":     400,
		"/status/x":       400,
		"/delay/0":        200,
		"/delay/1ms":      200,
		"/delay/15":       400,
		"/delay/10.1":     400,
		"/delay/-1":       400,
		"/delay/NaN":      400,
		"/delay/1e300":    400,
		"/delay/":         404,
		"/bytes/0":        200,
		"/bytes/1048576":  200,
		"/bytes/1048577":  400,
		"/bytes/-1":       400,
		"/nothing/at/all": 404,
	} {
		if got := town.get(bin+path, nil); got.status != status {
			t.Errorf("%s: %d, want %d", path, got.status, status)
		}
	}
	if got := town.get(bin+"/bytes/1048576", nil); len(got.body) != 1<<20 {
		t.Errorf("/bytes/1048576: %d bytes", len(got.body))
	}
	request, err := http.NewRequest(http.MethodPost, bin+"/post", strings.NewReader(strings.Repeat("x", 1<<20+1)))
	if err != nil {
		t.Fatal(err)
	}
	if got := town.do(request); got.status != http.StatusBadRequest {
		t.Errorf("a body above 1 MiB: %d, want 400", got.status)
	}
}

func TestHTTPBinDelays(t *testing.T) {
	town := newHTTPBin(t)
	if got := town.get(bin+"/delay/0.2", nil); got.took < 200*time.Millisecond || got.took > atOnce {
		t.Errorf("/delay/0.2 took %s", got.took)
	}
}

// opening are the headers by which a WebSocket is opened.
const opening = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

func TestHTTPBinEchoesWebSockets(t *testing.T) {
	town := newHTTPBin(t)
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		return town.dial(ctx, network, address)
	}
	conn, _, err := websocket.Dial(t.Context(), "ws://httpbin:8000/websocket/echo", &websocket.DialOptions{HTTPClient: &http.Client{Transport: &http.Transport{DialContext: dial}}}) //nolint:bodyclose // nobody ever has to, as it says
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []websocket.MessageType{websocket.MessageText, websocket.MessageBinary} {
		if err := conn.Write(t.Context(), kind, []byte("hello")); err != nil {
			t.Fatal(err)
		}
		if got, message, err := conn.Read(t.Context()); got != kind || string(message) != "hello" || err != nil {
			t.Errorf("%v %q, %v", got, message, err)
		}
	}
	if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
	plain, err := http.NewRequest(http.MethodGet, bin+"/websocket/echo", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := town.do(plain); got.status != http.StatusBadRequest {
		t.Errorf("a plain request: %d %q", got.status, got.body)
	}
}
