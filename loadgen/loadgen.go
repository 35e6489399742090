// Package loadgen sends HTTP, WebSocket, gRPC and TCP load and records what came back.
//
// It drives connections, as fortio does, either as fast as the answers come
// (closed loop) or along a schedule (open loop), of which there is a fixed
// number, unless the plan lets them grow with the answers that are awaited.
// Latency is
// kept in HDR histograms, once from the intended start (response time) and
// once from the actual start (service time); how late the generator itself was
// is kept in one of its own (lag). Nothing is retried and no error is hidden:
// every request that was sent is in exactly one Outcome.
//
// The package knows nothing of meshes. Of this module it imports internal/epoll,
// internal/http1, internal/nearest and internal/plural alone.
package loadgen

import "time"

// Engines that can carry a Plan.
const (
	// EngineEpoll is the default for HTTP/1.1 without a login and without TLS, on Linux, and
	// can do no more. A few goroutines wait for all connections at once, with a client of our
	// own that allocates nothing for a request.
	EngineEpoll = "epoll"

	// EngineNetHTTP is the default for the rest. It reads and writes messages with
	// net/http, TLS with crypto/tls, HTTP/2 with golang.org/x/net/http2 and WebSocket with
	// github.com/coder/websocket, on connections of its own: http.Transport would send a
	// request again when a reused connection dies. It counts as EngineEpoll does.
	EngineNetHTTP = "net/http"

	// EngineFortio is fortio's fast HTTP client and its TCP client, driven along
	// our schedule into our histograms. What they cannot do is in the error of
	// Validate. Three things remain of fortio: the client dials anew after every
	// status outside 2xx but 418; its errors are told apart only as timeout,
	// other and, for an answer that was cut short, eof; and it cannot be cut off,
	// so that a request in flight ends with its answer or its Timeout even when
	// the context has ended. The client repeats a request whose reused connection
	// died; both are in the Result, the first as an error, so that Sent may
	// exceed Planned when this befalls the last requests.
	EngineFortio = "fortio"

	// EngineGRPC is that of calls of gRPC, and of nothing else: grpc-go's client, on
	// connections of its own, without its retries.
	EngineGRPC = "grpc-go"
)

// ArrivalPoisson has requests of an open loop arrive as those of many who know nothing of
// each other do: as many as the rate asks for on the average, and each at any time
// (exponential gaps, which a changing rate stretches).
const ArrivalPoisson = "poisson"

// The names of transport errors, in Outcome.Error.
const (
	ErrorTimeout  = "timeout"  // no whole answer within Plan.Timeout
	ErrorRefused  = "refused"  // nobody listens
	ErrorReset    = "reset"    // the connection was reset, or of HTTP/2 the stream
	ErrorEOF      = "eof"      // the connection was closed before the answer was whole, or of HTTP/2 given up (GOAWAY)
	ErrorTLS      = "tls"      // one side refused the other's certificate, or they have no version or protocol in common
	ErrorCanceled = "canceled" // the context ended while the request was in flight
	ErrorUntaken  = "untaken"  // an answer below 400 without what Request.Take asks for
	ErrorOther    = "other"    // any other, such as an unknown host, or a body above 8 MiB of which something is asked
)

