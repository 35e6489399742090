package evidence

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// enteredPort counts the requests that a gateway took on the port of a server of a
// Gateway which is the port's only one.
func enteredPort(w *Window, p pair, server rules.Part) answer {
	if !p.proxy.Gateway || !rules.WholePort(w.Objects, server) {
		return unknown("")
	}
	n, kept, why := p.downstream(strconv.Itoa(server.Port))
	if why != "" || !kept {
		return unknown(why)
	}
	return counted("stat downstream_rq_total", n)
}

// entered counts what entered by a server of a Gateway, by the entries that lead
// it on. What finds none there is turned away.
func entered(w *Window, p pair, server rules.Part) answer {
	if !p.proxy.Gateway {
		return counted(clustersSource, 0)
	}
	own, shared := rules.Entering(w.Objects, server)
	total := counted(clustersSource, 0)
	for _, part := range own {
		said := ledOn(w, p, part)
		if said.name == "" {
			return said
		}
		if said.value > 0 {
			total.name, total.value = said.name, total.value+said.value
		}
	}
	for _, part := range shared {
		if said := ledOn(w, p, part); total.value == 0 && (said.name == "" || said.value > 0) {
			return unknown(fmt.Sprintf("%s %s is for more than one server of %s, and nothing tells by which its requests entered; give it one of its own", part.Object, part.Path, server.Object))
		}
	}
	return total
}

func ledOn(w *Window, p pair, part rules.Part) answer {
	switch {
	case part.Stream:
		return tcpClusters(w, p, part)
	case part.Entry == "":
		return unknown(fmt.Sprintf("%s %s has no name, by which access logs could tell its requests; give it one", part.Object, part.Path))
	}
	return loggedRoute(w, p, part)
}

// mirroredCluster counts what was mirrored to a cluster, of which no proxy writes
// a line. It is told from what is sent there by a subset of its own.
func mirroredCluster(w *Window, p pair, part rules.Part) answer {
	said := w.clusterRequests(p, func(name envoy.ClusterName) bool { return leadsTo(name.String(), part) })
	if said.value > 0 && (part.Subset == "" || rules.Leading(w.Objects, part) != 1) {
		return unknown("/clusters does not tell what is mirrored from what is sent there; give the mirror a subset of its own")
	}
	return ofOneHost(part, said)
}

// countedRetries counts attempts that were not the first, by the counter of a
// cluster that no other entry leads to.
func countedRetries(w *Window, p pair, part rules.Part) answer {
	if part.To == "" || part.Subset == "" && part.To != part.Host || rules.Leading(w.Objects, part) != 1 {
		return unknown("the counters of retries do not tell this entry from others; give it one destination, with a subset of its own")
	}
	var n uint64
	for _, f := range p.flows(part.To) {
		if !leadsTo(f.name.String(), part) {
			continue
		}
		delta, kept, why := p.counter(f.stat(retried))
		switch {
		case why != "":
			return unknown(why)
		case !kept && !f.quiet():
			return unknown(fmt.Sprintf("%s keeps no %s of %s; "+annotate, p.proxy.Name, retried, f.name, "cluster.outbound"))
		}
		n += delta
	}
	return ofOneHost(part, counted("stat "+retried, n))
}

// ofOneHost is what a cluster counted of an entry, unless the entry is for several
// hosts: a cluster does not tell to which of them its requests were.
func ofOneHost(part rules.Part, said answer) answer {
	if said.value > 0 && part.Several() {
		return unknown(fmt.Sprintf("%s does not tell to which of the hosts of %s its requests were; give each host a rule of its own", said.name, part.Object))
	}
	return said
}

// loggedExhausted counts the requests of an entry that failed with their last
// retry, which the flag URX says. That there were none shows nothing: a retry
// that succeeds has no flag.
func loggedExhausted(w *Window, p pair, part rules.Part) answer {
	said := loggedFlag("URX")(w, p, part)
	if said.name != "" && said.value == 0 {
		return unknown("no request had the flag URX, which one that a retry helped has not either")
	}
	return said
}

// loggedFailures counts the requests of an entry to which an endpoint failed so that
// another policy would have tried them again. Istio's default one does if none could
// connect, and never for an answer from status 500, or a connection that was lost;
// what it tries again of gRPC the log does not tell.
func loggedFailures(w *Window, p pair, part rules.Part) answer {
	return loggedThat(w, p, part, "of failures", func(k logged) bool {
		return k.upstream != "" && (k.flagged("UF") || slices.ContainsFunc(part.RetriedFor, k.retried))
	})
}

// loggedReached counts the requests of an entry that got to an endpoint: what an
// entry does to a request is done as it is sent there.
func loggedReached(w *Window, p pair, part rules.Part) answer {
	return loggedThat(w, p, part, "by endpoint", func(k logged) bool { return k.upstream != "" && !k.flagged("UF") && k.wentTo(part) })
}

// loggedAnswered counts those that were answered, by whomever.
func loggedAnswered(w *Window, p pair, part rules.Part) answer {
	return loggedThat(w, p, part, "by status", func(k logged) bool { return k.status != 0 && k.wentTo(part) })
}

// wentTo says whether a request was for the destination that a part is of, if it is
// of one.
func (k logged) wentTo(part rules.Part) bool { return part.To == "" || leadsTo(k.cluster, part) }

// loggedRedirects counts those that the proxy redirected: with such a status, and
// without an endpoint.
func loggedRedirects(w *Window, p pair, part rules.Part) answer {
	return loggedThat(w, p, part, "by status 3xx", func(k logged) bool { return k.upstream == "" && 300 <= k.status && k.status <= 399 })
}

// loggedThat counts the requests of an entry that are as asked.
func loggedThat(w *Window, p pair, part rules.Part, how string, as func(logged) bool) answer {
	if part.Entry == "" {
		return unknown("")
	}
	n, why := w.byPart(p, part, as)
	if why != "" {
		return unknown(why)
	}
	return counted(logSource+" "+how, n)
}

// retried says whether a condition of Envoy's is for a request to try it again, as
// far as the log tells (Envoy, "x-envoy-retry-on").
func (k logged) retried(condition string) bool {
	switch condition {
	case "5xx":
		return k.status >= 500 || k.lost()
	case "gateway-error":
		return k.status >= 502 && k.status <= 504
	case "reset":
		return k.lost()
	case "retriable-4xx":
		return k.status == 409
	}
	status, err := strconv.Atoi(condition)
	return err == nil && k.status == status
}

// lost says whether the connection to the endpoint ended before an answer came. One that
// ends later, as that of a WebSocket does which the endpoint ends, has the same flag, and
// the status that had come.
func (k logged) lost() bool { return k.flagged("UC") && (k.status == 0 || k.status == 503) }

// unseen is the source of a part that nothing shows.
func unseen(why string) source[rules.Part] {
	return func(*Window, pair, rules.Part) answer { return unknown(why) }
}
