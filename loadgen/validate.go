package loadgen

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/internal/plural"
)

// The bounds of a Plan.
const (
	maxConnections = 10_000
	maxTimeout     = time.Hour // what a Histogram can hold
	minQPS         = 0.001
	maxQPS         = 1e6
	maxRatePoints  = 1000
	longestRate    = 1000 * time.Hour
	maxSeed        = 1<<53 - 1 // which every reader of JSON keeps

	// MinDuration is the shortest Plan.Duration: in less, a load may not come to
	// begin anything.
	MinDuration = time.Millisecond
)

// Validate says what keeps the plan from being carried out, the first such
// thing, by the names of the JSON without their units.
func (p Plan) Validate() error {
	for _, validate := range []func(*Plan) error{
		validateEngine, validateAmounts, validateSenders, validateRate, validateThink, validateTarget, validateTLS, validateMatchers, validateClients,
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
	case "", EngineEpoll, EngineNetHTTP, EngineFortio:
		return nil
	case EngineGRPC:
		if p.GRPC == nil {
			return wrong("engine", "engine %s makes calls of gRPC alone; leave it out", EngineGRPC)
		}
		return nil
	}
	return wrong("engine", "engine is %q; it must be %s, %s or %s", p.Engine, EngineEpoll, EngineNetHTTP, EngineFortio)
}

