package check

import (
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/meshchaos/meshchaos/internal/plural"
	"github.com/meshchaos/meshchaos/loadgen"
)

// outcomes chooses some of the outcomes of a cohort.
type outcomes func(loadgen.Outcome) bool

func everything(loadgen.Outcome) bool  { return true }
func transport(o loadgen.Outcome) bool { return o.Error != "" }

func untaken(o loadgen.Outcome) bool { return o.Error == loadgen.ErrorUntaken }

func withStatus(code int) outcomes {
	return func(o loadgen.Outcome) bool { return o.Status == code }
}

func withCheck(name string) outcomes {
	return func(o loadgen.Outcome) bool { return slices.Contains(o.Checks, name) }
}

// withVersion chooses the whole answers of a version.
func withVersion(version string) outcomes {
	return func(o loadgen.Outcome) bool { return o.Error == "" && o.Version == version }
}

// withCode chooses the calls of gRPC that ended by a code.
func withCode(code string) outcomes {
	return func(o loadgen.Outcome) bool { return o.GRPC == code }
}

// withoutStatus chooses the whole answers of gRPC and TCP, which have none.
func withoutStatus(o loadgen.Outcome) bool { return o.Error == "" && o.Status == 0 }

// ofCalls chooses the calls of gRPC that ended by any code.
func ofCalls(o loadgen.Outcome) bool { return o.GRPC != "" }

// withoutCode chooses the whole answers of anything but gRPC.
func withoutCode(o loadgen.Outcome) bool { return o.Error == "" && o.GRPC == "" && o.Status != unnamed }

// counted is the measure that counts outcomes.
func counted(chosen outcomes) measure {
	return func(r *loadgen.Result) (*big.Rat, string) {
		return new(big.Rat).SetInt64(r.Count(chosen)), ""
	}
}

// mixed chooses the answers that showed several versions.
func mixed(o loadgen.Outcome) bool { return o.Version == loadgen.Mixed }

// toldApart is the value of a count of a version's answers, in doubt where there
// are others of which nobody can say whose they are.
func toldApart(l Load, count func(Windows) value) func(Windows) value {
	return func(w Windows) value {
		v := count(w)
		result, _ := w.result(l)
		if result == nil {
			return v
		}
		if n := result.Count(mixed); n > 0 {
			v.doubts = append(v.doubts, fmt.Sprintf("%s in the %s: %d of %d answers showed several versions, and nobody can say which of them answered; write for each of the versions a text that only its answers have",
				l.name(), wordWindow(l.Window), n, result.Sent))
		}
		return v
	}
}

// unanswered says why nothing can be said of the answers; empty: there were
// some.
func unanswered(r *loadgen.Result) string {
	if r.Count(transport) < r.Sent {
		return ""
	}
	what := "an answer"
	if r.Count(untaken) > 0 {
		what = "an answer with what its take asks for"
	}
	return fmt.Sprintf("none of %s had %s, so that there is nothing to count; judge .errors", plural.Of(r.Sent, "request"), what)
}

// ofAnswers is a measure of what was answered. Where nothing was, it is
// missing: no 503 among 20 timeouts says nothing.
func ofAnswers(read measure) measure {
	return func(r *loadgen.Result) (*big.Rat, string) {
		if missing := unanswered(r); missing != "" {
			return nil, missing
		}
		return read(r)
	}
}

// ofStatuses is a measure of statuses. It is missing, and not 0, where the
// answers have none.
func ofStatuses(read measure) measure {
	return ofAnswers(func(r *loadgen.Result) (*big.Rat, string) {
		switch {
		case r.Count(ofCalls) > 0:
			return nil, "calls of gRPC end by a code, and have no status; judge .grpc[OK]"
		case r.Count(withoutStatus) > 0:
			return nil, "the answers of TCP have no status"
		}
		return read(r)
	})
}

// ofCodes is a measure of codes of gRPC. It is missing, and not 0, where the answers have
// none.
func ofCodes(read measure) measure {
	return ofAnswers(func(r *loadgen.Result) (*big.Rat, string) {
		if r.Count(withoutCode) > 0 {
			return nil, "only calls of gRPC end by a code"
		}
		return read(r)
	})
}

// shareOf returns the share of the outcomes that a measure counts.
func shareOf(l Load, read measure) func(Windows) value {
	part, whole := ofLoad(l, read), ofLoad(l, counted(everything))
	return func(w Windows) value { return calculate("/", part(w), whole(w)) }
}

// connections is the measure of the connections that the requests went over.
func connections(r *loadgen.Result) (*big.Rat, string) {
	if r.Used <= 0 {
		return nil, "nobody counted the connections that its requests went over"
	}
	return new(big.Rat).SetInt64(r.Used), ""
}

// perSecond is the measure of the rate at which requests were sent. One has none: it would
// be that of how quickly it was answered.
func perSecond(r *loadgen.Result) (*big.Rat, string) {
	if r.Sent == 1 {
		return nil, "one request has no rate; send more"
	}
	if r.Elapsed.Duration <= 0 {
		return nil, "it is not known how long the load took"
	}
	sent := new(big.Rat).SetInt64(r.Sent)
	return sent.Mul(sent, big.NewRat(int64(time.Second), int64(r.Elapsed.Duration))), ""
}
