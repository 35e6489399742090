package main

import (
	"fmt"

	"github.com/spf13/pflag"
)

// refusal is a flag of fortio load that is not taken: what it asks for cannot be had, and
// a load without it would be another one.
type refusal struct {
	name  string
	value string // that asks for nothing, and is taken; empty: there is none
	why   string
	short string // its one letter, where that is its name
}

// whyNotGRPC is of flags and of URLs.
const whyNotGRPC = "a load of gRPC is a scenario's, as grpc; fortio load drives fortio's own"

// refusals are the flags of fortio load that load does not take. Those that serve are of
// fortio server.
func refusals() []refusal {
	const (
		proto = "requests go by HTTP/1.1, or with -h2 by HTTP/2; fortio load has HTTP/1.0"
		names = "a host is looked up by the machine's resolver, for each connection; write -resolve IP, or an IP in the URL with -H Host:NAME"
		serve = "it is of fortio's servers, and load has none; meshchaos serve and lab have services"
		logs  = "nothing is logged; the view and the summary tell what came of the load"
	)
	all := []refusal{
		{name: "follow", short: "L", value: "false", why: "an answer that redirects is counted by its status, and who is not named gets no load; name where it leads"},
		{name: "streams", short: "s", value: "1", why: whyNotGRPC},
		{name: "halfclose", value: "false", why: "a connection is closed as a whole; write -keepalive=false alone"},
		{name: "compression", value: "false", why: "no body is unpacked; write -H 'Accept-Encoding: gzip' to be sent packed ones"},
		{name: "unix-socket", why: "connections are TCP; name a port"},
		{name: "connection-reuse", why: "a connection is kept open or, with -keepalive=false, closed behind each request; write one of them"},
		{name: "sequential-warmup", value: "false", why: "connections are opened beside each other; lower -c for a service that does not bear that"},
		{name: "httpbufferkb", value: "128", why: "bodies of up to 8 MiB are read whole; leave it out"},
		{name: "httpccch", value: "true", why: "a connection that the server closes is always noticed; leave it out"},
		{name: "log-errors", value: "false", why: logs + ", by status; leave it out"},
		{name: "access-log-file", why: logs + "; the record of a scenario has its series"},
		{name: "access-log-format", value: "json", why: logs + "; the record of a scenario has its series"},
		{name: "stream", value: "false", why: "it is of fortio curl; write -payload-file"},
		{name: "curl", value: "false", why: "it sends one request; write -n 1, or use curl"},
		{name: "curl-stdout-headers", value: "false", why: "it is of fortio curl; use curl"},
		{name: "profile", why: "this program writes no profile of itself"},
		{name: "udp-timeout", value: "750ms", why: "this program sends no UDP"},
		{name: "init", why: "it is of fortio script"},
		{name: "logger-force-color", value: "false", why: logs},
		{name: "logger-no-color", value: "false", why: logs},
		{name: "logger-json", value: "true", why: logs + "; leave it out"},
		{name: "logger-timestamp", value: "true", why: logs + "; leave it out"},
		{name: "logger-file-line", value: "true", why: logs + "; leave it out"},
		{name: "logger-goroutine", value: "true", why: logs + "; leave it out"},
	}
	for why, group := range map[string][]refusal{
		proto: {{name: "http1.0", value: "false"}},
		names: {{name: "no-reresolve", value: "false"}, {name: "resolve-ip-type"}, {name: "dns-method"}},
		whyNotGRPC: {
			{name: "grpc", value: "false"}, {name: "grpc-compression", value: "false"}, {name: "grpc-ping-delay", value: "0s"}, {name: "grpc-method"},
			{name: "health", value: "false"}, {name: "healthservice"}, {name: "ping", value: "false"},
		},
		serve: {
			{name: "http-port"}, {name: "tcp-port"}, {name: "udp-port"}, {name: "udp-async", value: "false"}, {name: "grpc-port"},
			{name: "echo-debug-path"}, {name: "ui-path"}, {name: "static-dir"}, {name: "redirect-port"}, {name: "sync"},
			{name: "sync-interval"}, {name: "base-url"}, {name: "maxpayloadsizekb"}, {name: "grpc-max-streams"},
			{name: "nc-dont-stop-on-eof", value: "false"}, {name: "multi-mirror-origin", value: "true"}, {name: "multi-serial-mode", value: "false"},
			{name: "mtls", value: "false"}, {name: "pprof", value: "false"}, {name: "proxies", short: "P"}, {name: "multi", short: "M"}, {name: "config-dir"}, {name: "config-port"},
			{name: "echo-server-default-params"}, {name: "proxy-all-headers", value: "true"}, {name: "server-idle-timeout"}, {name: "max-echo-delay"},
		},
	} {
		for _, one := range group {
			one.why = why
			all = append(all, one)
		}
	}
	return all
}

// addRefused adds them, so that each is refused by its name. Help and completion do not
// offer them.
func addRefused(flags *pflag.FlagSet) {
	for _, one := range refusals() {
		flag := flags.VarPF(&refused{one}, one.name, one.short, "")
		flag.Hidden = true
		if one.value == "true" || one.value == "false" {
			flag.NoOptDefVal = "true"
		}
	}
}

// refused is the value of such a flag.
type refused struct{ refusal }

// Set implements pflag.Value.
func (r *refused) Set(text string) error {
	if r.value != "" && text == r.value {
		return nil
	}
	return &refusedError{r.refusal}
}

// String implements pflag.Value.
func (r *refused) String() string { return r.value }

// Type implements pflag.Value.
func (r *refused) Type() string { return "string" }

// refusedError says why a flag of fortio is not taken.
type refusedError struct{ refusal }

// Error implements error.
func (e *refusedError) Error() string {
	name := e.name
	if e.short != "" {
		name = e.short
	}
	return fmt.Sprintf("fortio's -%s is not taken: %s", name, e.why)
}