func validateAmounts(p *Plan) error {
	switch {
	case p.Connections < 1 || p.Connections > maxConnections:
		return wrong("connections", "connections is %d; it must be 1 to %d", p.Connections, maxConnections)
	case p.MaxConnections != 0 && (p.MaxConnections <= p.Connections || p.MaxConnections > maxConnections):
		return wrong("connections", "connections may grow from %d to %d; the end must be above the start, and at most %d", p.Connections, p.MaxConnections, maxConnections)
	case p.MaxConnections != 0 && !p.Open():
		return wrong("connections", "connections are to grow, and without a rate none is ever lacking; write qps, or one number of connections")
	case p.MaxConnections != 0 && p.first() != nil && p.first().Login != nil:
		return wrong("connections", "connections are to grow, and each must log in before the load; write one number of connections")
	case p.MaxConnections != 0 && p.Engine == EngineFortio:
		return wrong("engine", "engine fortio keeps to one number of connections: use engine %s", EngineNetHTTP)
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
	switch {
	case p.AllowInitialErrors && !p.Prime:
		return wrong("allowInitialErrors", "allowInitialErrors is of the requests of prime; set that too, or leave it out")
	case p.AbortOn != 0 && p.AbortOn != AbortOnError && (p.AbortOn < 100 || p.AbortOn > 599):
		return wrong("abortOn", "abortOn is %d; it must be a status from 100 to 599, or %d (no whole answer)", p.AbortOn, AbortOnError)
	case p.AbortOn > 0 && p.GRPC != nil:
		return wrong("abortOn", "abortOn is %d, and a call of gRPC ends by a code and never by a status; write %d (no code came), or leave it out", p.AbortOn, AbortOnError)
	case p.AbortOn > 0 && p.TCP != nil:
		return wrong("abortOn", "abortOn is %d, and what is answered by TCP has no status; write %d (no whole answer), or leave it out", p.AbortOn, AbortOnError)
	}
	return nil
}

// validateRate refuses a rate that cannot be kept to, or that never makes due what is to be
// sent.
func validateRate(p *Plan) error {
	switch {
	case len(p.Rate) > 0 && p.QPS != 0:
		return wrong("rate", "there are both qps and a rate that changes; leave one out")
	case p.Arrival != "" && p.Arrival != ArrivalPoisson:
		return wrong("arrival", "arrival is %q; it must be %s, or be left out", p.Arrival, ArrivalPoisson)
	case p.Arrival != "" && !p.Open():
		return wrong("arrival", "arrival is %s, and without a rate each request begins when the one before it has been answered; write qps", p.Arrival)
	case p.Seed < 0 || p.Seed > maxSeed:
		return wrong("seed", "seed is %d; it must be 0 (each load draws its own) to %d", p.Seed, int64(maxSeed))
	case p.Seed != 0 && !p.Draws():
		return wrong("seed", "seed is %d, and nothing is drawn; write arrival: %s, weights of a list, or a range of times to think", p.Seed, ArrivalPoisson)
	case len(p.Rate) > maxRatePoints:
		return wrong("rate", "the rate goes through %d points; at most %d are possible", len(p.Rate), maxRatePoints)
	case len(p.Rate) == 0:
		return nil
	}
	if err := validatePoints(p); err != nil {
		return err
	}
	return validateEnough(p)
}

// validatePoints refuses points that are none of a rate, or out of order.
func validatePoints(p *Plan) error {
	for i, point := range p.Rate {
		field := fmt.Sprintf("rate[%d]", i)
		switch before := max(i-1, 0); {
		case i == 0 && point.At.Duration != 0:
			return wrong(field, "the rate begins at %s; its first point must be at 0s", point.At)
		case point.At.Duration < p.Rate[before].At.Duration || point.At.Duration > longestRate:
			return wrong(field, "the rate has %s after %s; each point must be later than the one before, and within %s", point.At, p.Rate[before].At, longestRate)
		case math.IsNaN(point.QPS), point.QPS != 0 && point.QPS < minQPS, point.QPS > maxQPS:
			return wrong(field, "a rate is %s; it must be 0 or %s to %s", digits(point.QPS), digits(minQPS), digits(maxQPS))
		}
	}
	return nil
}

// validateEnough refuses a rate that ends at 0 before all is due that alone ends the load.
func validateEnough(p *Plan) error {
	s := p.schedule(0)
	last := p.Rate[len(p.Rate)-1]
	due := s.rate.by(last.At.Duration + 1)
	switch {
	case s.rate.peak() == 0:
		return wrong("rate", "the rate is 0 at all times, so that nothing is ever due")
	case last.QPS > 0 || p.Requests == 0 || p.Duration.Duration > 0 || p.While != "":
		return nil
	case s.draws != nil:
		return wrong("requests", "the rate ends at 0, and nobody knows how many requests arrive before that; write duration, or leave requests out")
	case float64(p.Requests) > due:
		return wrong("requests", "requests is %d, and the rate ends at 0 when %s are due; take fewer, or let it end at another rate", p.Requests, plural.Of(int64(math.Ceil(due)), "request"))
	}
	return nil
}

// digits writes a rate as files and options take it: 1000000, and not 1e+06.
func digits(qps float64) string { return strconv.FormatFloat(qps, 'f', -1, 64) }

func validateTarget(p *Plan) error {
	targets := 0
	for _, is := range []bool{p.HTTP != nil, p.GRPC != nil, p.TCP != nil, len(p.Send) > 0} {
		if is {
			targets++
		}
	}
	switch {
	case targets != 1:
		return errors.New("exactly one of http, grpc, tcp and send must be set")
	case p.OfHTTP() != nil:
		return validateSend(p)
	}
	if err := validateValues(p); err != nil {
		return err
	}
	if p.GRPC != nil {
		return validateGRPC(p)
	}
	return validateTCP(p.TCP)
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
	if named := strings.Trim(port, "+-0123456789") != ""; !named && !isPort(port) {
		return wrong(field, "%s has port %s; it must be 1 to 65535", field, port)
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

// validateClients refuses what the clients of an engine cannot do.
func validateClients(p *Plan) error {
	switch p.Engine {
	case EngineEpoll:
		return validateEpoll(p)
	case EngineFortio:
		return validateFortio(p)
	}
	return nil
}

func validateFortio(p *Plan) error {
	switch {
	case p.Connections > maxFortioConnections:
		return wrong("engine", "engine fortio takes 128 KiB for each of %d connections; at most %d are possible: use engine %s",
			p.Connections, maxFortioConnections, EngineNetHTTP)
	case p.TCP != nil:
		return validateFortioTCP(p)
	case p.HTTP == nil:
		return wrong("engine", "engine fortio sends one request again and again, and this load is a list of them: use engine %s", EngineNetHTTP)
	case p.Encrypted():
		return wrong("engine", "engine fortio is driven without TLS here: use engine %s", EngineNetHTTP)
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
