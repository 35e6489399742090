package admin

import (
	"context"
	"net/http"
	"time"
)

// accessLog answers /access_log, which Envoy has not: the lines that are kept,
// and with ?follow those that come, until the client has enough.
func (a *Server) accessLog(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
	if !r.URL.Query().Has("follow") {
		_, _ = w.Write(a.proxy.KeptLog()) // A client that has gone cannot be told.
		return
	}
	a.followLog(r.Context(), w)
}

func (a *Server) followLog(ctx context.Context, w http.ResponseWriter) {
	f, err := a.proxy.FollowLog(ctx, time.Time{})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer f.Close()
	flush := http.NewResponseController(w)
	for buffer := make([]byte, 32<<10); ; {
		if err := flush.Flush(); err != nil {
			return
		}
		n, err := f.Read(buffer)
		if err != nil {
			return
		}
		if _, err := w.Write(buffer[:n]); err != nil {
			return
		}
	}
}
