package sidecar

import (
	"net"
	"strconv"
	"strings"
	"time"
)

// AccessLogFormat is Istio's default text format of the access log
// (pilot/pkg/model/telemetry_logging.go, EnvoyTextLogFormat).
const AccessLogFormat = `[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% ` +
	`%RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% %BYTES_SENT% ` +
	`%DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" ` +
	`"%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% ` +
	`%DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%` + "\n"

// accessLogEntry is one line of a proxy's access log: an HTTP request or a TCP
// connection that has ended. What is empty or nil is written as -.
type accessLogEntry struct {
	start    time.Time
	duration time.Duration
	written  time.Time // when it was added to the log

	method, path, protocol string // of HTTP
	status                 int    // 0: the client got none
	flags                  string // DI, FI, UO and so on, joined by commas
	details                string // Envoy's response code details
	failure                string // why the connection to the upstream failed
	received, sent         int64  // bytes of the bodies, or of the connection
	serviceTime            string // of the upstream, in ms
	forwardedFor           string
	userAgent              string
	requestID              string
	authority              string
	upstream               string // the host's address
	cluster                string
	upstreamLocal          net.Addr
	downstreamLocal        net.Addr
	downstreamRemote       string
	serverName             string // that the client asked for by SNI
	route                  string // the route's name
}

// startTime is how Envoy writes %START_TIME%.
const startTime = "2006-01-02T15:04:05.000Z"

// appendLine appends the entry as AccessLogFormat has it.
func (e *accessLogEntry) appendLine(b []byte) []byte {
	text := func(value, after string) {
		if value == "" {
			value = "-"
		}
		b = append(append(b, value...), after...)
	}
	number := func(n int64) { b = append(strconv.AppendInt(b, n, 10), ' ') }
	address := func(a net.Addr) {
		if a == nil {
			text("", " ")
			return
		}
		text(a.String(), " ")
	}
	b = append(b, '[')
	b = e.start.UTC().AppendFormat(b, startTime)
	b = append(b, `] "`...)
	text(e.method, " ")
	text(e.path, " ")
	text(e.protocol, `" `)
	number(int64(e.status))
	text(e.flags, " ")
	text(e.details, " ")
	text("", ` "`) // Connection termination details: the proxy ends none for a reason of its own.
	text(e.failure, `" `)
	number(e.received)
	number(e.sent)
	number(e.duration.Milliseconds())
	text(e.serviceTime, ` "`)
	text(e.forwardedFor, `" "`)
	text(e.userAgent, `" "`)
	text(e.requestID, `" "`)
	text(e.authority, `" "`)
	text(e.upstream, `" `)
	text(e.cluster, " ")
	address(e.upstreamLocal)
	address(e.downstreamLocal)
	text(e.downstreamRemote, " ")
	text(e.serverName, " ")
	text(e.route, "\n")
	return b
}

// underscored is a reason as Envoy writes it into its log: without spaces.
func underscored(reason string) string { return strings.ReplaceAll(reason, " ", "_") }
