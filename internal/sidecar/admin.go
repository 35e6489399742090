package sidecar

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"regexp"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// object is a JSON object whose shape is Envoy's.
type object = map[string]any

// adminServer is a proxy's admin interface.
type adminServer struct {
	proxy   *Sidecar
	address string
	server  *http.Server
}

func startAdmin(s *Sidecar) (*adminServer, error) {
	l, err := s.listen()
	if err != nil {
		return nil, fmt.Errorf("opening its admin interface: %w", err)
	}
	a := &adminServer{proxy: s, address: l.Addr().String()}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.index)
	mux.HandleFunc("GET /ready", a.ready)
	mux.HandleFunc("GET /server_info", a.serverInfo)
	mux.HandleFunc("GET /stats", a.stats)
	mux.HandleFunc("GET /stats/prometheus", a.prometheus)
	mux.HandleFunc("GET /clusters", a.clusters)
	mux.HandleFunc("GET /config_dump", a.configDump)
	mux.HandleFunc("GET /access_log", a.accessLog)
	a.server = &http.Server{
		Handler:     mux,
		BaseContext: func(net.Listener) context.Context { return s.ctx },
		ConnState:   newConnections(&s.routines),
		ErrorLog:    log.New(&s.failures, "", 0),
	}
	s.routines.Go(func() {
		if err := a.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.failed(err, "serving its admin interface")
		}
	})
	return a, nil
}

func (a *adminServer) close() { a.server.Close() }

func (a *adminServer) index(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintf(w, "The proxy of %s.\n\n"+
		"/stats[?filter=RE2&usedonly&format=json|prometheus]\n/stats/prometheus\n/clusters[?format=json]\n"+
		"/config_dump[?resource=dynamic_route_configs|dynamic_active_clusters|dynamic_listeners&name_regex=RE2&mask=FIELD,…]\n"+
		"/access_log[?follow]\n/server_info\n/ready\n", a.proxy.options.Name)
}

func (a *adminServer) ready(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
	fmt.Fprintln(w, "LIVE")
}

func (a *adminServer) serverInfo(w http.ResponseWriter, _ *http.Request) {
	uptime := fmt.Sprintf("%ds", int(time.Since(a.proxy.started).Seconds()))
	o := a.proxy.options
	writeJSON(w, object{
		"version":              "meshchaos",
		"state":                "LIVE",
		"hot_restart_version":  "disabled",
		"uptime_current_epoch": uptime,
		"uptime_all_epochs":    uptime,
		"command_line_options": object{"concurrency": workers, "service_node": o.Name + "." + o.Namespace, "service_cluster": o.App + "." + o.Namespace},
		"node":                 object{"id": o.Name + "." + o.Namespace, "cluster": o.App + "." + o.Namespace, "user_agent_name": "envoy"},
	})
}

// selected are the stats that a query asks for; it answers bad ones.
func (a *adminServer) selected(w http.ResponseWriter, r *http.Request) ([]*metric, bool) {
	filter, err := regexp.Compile(r.URL.Query().Get("filter"))
	if err != nil {
		http.Error(w, "Invalid re2 regex: "+err.Error(), http.StatusBadRequest)
		return nil, false
	}
	usedOnly := r.URL.Query().Has("usedonly")
	a.proxy.uptime.value.Store(int64(time.Since(a.proxy.started).Seconds()))
	var metrics []*metric
	for _, m := range a.proxy.stats.all() {
		if filter.MatchString(m.name) && (!usedOnly || m.used.Load()) {
			metrics = append(metrics, m)
		}
	}
	return metrics, true
}

func (a *adminServer) stats(w http.ResponseWriter, r *http.Request) {
	switch format := r.URL.Query().Get("format"); format {
	case "prometheus":
		a.prometheus(w, r)
	case "json":
		a.statsJSON(w, r)
	case "", "text":
		metrics, ok := a.selected(w, r)
		if !ok {
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
		for _, m := range metrics {
			fmt.Fprintf(w, "%s: %d\n", m.name, m.value.Load())
		}
	default:
		http.Error(w, fmt.Sprintf("format %q is not implemented; use text, json or prometheus", format), http.StatusBadRequest)
	}
}

func (a *adminServer) statsJSON(w http.ResponseWriter, r *http.Request) {
	metrics, ok := a.selected(w, r)
	if !ok {
		return
	}
	list := make([]object, 0, len(metrics))
	for _, m := range metrics {
		list = append(list, object{"name": m.name, "value": m.value.Load()})
	}
	writeJSON(w, object{"stats": list})
}

func (a *adminServer) prometheus(w http.ResponseWriter, r *http.Request) {
	metrics, ok := a.selected(w, r)
	if !ok {
		return
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collector(metrics)) // It describes nothing that could clash.
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(w, r)
}

// writeJSON answers with JSON. A client that has gone cannot be told.
func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	_ = e.Encode(v)
}