// Plan is what one cohort sends. Exactly one of HTTP, GRPC, TCP and Send is set.
//
// The load ends after Requests, after Duration, or with the cohort that While
// names; where several are set, at whichever comes first. With none of them it
// runs until the context ends.
type Plan struct {
	Engine string `json:"engine,omitempty"` // empty: EngineEpoll or EngineNetHTTP, whichever can do it; of GRPC, EngineGRPC
	HTTP   *HTTP  `json:"http,omitempty"`
	GRPC   *GRPC  `json:"grpc,omitempty"`
	TCP    *TCP   `json:"tcp,omitempty"`
	// Send are requests to one host, which each connection sends in turn, each load from
	// the first on, or, where they have weights, of which each is drawn. Only the first may
	// have a Login.
	Send        []Request `json:"send,omitempty"`
	Values      *Values   `json:"values,omitempty"`
	Think       *Think    `json:"think,omitempty"` // of a closed loop
	TLS         *TLS      `json:"tls,omitempty"`   // of https, wss and gRPC alone; nil: a server is to have a certificate that this machine trusts, and gRPC is not encrypted
	Connections int       `json:"connections"`     // at least 1, and at most Requests
	// MaxConnections is up to how many connections there are of an open loop: one more is
	// opened whenever a request is due and all wait for answers. 0: no more than Connections.
	MaxConnections int      `json:"maxConnections,omitempty"`
	Requests       int64    `json:"requests,omitempty"` // exactly so many are sent, in a closed loop an equal part on each connection; 0: no limit
	Duration       Duration `json:"duration,omitzero"`  // at least MinDuration; 0: no limit
	QPS            float64  `json:"qps,omitempty"`      // of all connections together; 0: closed loop, unless there is a Rate
	// Rate is one that changes, in the place of QPS: through these points, the first of
	// which is at the start, and after the last of them that one's.
	Rate     []RatePoint `json:"rate,omitempty"`
	Arrival  string      `json:"arrival,omitempty"` // of an open loop: empty, evenly; or ArrivalPoisson
	Seed     int64       `json:"seed,omitempty"`    // of what is drawn, arrivals, requests and times to think, from 1 to 2^53-1; 0: each load draws its own
	Warmup   int64       `json:"warmup,omitempty"`  // requests sent before, and recorded nowhere but in Result.Warmup
	Timeout  Duration    `json:"timeout,omitzero"`  // of one request, at most 1 h; 0: one minute
	Checks   []Check     `json:"checks,omitempty"`
	Versions []Check     `json:"versions,omitempty"`              // the one that holds names the version that answered; several: Mixed
	Senders  int         `json:"senders,omitempty"`               // processes that send the load together; 0: one
	Sender   int         `json:"sender,omitempty" jsonschema:"-"` // of several, the one that this process is, from 1 on; 0: it is the plan of all, as Plan.Parts takes it
	While    string      `json:"while,omitempty"`                 // runs until this cohort of the same group has ended, or its own Requests or Duration have, if that is sooner

	// What a fortio load asks for besides:
	Prime              bool `json:"prime,omitempty"`              // each connection sends one request before all others, at once; they are of Result.Warmup. One that is not answered by 2xx, or by 418, is a failure of the load
	AllowInitialErrors bool `json:"allowInitialErrors,omitempty"` // however the requests of Prime end
	NoCatchUp          bool `json:"noCatchUp,omitempty"`          // open loop: what was due before a connection was free is never begun
	Jitter             bool `json:"jitter,omitempty"`             // open loop: a connection waits up to a tenth more or less for its turn
	NotOK              bool `json:"notOK,omitempty"`              // Result.NotOK is kept
	AbortOn            int  `json:"abortOn,omitempty"`            // none is begun once one has ended with this status, or, of AbortOnError, without a whole answer; 0: all are
}

// AbortOnError is Plan.AbortOn of a request that had no whole answer.
const AbortOnError = -1

// defaultTimeout is of one request.
const defaultTimeout = time.Minute

func (p *Plan) timeout() time.Duration {
	if p.Timeout.Duration == 0 {
		return defaultTimeout
	}
	return p.Timeout.Duration
}

// HTTP is one request, sent again and again on connections that stay open, unless it is a
// WebSocket.
type HTTP struct {
	Method string            `json:"method"`
	URL    string            `json:"url"`
	Header map[string]string `json:"header,omitempty"`
	Body   string            `json:"body,omitempty"`
	Login  *Login            `json:"login,omitempty"`
	Close  bool              `json:"close,omitempty"` // each request asks for its connection to be closed behind it, and has one of its own
	// Connect is the host:port to connect to instead of the URL's, as curl's
	// --connect-to; the Host header remains the URL's.
	Connect string `json:"connect,omitempty"`
	// HTTP2 has each connection speak HTTP/2, with one request at a time: over TLS if the
	// server takes h2 by ALPN, else from the first byte on (prior knowledge). False: HTTP/1.1.
	HTTP2 bool `json:"http2,omitempty"`
	// Messages are sent to a URL of WebSocket (ws://, wss://) as texts, each of which is
	// answered by one message before the next. A request is one WebSocket, on a connection of
	// its own: opened by a GET, whose status is 101, and closed by both sides. The body, to
	// checks, is all answers with newlines between them; of an answer that opens none it is
	// the first 1,024 bytes.
	Messages []string `json:"messages,omitempty"`
}

