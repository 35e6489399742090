package evidence

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/report"
)

// Bites returns, for each part of the rules in force, how often it was seen to
// bite, in their order. What one proxy shows is enough for a part that bit; that
// it never did takes all of them.
func (w *Window) Bites(parts []rules.Part) []report.Bite {
	var all []report.Bite
	for _, part := range parts {
		t := w.bite(part)
		b := report.Bite{Rule: part.Object.String(), Path: part.Path, Kind: part.Kind, Service: part.Service(w.Namespace), Stage: part.Stage, Absent: t.absent, Idle: !w.called(part), Most: w.couldBite(part)}
		if t.absent == "" || t.value > 0 {
			value := int64(t.value)
			b.Count, b.Source, b.Absent = &value, t.source()+part.Where(), ""
		}
		all = append(all, b)
	}
	return all
}

// bite asks every proxy for a part.
func (w *Window) bite(part rules.Part) *tally {
	t := newTally()
	if w.gap != "" {
		t.lack("%s", w.gap)
		return t
	}
	if part.Twin != "" {
		t.lack("%s leads to the same cluster, and nothing tells what either sent; make one weight of the two, or give each a subset of its own", part.Twin)
		return t
	}
	sources := biteSources()[part.Kind]
	if len(sources) == 0 {
		t.lack("nothing is known of how a %s bites", part.Kind)
	}
	for _, p := range w.pairs {
		if !rules.FollowedIn(part.Object, part.Host, p.proxy.Namespace) {
			continue
		}
		answered, reasons := read(w, t, p, part, sources)
		if !answered && !w.bystander(p, part) {
			t.lack("%s", strings.Join(reasons, "; "))
		}
	}
	w.inboundRefusals(t, part)
	return t
}

// biteSources are those of each kind of part, in their order.
func biteSources() map[string][]source[rules.Part] {
	return map[string][]source[rules.Part]{
		rules.PartDelay:           {loggedFlag("DI"), onlyFault("delays")},
		rules.PartAbort:           {loggedFlag("FI"), onlyFault("aborts")},
		rules.PartTimeout:         {loggedTimeout},
		rules.PartRoute:           {tcpClusters, loggedRoute, destinationCluster},
		rules.PartWeight:          {tcpClusters, loggedRoute, destinationCluster},
		rules.PartMatch:           {matchedBySent},
		rules.PartPolicy:          {loggedPolicy, policyClusters},
		rules.PartOverflow:        {queuedRequests, countedRefusals, loggedRefusals},
		rules.PartEjection:        {countedEjections, loggedUnhealthy, flaggedEjections},
		rules.PartRetried:         {countedRetryOverflows},
		rules.PartHash:            {boundRequests},
		rules.PartSubset:          {loggedPolicy, policyClusters},
		rules.PartServer:          {enteredPort, entered},
		rules.PartMirror:          {mirroredCluster},
		rules.PartRetry:           {countedRetries, loggedExhausted},
		rules.PartNoRetry:         {loggedFailures},
		rules.PartRequestHeaders:  {loggedReached},
		rules.PartRequestRemoved:  {removedFromSent},
		rules.PartResponseHeaders: {loggedAnswered},
		rules.PartResponseRemoved: {unseen("no proxy shows which headers an answer had; set it to a value instead, or take it out")},
		rules.PartRewrite:         {rewrittenOfSent},
		rules.PartRedirect:        {loggedRedirects},
		rules.PartTakenEntry:      {sentTo, takenBy},
		rules.PartLockedOut:       {sentTo, takenBy},
		rules.PartTakenPolicy:     {loggedPolicy, policyClusters},
		rules.PartTakenServer:     {unseen("no proxy shows what would have entered by it")},
		rules.PartCORS:            {unseen("no proxy shows which requests a corsPolicy was for")},
	}
}

// bystander says whether a proxy of which nothing is known can be left out: one
// that never had a connection to the part's host, nor to where it leads.
func (w *Window) bystander(p pair, part rules.Part) bool {
	return !p.proxy.Gateway && !p.everCalled(mesh.Service{Host: part.Host}) && !p.everCalled(mesh.Service{Host: part.To})
}

// called says whether a request of the window was to a part's host, by a proxy
// that follows it, as far as that is known: what is not known may have been.
func (w *Window) called(part rules.Part) bool {
	return w.gap != "" || slices.ContainsFunc(w.pairs, func(p pair) bool {
		if !part.Followed(p.proxy.Gateway) {
			return false
		}
		logged, _ := w.logCount(p, func(k logged) bool {
			is, known := part.IsFor(k.asked)
			return byEntry(k.route, part.Entry) && (is || !known) || isOf(k.cluster, part.Host)
		})
		return logged > 0 || slices.ContainsFunc(p.flows(part.Host), func(f flow) bool {
			return f.why != "" || slices.ContainsFunc(f.hosts, func(h hostFlow) bool { return h.requests > 0 })
		})
	})
}

