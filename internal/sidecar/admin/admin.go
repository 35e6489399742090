// Package admin is the admin interface of an embedded proxy, with Envoy's paths,
// names and shapes, so that whoever reads an Envoy reads it too.
//
// The package may import internal/sidecar, internal/sidecar/config, internal/re2 and,
// for the names and defaults that Envoy's own reader has too, internal/envoy.
package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/meshchaos/meshchaos/internal/sidecar"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
)

// Server is the admin interface of one proxy.
type Server struct {
	proxy    *sidecar.Sidecar
	address  string
	server   *http.Server
	routines sync.WaitGroup
}

// Serve opens the admin interface of a proxy, on the proxy's address. Close
// must be called, before the proxy's: what fails in it is the proxy's failure.
func Serve(proxy *sidecar.Sidecar) (*Server, error) {
	o := proxy.Options()
	l, err := net.Listen("tcp", net.JoinHostPort(cmp.Or(o.IP, "127.0.0.1"), "0"))
	if err != nil {
		return nil, fmt.Errorf("opening the admin interface of %s: %w", o.Name, err)
	}
	a := &Server{proxy: proxy, address: l.Addr().String()}
	ctx, end := context.WithCancel(context.Background())
	a.server = &http.Server{
		Handler:     a.handler(),
		BaseContext: func(net.Listener) context.Context { return ctx },
		ConnState:   a.track,
		ErrorLog:    proxy.ErrorLog(),
	}
	a.routines.Go(func() {
		defer end()
		if err := a.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			proxy.ErrorLog().Printf("serving its admin interface: %v", err)
		}
	})
	return a, nil
}

// track lets Close wait for the connections.
func (a *Server) track(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		a.routines.Add(1)
	case http.StateClosed, http.StateHijacked:
		a.routines.Done()
	}
}

func (a *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.index)
	mux.HandleFunc("GET /ready", a.ready)
	mux.HandleFunc("GET /server_info", a.serverInfo)
	mux.HandleFunc("GET /stats", a.stats)
	mux.HandleFunc("GET /stats/prometheus", a.prometheus)
	mux.HandleFunc("GET /clusters", a.clusters)
	mux.HandleFunc("GET /config_dump", a.configDump)
	mux.HandleFunc("GET /access_log", a.accessLog)
	return mux
}

// Address is the host:port of the interface.
func (a *Server) Address() string { return a.address }

// Close ends the interface and whatever it serves.
func (a *Server) Close() {
	a.server.Close()
	a.routines.Wait()
}

func (a *Server) index(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintf(w, "The proxy of %s.\n\n"+
		"/stats[?filter=RE2&usedonly&format=json|prometheus]\n/stats/prometheus\n/clusters[?format=json]\n"+
		"/config_dump[?resource=dynamic_route_configs|dynamic_active_clusters|dynamic_listeners&name_regex=RE2&mask=FIELD,…]\n"+
		"/access_log[?follow]\n/server_info\n/ready\n", a.proxy.Options().Name)
}

func (a *Server) ready(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
	fmt.Fprintln(w, "LIVE")
}

func (a *Server) serverInfo(w http.ResponseWriter, _ *http.Request) {
	uptime := fmt.Sprintf("%ds", int(a.proxy.Uptime().Seconds()))
	o := a.proxy.Options()
	writeJSON(w, config.Object{
		"version":              "meshchaos",
		"state":                "LIVE",
		"hot_restart_version":  "disabled",
		"uptime_current_epoch": uptime,
		"uptime_all_epochs":    uptime,
		"command_line_options": config.Object{"concurrency": sidecar.Workers, "service_node": o.Name + "." + o.Namespace, "service_cluster": o.App + "." + o.Namespace},
		"node":                 config.Object{"id": o.Name + "." + o.Namespace, "cluster": o.App + "." + o.Namespace, "user_agent_name": "envoy"},
	})
}

// selected are the stats that a query asks for; it answers bad ones.
func (a *Server) selected(w http.ResponseWriter, r *http.Request) ([]sidecar.Stat, bool) {
	filter, err := regexp.Compile(r.URL.Query().Get("filter"))
	if err != nil {
		http.Error(w, "Invalid re2 regex: "+err.Error(), http.StatusBadRequest)
		return nil, false
	}
	usedOnly := r.URL.Query().Has("usedonly")
	var stats []sidecar.Stat
	for _, s := range a.proxy.Stats() {
		if filter.MatchString(s.Name) && (!usedOnly || s.Used) {
			stats = append(stats, s)
		}
	}
	return stats, true
}

func (a *Server) stats(w http.ResponseWriter, r *http.Request) {
	switch format := r.URL.Query().Get("format"); format {
	case "prometheus":
		a.prometheus(w, r)
	case "json":
		a.statsJSON(w, r)
	case "", "text":
		stats, ok := a.selected(w, r)
		if !ok {
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
		for _, s := range stats {
			fmt.Fprintf(w, "%s: %d\n", s.Name, s.Value)
		}
	default:
		http.Error(w, fmt.Sprintf("format %q is not implemented; use text, json or prometheus", format), http.StatusBadRequest)
	}
}

func (a *Server) statsJSON(w http.ResponseWriter, r *http.Request) {
	stats, ok := a.selected(w, r)
	if !ok {
		return
	}
	list := make([]config.Object, 0, len(stats))
	for _, s := range stats {
		list = append(list, config.Object{"name": s.Name, "value": s.Value})
	}
	writeJSON(w, config.Object{"stats": list})
}

func (a *Server) prometheus(w http.ResponseWriter, r *http.Request) {
	stats, ok := a.selected(w, r)
	if !ok {
		return
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collector(stats))                                                       // It describes nothing that could clash.
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{DisableCompression: true}).ServeHTTP(w, r) // Envoy does not compress either
}

// writeJSON answers with JSON. A client that has gone cannot be told.
func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	_ = e.Encode(v)
}

// collector gives stats to Prometheus' library.
type collector []sidecar.Stat

// Describe implements prometheus.Collector; it sends nothing, since the stats
// come and go.
func (c collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c collector) Collect(out chan<- prometheus.Metric) {
	for _, s := range c {
		kind := prometheus.CounterValue
		if s.Gauge {
			kind = prometheus.GaugeValue
		}
		desc := prometheus.NewDesc(s.Tagged, "", nil, s.Tags)
		out <- prometheus.MustNewConstMetric(desc, kind, float64(s.Value))
	}
}