// TLS is who a client trusts, and who it is, each by the name that Istio's
// ClientTLSSettings have for it; what is a file there is its text in PEM here.
type TLS struct {
	SNI                string `json:"sni,omitempty"`                // the name that is asked for, and that the server's certificate is to be of; empty: the host of the URL
	CACertificates     string `json:"caCertificates,omitempty"`     // empty: those that this machine trusts
	ClientCertificate  string `json:"clientCertificate,omitempty"`  // with those that it is signed by; empty: none
	PrivateKey         string `json:"privateKey,omitempty"`         // of it, and secret
	InsecureSkipVerify bool   `json:"insecureSkipVerify,omitempty"` // takes any certificate of any server
}

// Login is a form that each connection posts once before its first request;
// the cookies that it is given go with every later request of that connection.
// It is sent to the host of HTTP.URL. An answer of 400 and above, or one
// without a cookie, is a failure of the load; redirects are not followed.
type Login struct {
	URL  string            `json:"url"`
	Form map[string]string `json:"form"`
}

// TCP is one connection after another: on each, every line is written and a
// line of answer awaited, then it is closed. A request is one connection.
type TCP struct {
	Address string   `json:"address"` // host:port
	Lines   []string `json:"lines"`   // without the newline; at least one
	Connect string   `json:"connect,omitempty"`
}

// Check is a named statement about the body of an answer. Exactly one of Body
// and Match is set.
type Check struct {
	Name  string `json:"name"`
	Body  string `json:"body,omitempty"`  // a substring
	Match string `json:"match,omitempty"` // an RE2 expression
}

// Mixed is the version of an answer of which several of Plan.Versions hold, and
// of a TCP connection whose lines were answered by different versions: it is not
// known which one answered.
const Mixed = "mixed"

// Result is what one cohort saw. It is plain data: it crosses the wire from
// the load workload and is kept in the record of a run.
type Result struct {
	Started     time.Time `json:"started"`
	Elapsed     Duration  `json:"elapsed"`           // from Started until the last answer; a cohort with While that ended by its own limits was there so long and no longer
	Planned     int64     `json:"planned,omitempty"` // Plan.Requests
	Sent        int64     `json:"sent"`              // the sum of all outcomes
	Setup       int64     `json:"setup,omitempty"`   // logins
	Warmup      int64     `json:"warmup,omitempty"`  // requests of the warm-up that were not cut off
	Engine      string    `json:"engine,omitempty"`  // which carried it out, whatever Plan.Engine left open
	Connections int       `json:"connections"`       // as planned
	Grown       int       `json:"grown,omitempty"`   // connections that Plan.MaxConnections has added to them
	Dialed      int64     `json:"dialed"`            // TCP connections opened, warm-up and logins included
	Used        int64     `json:"used,omitempty"`    // TCP connections that the requests of Sent went over, or were to: 1 to Sent; of TCP, one each. 0: nothing was sent
	// TargetQPS is the rate that was asked for; of one that changes, what it was on the
	// average until LastBegun. 0: a closed loop.
	TargetQPS float64     `json:"targetQPS,omitempty"`
	Rate      []RatePoint `json:"rate,omitempty"`   // Plan.Rate
	Seed      int64       `json:"seed,omitempty"`   // of what was drawn, itself drawn or not; 0: nothing was
	Late      int64       `json:"late,omitempty"`   // open loop: requests begun more than 10 ms after their intended start
	Missed    int64       `json:"missed,omitempty"` // open loop: requests that were never begun for want of a free connection, though due more than 10 ms before the load ended; of NoCatchUp all that were given up
	LastBegun Duration    `json:"lastBegun"`        // from Started until the last request began
	Outcomes  []Outcome   `json:"outcomes"`
	// Response and Service hold every request that ended by itself, whatever its
	// outcome; those that were canceled are left out, for they took as long as we
	// let them.
	Response *Histogram `json:"response"` // from the intended start
	Service  *Histogram `json:"service"`  // from the actual start
	// Lag is of each request of an open loop how long it was not begun although it was due
	// and a connection was free: this program was late, or the machine. Where a request had
	// to wait for a connection it begins with that. Nil: there was no rate to keep, or
	// nobody knows.
	Lag *Histogram `json:"lag,omitempty"`
	// NotOK has of Response those that were not answered by 2xx, or by 418: fortio's error
	// cases. Nil: Plan.NotOK did not ask for it.
	NotOK *Histogram `json:"notOK,omitempty"`
	Times []TimesOf  `json:"times,omitempty"` // of each request of Plan.Send, in its order
	// Series is the load over time; nil: nothing was sent, or fortio drove it.
	Series *Series `json:"series,omitempty"`
	// Refusal is why the first of the outcomes with ErrorTLS was one; nil: there are none, and
	// none was there before the load.
	Refusal *Refusal `json:"refusal,omitempty"`
	// Other is what was wrong with the first of the outcomes with ErrorOther, or with a request
	// before the load that ended so, in words; empty: there are none, or fortio's client, which
	// does not tell, had them.
	Other string `json:"other,omitempty"`
	// Senders are those of Plan.Senders, in their order, where there are several.
	Senders []Sender `json:"senders,omitempty"`
	// Failure says why the load could not be carried out at all, such as a
	// login that was refused; empty when it ran.
	Failure string `json:"failure,omitempty"`
	// Aborted says of Failure that it is of a request which ended as Plan.AbortOn has it.
	Aborted bool `json:"aborted,omitempty"`
}

