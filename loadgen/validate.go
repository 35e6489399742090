package loadgen

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"net"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"
)

// The bounds of a Plan.
const (
	maxConnections = 10_000
	maxTimeout     = time.Hour // what a Histogram can hold
	minQPS         = 0.001
	maxQPS         = 1e6

	// MinDuration is the shortest Plan.Duration: in less, a load may not come to
	// begin anything.
	MinDuration = time.Millisecond
)

// Validate says what keeps the plan from being carried out, the first such
// thing, by the names of the JSON without their units.
func (p Plan) Validate() error {
	for _, validate := range []func(*Plan) error{
		validateEngine, validateAmounts, validateTarget, validateMatchers, validateFortio,
	} {
		if err := validate(&p); err != nil {
			return fmt.Errorf("validating the load plan: %w", err)
		}
	}
	return nil
}

// FieldError is what is wrong with one field of a plan.
type FieldError struct {
	Field string // by the names of the JSON, without units: connections, http.header.x, tcp.lines[2], versions.v1.match
	err   error
}

// Error implements error.
func (e *FieldError) Error() string { return e.err.Error() }

// Unwrap returns the reason.
func (e *FieldError) Unwrap() error { return e.err }

func wrong(field, format string, args ...any) error {
	return &FieldError{field, fmt.Errorf(format, args...)}
}

func validateEngine(p *Plan) error {
	switch p.Engine {
	case "", EngineNetHTTP, EngineFortio:
		return nil
	}
	return wrong("engine", "engine is %q; it must be %s or %s", p.Engine, EngineNetHTTP, EngineFortio)
}

func validateAmounts(p *Plan) error {
	switch {
	case p.Connections < 1 || p.Connections > maxConnections:
		return wrong("connections", "connections is %d; it must be 1 to %d", p.Connections, maxConnections)
	case p.Requests < 0:
		return wrong("requests", "requests is %d; it must be 0 (no limit) or more", p.Requests)
	case p.Requests > 0 && p.Requests < int64(p.Connections):
		return wrong("requests", "requests is %d, fewer than the %d connections, some of which would have nothing to send; take as many requests or fewer connections", p.Requests, p.Connections)
	case p.Warmup < 0:
		return wrong("warmup", "warmup is %d; it must be 0 or more", p.Warmup)
	case p.Duration.Duration != 0 && p.Duration.Duration < MinDuration:
		return wrong("duration", "duration is %s; it must be 0 (no limit) or %s and more", p.Duration, MinDuration)
	case p.Timeout.Duration < 0 || p.Timeout.Duration > maxTimeout:
		return wrong("timeout", "timeout is %s; it must be 0 (%s) to %s", p.Timeout, defaultTimeout, maxTimeout)
	case math.IsNaN(p.QPS), p.QPS != 0 && p.QPS < minQPS, p.QPS > maxQPS:
		return wrong("qps", "qps is %s; it must be 0 (no limit) or %s to %s", digits(p.QPS), digits(minQPS), digits(maxQPS))
	}
	return nil
}

// digits writes a rate as files and options take it: 1000000, and not 1e+06.
func digits(qps float64) string { return strconv.FormatFloat(qps, 'f', -1, 64) }

func validateTarget(p *Plan) error {
	switch {
	case (p.HTTP == nil) == (p.TCP == nil):
		return errors.New("exactly one of http and tcp must be set")
	case p.HTTP != nil:
		return validateHTTP(p.HTTP)
	default:
		return validateTCP(p.TCP)
	}
}

func validateHTTP(h *HTTP) error {
	u, err := validateURL("http.url", h.URL)
	if err != nil {
		return err
	}
	if h.Method != "" && !httpguts.ValidHeaderFieldName(h.Method) || h.Method == "CONNECT" {
		return wrong("http.method", "http.method is %q; it must be a method such as GET or POST, and not CONNECT", h.Method)
	}
	if err := validateHeader(h.Header); err != nil {
		return err
	}
	if h.Login != nil {
		login, err := validateURL("http.login.url", h.Login.URL)
		if err != nil {
			return err
		}
		if login.Host != u.Host {
			return wrong("http.login.url", "http.login.url is at %q and http.url at %q; a connection logs in where it sends", login.Host, u.Host)
		}
	}
	return validateConnect("http.connect", h.Connect)
}