// byPart counts the requests of an entry that are as asked, for the host that the
// part is for: where the object has several, the authority says to which a request
// was.
func (w *Window) byPart(p pair, part rules.Part, as func(logged) bool) (uint64, string) {
	if !part.Followed(p.proxy.Gateway) {
		return 0, ""
	}
	count := func(is, known bool) (uint64, string) {
		return w.logCount(p, func(k logged) bool {
			isFor, told := part.IsFor(k.asked)
			return byEntry(k.route, part.Entry) && isFor == is && told == known && as(k)
		})
	}
	n, why := count(true, true)
	if why != "" || n > 0 {
		return n, why
	}
	if untold, _ := count(false, false); untold > 0 {
		return 0, fmt.Sprintf("the access log does not tell to which of its hosts %d requests went that were by %s of %s; give each host a rule of its own", untold, part.Whole, part.Object)
	}
	return 0, ""
}

// loggedFlag counts the requests of an entry whose lines have a flag.
func loggedFlag(flag string) source[rules.Part] {
	return func(w *Window, p pair, part rules.Part) answer {
		return loggedAs(w, p, part, flag, func(logged) bool { return true })
	}
}

// loggedAs counts those of them that are as asked.
func loggedAs(w *Window, p pair, part rules.Part, flag string, as func(logged) bool) answer {
	if part.Entry == "" {
		return unknown("")
	}
	n, why := w.byPart(p, part, func(k logged) bool { return k.flagged(flag) && as(k) })
	if why != "" {
		return unknown(why)
	}
	return counted(logSource+" "+flag, n)
}

// loggedTimeout counts the requests of an entry that its timeout ended: those with
// the flag UT, but for those of which an attempt took longer than perTryTimeout.
func loggedTimeout(w *Window, p pair, part rules.Part) answer {
	if part.PerTry {
		untold, _ := w.byPart(p, part, func(k logged) bool { return k.flagged("UT") && k.timeout == "" })
		if untold > 0 {
			return unknown("the access log has no response code details, which tell the timeout of a request from that of an attempt")
		}
	}
	return loggedAs(w, p, part, "UT", func(k logged) bool { return k.timeout != envoy.DetailsPerTryTimeout })
}

// onlyFault counts by the fault filter's counter, delays or aborts, where the
// part is the only one of its kind in force on its port: the counter is the
// port's, and tells no entries apart.
func onlyFault(which string) source[rules.Part] {
	return func(w *Window, p pair, part rules.Part) answer {
		service, known := w.service(part.Host)
		if !known || p.proxy.Gateway || len(w.sharing(service)) > 0 || rules.FaultParts(w.Objects, part) != 1 {
			return unknown("the counters of faults do not tell this one from others")
		}
		n, kept, why := p.injected(service, which)
		if why != "" {
			return unknown(why)
		}
		if !kept {
			return unknown(p.proxy.Name + " keeps no fault." + which + "_injected")
		}
		return counted("stat fault."+which+"_injected", n)
	}
}

func hasPort(service mesh.Service, number string) bool {
	return slices.ContainsFunc(service.Ports, func(p mesh.Port) bool { return fmt.Sprint(p.Number) == number })
}

// loggedRoute counts the requests that went by an entry, for a weight those that
// it sent to the destination, and found nobody there (UH) included. A request that
// was aborted, or refused by a circuit breaker, was sent nowhere.
func loggedRoute(w *Window, p pair, part rules.Part) answer {
	if part.Entry == "" {
		return unknown("")
	}
	n, why := w.byPart(p, part, func(k logged) bool {
		return part.Kind != rules.PartWeight || leadsTo(k.cluster, part) && (k.upstream != "" || k.flagged("UH"))
	})
	if why != "" {
		return unknown(why)
	}
	return counted(logSource+" by route name", n)
}

// tcpClusters counts the connections of a TCP route by the clusters that it leads
// to: Envoy gives TCP routes no names. Where connections get there in another
// way as well, that there were some shows nothing.
func tcpClusters(w *Window, p pair, part rules.Part) answer {
	switch {
	case part.Entry != "":
		return unknown("")
	case !part.Followed(p.proxy.Gateway):
		return counted(clustersSource, 0)
	}
	said := w.clusterRequests(p, func(name envoy.ClusterName) bool { return leadsTo(name.String(), part) })
	if said.value > 0 && !part.Alone(w.Objects, p.proxy.Gateway) {
		return unknown("/clusters does not tell its connections from those that other entries, or other hosts, or none, lead there; give it a subset of its own")
	}
	return said
}

// destinationCluster counts by /clusters what reached the destination of a
// route. It stands for the route only where nothing else leads there.
func destinationCluster(w *Window, p pair, part rules.Part) answer {
	if part.Entry == "" {
		return unknown("")
	}
	if part.Subset == "" || rules.Leading(w.Objects, part) != 1 {
		return unknown("/clusters does not tell its requests from those of other routes")
	}
	return ofOneHost(part, w.clusterRequests(p, func(name envoy.ClusterName) bool { return leadsTo(name.String(), part) }))
}

func (w *Window) clusterRequests(p pair, as func(envoy.ClusterName) bool) answer {
	var n uint64
	for name := range p.after.clusters {
		if name.Direction != envoy.Outbound || !as(name) {
			continue
		}
		f := p.flow(name)
		if f.why != "" {
			return unknown(f.why)
		}
		for _, h := range f.hosts {
			n += h.requests
		}
	}
	return counted(clustersSource, n)
}

// leadsTo says whether a cluster is the destination of a part.
func leadsTo(cluster string, part rules.Part) bool {
	name, ok := envoy.ParseClusterName(cluster)
	return ok && name.Direction == envoy.Outbound && name.Host == part.To && name.Subset == part.Subset && (part.Port == 0 || part.Port == name.Port)
}