// Outcome counts the answers that were alike.
type Outcome struct {
	Request string   `json:"request,omitempty"` // of Plan.Send, its name
	Status  int      `json:"status,omitempty"`  // 0: no HTTP answer (a transport error, gRPC, or TCP)
	GRPC    string   `json:"grpc,omitempty"`    // the code of a call, one of Codes or CODE_ and a number; empty: it ended without one, or is none
	Message string   `json:"message,omitempty"` // what came with the code, of 32 messages of a load; those of others, and of none, are together
	Error   string   `json:"error,omitempty"`   // ErrorTimeout and the like; empty: an answer came whole
	Checks  []string `json:"checks,omitempty"`  // the names of those that held, sorted
	Version string   `json:"version,omitempty"` // empty: none of Plan.Versions held
	Count   int64    `json:"count"`
	Slowest *Example `json:"slowest,omitempty"` // the one of them that took longest, by response time; nil: none that was sent carried an id of ours, or they were canceled
}

// Example is one request among others.
//
// Each HTTP request, those of the warm-up and logins too, is given an x-request-id
// of its own, unless the plan's header has that field; engine fortio gives none. The id is a version 4 UUID of 36 characters in lower case. Envoy
// writes into its 15th, index 14, whether the request is traced, so whoever
// looks for it in what proxies wrote compares the others.
type Example struct {
	RequestID string    `json:"requestID"` // as it was sent
	From      string    `json:"from"`      // ip:port of the connection's own end, by which a gateway that gives it another id knows it
	Begun     time.Time `json:"begun"`     // when it was sent, by the clock of whoever sent it
	Response  Duration  `json:"response"`  // from the intended start, as Result.Response has it
}

// Progress is how far a cohort has come.
type Progress struct {
	Cohort  string   `json:"cohort"`
	Sent    int64    `json:"sent"`
	Errors  int64    `json:"errors"` // transport errors, status 400 and above, and codes of gRPC but OK
	Planned int64    `json:"planned,omitempty"`
	Elapsed Duration `json:"elapsed"`
	Ended   bool     `json:"ended,omitempty"` // it sends nothing any more

	Duration Duration `json:"duration,omitzero"` // Plan.Duration
	QPS      float64  `json:"qps,omitempty"`     // that is asked for at the time

	Ways []Way `json:"ways,omitempty"` // how those of Sent ended, by status, code and error

	// Percentiles of the response times so far, as of a second ago at the most; 0:
	// nothing that counts has ended.
	P50 Duration `json:"p50,omitzero"`
	P99 Duration `json:"p99,omitzero"`
}

// Way is how many requests ended alike.
type Way struct {
	Status int    `json:"status,omitempty"` // as an Outcome has it
	GRPC   string `json:"grpc,omitempty"`
	Error  string `json:"error,omitempty"`
	Count  int64  `json:"count"`
}