func validateURL(field, text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, wrong(field, "%s is no URL: %w", field, err)
	case u.Scheme != "http" || u.Hostname() == "":
		return nil, wrong(field, "%s is %q; it must begin with http:// and a host", field, text)
	case u.User != nil:
		return nil, wrong(field, "%s holds a user; set the header Authorization instead", field)
	}
	return u, nil
}

func validateHeader(header map[string]string) error {
	seen := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(header)) {
		if err := validateField(name, header[name]); err != nil {
			return err
		}
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		if other, twice := seen[canonical]; twice {
			return wrong("http.header."+name, "http.header has both %s and %s, which are the same; leave one out", other, name)
		}
		seen[canonical] = name
	}
	return nil
}

// validateField refuses, besides malformed header fields, those by which the
// message itself is framed: both engines write them themselves.
func validateField(name, value string) error {
	switch strings.ToLower(name) {
	case "content-length", "transfer-encoding", "connection", "trailer", "upgrade", "expect":
		return wrong("http.header."+name, "http.header has %s, which the load generator sets itself; leave it out", name)
	}
	if !httpguts.ValidHeaderFieldName(name) {
		return wrong("http.header."+name, "http.header has %q, which is no name of a header field", name)
	}
	if !httpguts.ValidHeaderFieldValue(value) {
		return wrong("http.header."+name, "http.header %s is %q, which holds a character that no header field may", name, value)
	}
	return nil
}

func validateTCP(t *TCP) error {
	if t.Address == "" {
		return wrong("tcp.address", "tcp.address is missing; set host:port")
	}
	if err := validateConnect("tcp.address", t.Address); err != nil {
		return err
	}
	if len(t.Lines) == 0 {
		return wrong("tcp.lines", "tcp.lines is empty; give at least one line to send")
	}
	for i, line := range t.Lines {
		if strings.ContainsAny(line, "\r\n") {
			return wrong(fmt.Sprintf("tcp.lines[%d]", i), "tcp.lines[%d] is %q; a line may not hold a line ending", i, line)
		}
	}
	return validateConnect("tcp.connect", t.Connect)
}

// validateConnect takes host:port, or nothing.
func validateConnect(field, address string) error {
	if address == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || port == "" {
		return wrong(field, "%s is %q; it must be host:port", field, address)
	}
	return nil
}

func validateMatchers(p *Plan) error {
	for i, v := range p.Versions {
		if v.Name == Mixed {
			return wrong("versions."+v.Name, "versions has %q, which is what answers of several versions are called; rename it", Mixed)
		}
		for _, other := range p.Versions[:i] {
			// No answer could be of one alone, so that each would have answered nothing.
			if v.Name != other.Name && v.Body == other.Body && v.Match == other.Match {
				return wrong("versions."+v.Name, "versions %q and %q have the same text; write what only the one has in its answers", other.Name, v.Name)
			}
		}
	}
	_, err := newMatcher(p)
	return err
}

// validateFortio refuses what fortio's clients cannot do.
func validateFortio(p *Plan) error {
	switch {
	case p.Engine != EngineFortio:
		return nil
	case p.Connections > maxFortioConnections:
		return wrong("engine", "engine fortio takes 128 KiB for each of %d connections; at most %d are possible: use engine %s",
			p.Connections, maxFortioConnections, EngineNetHTTP)
	case p.TCP != nil:
		return validateFortioTCP(p)
	default:
		return validateFortioHTTP(p.HTTP)
	}
}

// validateWhile follows While from one cohort of a group to the next.
func validateWhile(plans map[string]Plan, name string) error {
	seen := map[string]bool{}
	for at := name; plans[at].While != ""; at = plans[at].While {
		next := plans[at].While
		if _, known := plans[next]; !known {
			return fmt.Errorf("cohort %q: while names %q, which is no cohort; there are: %s",
				at, next, strings.Join(slices.Sorted(maps.Keys(plans)), ", "))
		}
		if seen[at] {
			return fmt.Errorf("cohort %q: while leads back to the cohort itself; one of them must end by requests or duration", at)
		}
		seen[at] = true
	}
	return nil
}
