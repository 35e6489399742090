package evidence

import (
	"fmt"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/plural"
)

// loggedEjections takes from the access log's flag UH, no healthy upstream, how
// many ejections there were at least: a request had it as all endpoints were out
// at once, so each that was not out when the window began was ejected in it.
//
// That holds only where nothing else can have had them out, which the log alone
// does not say: see onlyEjected.
func loggedEjections(w *Window, p pair, f flow) answer {
	n, why := w.logCount(p, func(k logged) bool { return k.flagged("UH") && k.cluster == f.name.String() })
	switch {
	case why != "":
		return unknown(why)
	case n == 0:
		return unknown("")
	}
	if why := w.onlyEjected(p, f); why != "" {
		return unknown(fmt.Sprintf("%s of %s found no healthy endpoint of %s (UH), which shows no ejection: %s", plural.Of(n, "request"), p.proxy.Name, f.name.Host, why))
	}
	var least uint64
	for _, h := range f.hosts {
		if !h.wasEjected {
			least++
		}
	}
	return counted(logSource+" UH (at least)", least)
}

// onlyEjected says why something else than ejections may have had all endpoints
// of a cluster out at once; empty: nothing can.
//
// An endpoint that is taken out of a cluster and put back begins to count anew.
// So one whose requests of before the window are still counted, and whose requests
// of the window have a line each, was there all the time. And none is ejected
// without the errors that it takes.
func (w *Window) onlyEjected(p pair, f flow) string {
	outlier := p.after.configs[f.name].Outlier
	threshold := fewestErrors(outlier)
	switch {
	case f.why != "":
		return f.why
	case len(f.hosts) == 0:
		return "it has none"
	case threshold == 0:
		return "it has no outlier detection"
	case 100*(len(f.hosts)-1) >= int(outlier.MaxEjectionPercent)*len(f.hosts):
		return fmt.Sprintf("maxEjectionPercent %d never lets all %d be ejected", outlier.MaxEjectionPercent, len(f.hosts))
	}
	for _, h := range f.hosts {
		lines, why := w.logCount(p, func(k logged) bool { return k.cluster == f.name.String() && k.upstream == h.address })
		switch {
		case why != "":
			return why
		case h.unfit:
			return "the endpoint " + h.address + " was not fit for requests at an end of the window"
		case !h.known:
			return "the endpoint " + h.address + " may have gone away meanwhile and come back, as it had no request before the window by which that would show; give the load a warmup"
		case lines != h.requests:
			return fmt.Sprintf("the endpoint %s may have gone away meanwhile and come back, as it counted %s, and has %s", h.address, plural.Of(h.requests, "request"), plural.Of(lines, "line"))
		case !h.wasEjected && h.errors < uint64(threshold):
			return fmt.Sprintf("the endpoint %s had %s, and it takes %d", h.address, plural.Of(h.errors, "error"), threshold)
		}
	}
	return ""
}

// fewestErrors is how many errors in a row eject an endpoint; 0: none do.
func fewestErrors(o envoy.OutlierDetection) uint32 {
	fewest := uint32(0)
	for _, n := range []uint32{o.Consecutive5xx, o.ConsecutiveGatewayFailure, o.ConsecutiveLocalOriginFailure} {
		if n > 0 && (fewest == 0 || n < fewest) {
			fewest = n
		}
	}
	return fewest
}
