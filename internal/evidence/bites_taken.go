package evidence

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/loadgen"
)

// sentTo counts, of what the load sent by its own proxy or by a gateway, what would
// have gone by an entry that was taken away: by what the entry asked of a request
// and what the cohorts were to send. What they call calls others, of which nothing
// is known here.
func sentTo(w *Window, p pair, part rules.Part) answer {
	if !p.proxy.Client && !p.proxy.Gateway {
		return unknown("")
	}
	return w.sentThat(p, part.Meets)
}

// sentAs is a request of a cohort, and how often it was sent.
type sentAs struct {
	rules.Request
	known bool // it is as it stands in the plan
	sent  int64
}

// allSent are the requests of a cohort, each of its list for itself. What is filled in
// each time is not known.
func (w *Window) allSent(cohort mesh.Cohort, result *loadgen.Result) []sentAs {
	if len(cohort.Plan.Send) == 0 {
		request, known := requestOf(cohort, w.Namespace, w.namespaces...)
		return []sentAs{{request, known && (cohort.Plan.HTTP == nil || !cohort.Plan.HTTP.Varies()), result.Sent}}
	}
	var all []sentAs
	for _, r := range cohort.Plan.Send {
		one := cohort
		one.Plan.Send, one.Plan.HTTP = nil, &r.HTTP
		request, known := requestOf(one, w.Namespace, w.namespaces...)
		all = append(all, sentAs{request, known && !r.HTTP.Varies(), result.Of(r.Name).Sent})
	}
	return all
}

// requestOf is what a cohort sends from a namespace, where others are known; of a list, the
// first.
func requestOf(cohort mesh.Cohort, namespace string, others ...string) (rules.Request, bool) {
	r := rules.Request{Gateway: cohort.From == mesh.FromGateway}
	host, port, err := cohort.Plan.Address()
	if err != nil {
		return r, false
	}
	r.Port, err = strconv.Atoi(port)
	if list := cohort.Plan.OfHTTP(); err == nil && len(list) > 0 {
		var u *url.URL
		plan := list[0].HTTP
		if u, err = url.Parse(plan.URL); err == nil {
			host, r.Method, r.Path, r.Header = u.Hostname(), cmp.Or(plan.Method, http.MethodGet), u.EscapedPath(), plan.Header
		}
	}
	if plan := cohort.Plan.GRPC; plan != nil {
		r.Method, r.Path, r.Header = http.MethodPost, "/"+plan.Method, plan.Header
	}
	r.Host = rules.Qualified(host, namespace, others...)
	return r, err == nil
}

// takenBy counts what goes now by entries that take nothing but what the one that
// was taken away was for.
func takenBy(w *Window, p pair, part rules.Part) answer {
	switch {
	case !part.Followed(p.proxy.Gateway):
		return counted(logSource, 0)
	case part.Stream:
		return unknown("no log tells by which entry a connection went")
	}
	var n, untold uint64
	for _, taker := range part.Takers() {
		some, why := w.logCount(p, func(k logged) bool { return k.wentBy(taker, part) })
		switch {
		case why != "":
			return unknown(why)
		case taker.All:
			n += some
		default:
			untold += some
		}
	}
	if n == 0 && untold > 0 {
		return unknown(fmt.Sprintf("nothing tells whether it was for one of the %d requests that went by others at %s; write an entry in its place that has its match, and says what is done with them", untold, p.proxy.Name))
	}
	return counted(logSource+" by route name", n)
}

// wentBy says whether a request went by an entry that is there now, or by none.
func (k logged) wentBy(taker rules.Taker, part rules.Part) bool {
	is, known := part.IsFor(k.asked)
	switch {
	case part.Kind == rules.PartLockedOut:
		return k.http && part.Names(k.asked) && k.flagged("NR")
	case taker.Path == "":
		return k.http && part.Names(k.asked) && !strings.Contains(k.route, rules.MarkPrefix) && !strings.HasPrefix(k.cluster, envoy.Inbound+"|")
	case known && !is:
		return false
	}
	return byEntry(k.route, taker.Entry)
}
