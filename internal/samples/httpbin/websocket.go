package httpbin

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/coder/websocket"
)

// echo answers each message of a WebSocket with itself until the caller closes that, or ctx
// ends. go-httpbin's limits by query are none here.
func echo(ctx context.Context, w http.ResponseWriter, r *http.Request) {
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		writeError(w, errors.New("missing required `Upgrade: websocket` header"))
		return
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true}) // As go-httpbin it takes any page's.
	if err != nil {
		return // Accept has answered.
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(maxBody)
	for {
		kind, message, err := conn.Read(ctx)
		if err != nil {
			return // It is closed, as Read has said to the caller if it could.
		}
		if conn.Write(ctx, kind, message) != nil {
			return
		}
	}
}
