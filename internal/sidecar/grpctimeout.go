package sidecar

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// grpcTimeout is the header by which a caller says how long it waits for a call.
const grpcTimeout = "Grpc-Timeout"

// grpcUnits are what its last letter says.
var grpcUnits = map[byte]time.Duration{
	'H': time.Hour, 'M': time.Minute, 'S': time.Second, 'm': time.Millisecond, 'u': time.Microsecond, 'n': time.Nanosecond,
}

// timeout is how long a request may take whose route allows it so long; 0: as long as it
// likes. Of a call that is what its caller says, as far as the route allows, since Istio
// sets max_grpc_timeout to the route's timeout everywhere but on the way to a workload.
func (s *stream) timeout(ofRoute time.Duration) time.Duration {
	if !s.grpc || s.inbound {
		return ofRoute
	}
	said := readGRPCTimeout(s.r.Header.Get(grpcTimeout))
	if ofRoute > 0 && (said == 0 || said > ofRoute) {
		return ofRoute
	}
	return said
}

// readGRPCTimeout reads the header, to a millisecond; 0: it says nothing that can be read.
func readGRPCTimeout(text string) time.Duration {
	const longest = 8 // digits
	if len(text) < 2 || len(text) > longest+1 {
		return 0
	}
	n, err := strconv.ParseUint(text[:len(text)-1], 10, 64)
	unit := grpcUnits[text[len(text)-1]]
	if err != nil || unit == 0 || n > uint64(math.MaxInt64)/uint64(unit) {
		return 0
	}
	said := time.Duration(n) * unit
	if rest := said % time.Millisecond; rest > 0 {
		said += time.Millisecond - rest
	}
	return said
}

// grpcDuration writes the header, of milliseconds.
func grpcDuration(ms int64) string {
	const most = 99_999_999
	for _, unit := range []struct {
		letter string
		of     int64
	}{{"m", 1}, {"S", 1000}, {"M", 60_000}} {
		if ms/unit.of <= most {
			return fmt.Sprint(ms/unit.of) + unit.letter
		}
	}
	return fmt.Sprint(min(ms/3_600_000, most)) + "H"
}
