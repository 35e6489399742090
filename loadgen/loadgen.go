// Package loadgen sends HTTP and TCP load and records what came back.
//
// It drives a fixed number of connections, as fortio does, either as fast as
// the answers come (closed loop) or along a schedule (open loop). Latency is
// kept in HDR histograms, once from the intended start (response time) and
// once from the actual start (service time). Nothing is retried and no error
// is hidden: every request that was sent is in exactly one Outcome.
//
// The package knows nothing of meshes. Of this module it imports internal/plural
// alone.
package loadgen

import "time"

// Engines that can carry a Plan.
const (
	// EngineNetHTTP is the default. It reads and writes messages with net/http,
	// on connections of its own: http.Transport would send a request again when
	// a reused connection dies.
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
)

// The names of transport errors, in Outcome.Error.
const (
	ErrorTimeout  = "timeout"  // no whole answer within Plan.Timeout
	ErrorRefused  = "refused"  // nobody listens
	ErrorReset    = "reset"    // the connection was reset
	ErrorEOF      = "eof"      // the connection was closed before the answer was whole
	ErrorCanceled = "canceled" // the context ended while the request was in flight
	ErrorOther    = "other"    // any other, such as an unknown host, or a body above 8 MiB
)

// Plan is what one cohort sends. Exactly one of HTTP and TCP is set.
//
// The load ends after Requests, after Duration, or with the cohort that While
// names; where several are set, at whichever comes first. With none of them it
// runs until the context ends.
type Plan struct {
	Engine      string   `json:"engine,omitempty"`
	HTTP        *HTTP    `json:"http,omitempty"`
	TCP         *TCP     `json:"tcp,omitempty"`
	Connections int      `json:"connections"`        // at least 1, and at most Requests
	Requests    int64    `json:"requests,omitempty"` // exactly so many are sent, in a closed loop an equal part on each connection; 0: no limit
	Duration    Duration `json:"duration,omitzero"`  // at least MinDuration; 0: no limit
	QPS         float64  `json:"qps,omitempty"`      // of all connections together; 0: closed loop
	Warmup      int64    `json:"warmup,omitempty"`   // requests sent before, and recorded nowhere but in Result.Warmup
	Timeout     Duration `json:"timeout,omitzero"`   // of one request, at most 1 h; 0: one minute
	Checks      []Check  `json:"checks,omitempty"`
	Versions    []Check  `json:"versions,omitempty"` // the one that holds names the version that answered; several: Mixed
	While       string   `json:"while,omitempty"`    // runs until this cohort of the same group has ended, or its own Requests or Duration have, if that is sooner
}

// defaultTimeout is of one request.
const defaultTimeout = time.Minute

func (p *Plan) timeout() time.Duration {
	if p.Timeout.Duration == 0 {
		return defaultTimeout
	}
	return p.Timeout.Duration
}

// HTTP is one request, sent again and again on connections that stay open.
type HTTP struct {
	Method string            `json:"method"`
	URL    string            `json:"url"`
	Header map[string]string `json:"header,omitempty"`
	Body   string            `json:"body,omitempty"`
	Login  *Login            `json:"login,omitempty"`
	// Connect is the host:port to connect to instead of the URL's, as curl's
	// --connect-to; the Host header remains the URL's.
	Connect string `json:"connect,omitempty"`
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
	Connections int       `json:"connections"`       // as planned
	Dialed      int64     `json:"dialed"`            // TCP connections opened, warm-up and logins included
	Used        int64     `json:"used,omitempty"`    // TCP connections that the requests of Sent went over, or were to: 1 to Sent; of TCP, one each. 0: nothing was sent
	TargetQPS   float64   `json:"targetQPS,omitempty"`
	Late        int64     `json:"late,omitempty"`   // open loop: requests begun more than 10 ms after their intended start
	Missed      int64     `json:"missed,omitempty"` // open loop: requests that were never begun for want of a free connection, though due more than 10 ms before the load ended
	LastBegun   Duration  `json:"lastBegun"`        // from Started until the last request began
	Outcomes    []Outcome `json:"outcomes"`
	// Response and Service hold every request that ended by itself, whatever its
	// outcome; those that were canceled are left out, for they took as long as we
	// let them.
	Response *Histogram `json:"response"` // from the intended start
	Service  *Histogram `json:"service"`  // from the actual start
	// Series is the load over time; nil: nothing was sent, or fortio drove it.
	Series *Series `json:"series,omitempty"`
	// Failure says why the load could not be carried out at all, such as a
	// login that was refused; empty when it ran.
	Failure string `json:"failure,omitempty"`
}

// Outcome counts the answers that were alike.
type Outcome struct {
	Status  int      `json:"status,omitempty"`  // 0: no HTTP answer (a transport error, or TCP)
	Error   string   `json:"error,omitempty"`   // ErrorTimeout and the like; empty: an answer came whole
	Checks  []string `json:"checks,omitempty"`  // the names of those that held, sorted
	Version string   `json:"version,omitempty"` // empty: none of Plan.Versions held
	Count   int64    `json:"count"`
	Slowest *Example `json:"slowest,omitempty"` // the one of them that took longest, by response time; nil: none that was sent carried an id of ours, or they were canceled
}

// Example is one request among others.
//
// Engine net/http gives each HTTP request, those of the warm-up and logins too,
// an x-request-id of its own, unless the plan's header has that field; fortio
// gives none. The id is a version 4 UUID of 36 characters in lower case. Envoy
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
	Errors  int64    `json:"errors"` // transport errors and status 400 and above
	Planned int64    `json:"planned,omitempty"`
	Elapsed Duration `json:"elapsed"`
	Ended   bool     `json:"ended,omitempty"` // it sends nothing any more

	Duration Duration `json:"duration,omitzero"` // Plan.Duration
	QPS      float64  `json:"qps,omitempty"`     // Plan.QPS

	Ways []Way `json:"ways,omitempty"` // how those of Sent ended, by status and error

	// Percentiles of the response times so far, as of a second ago at the most; 0:
	// nothing that counts has ended.
	P50 Duration `json:"p50,omitzero"`
	P99 Duration `json:"p99,omitzero"`
}

// Way is how many requests ended alike.
type Way struct {
	Status int    `json:"status,omitempty"` // as an Outcome has it
	Error  string `json:"error,omitempty"`
	Count  int64  `json:"count"`
}
