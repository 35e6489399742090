//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/olekukonko/tablewriter"

	"github.com/meshchaos/meshchaos/internal/mesh/istio"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// What a scenario of the library may cost beside its loads. The number of requests is
// that of any machine, but for those that look whether proxies have followed; the time is
// not: most of it passes while Istio tells nineteen proxies what is new, and while they
// are read, which on two cores takes as long as these are busy otherwise.
const (
	mostBeside = 12 * time.Second // on the average
	mostAsked  = 400              // API requests, port-forwards and logs among them, on the average
)

// tally counts the requests that come to an API server, by verb.
type tally struct {
	mu    sync.Mutex
	verbs map[string]int
}

func (c *tally) count(r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.verbs[verb(r.Method, r.URL)]++
}

// take returns what was counted, and begins anew.
func (c *tally) take() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	verbs := c.verbs
	c.verbs = map[string]int{}
	return verbs
}

// costVerbs are in the order of the table.
var costVerbs = []string{"get", "list", "watch", "create", "update", "delete", "dry run", "review", "log", "port-forward"}

// verb is what a request asks for, by Kubernetes' verbs; what changes nothing, or is no
// answer but a stream, has words of its own.
func verb(method string, at *url.URL) string {
	query, plural := at.Query(), !named(at.Path)
	switch {
	case strings.HasSuffix(at.Path, "/portforward"):
		return "port-forward"
	case strings.HasSuffix(at.Path, "/log"):
		return "log"
	case strings.Contains(at.Path, "/authorization.k8s.io/"):
		return "review"
	case query.Get("dryRun") != "":
		return "dry run"
	case query.Get("watch") != "":
		return "watch"
	case method == http.MethodGet && plural:
		return "list"
	}
	return map[string]string{http.MethodGet: "get", http.MethodPost: "create", http.MethodPut: "update", http.MethodDelete: "delete"}[method]
}

// named says whether a path of the API is that of one object, and not of a collection:
// /api/v1/namespaces/NS/pods/NAME, /apis/GROUP/VERSION/namespaces/NS/KIND/NAME.
func named(path string) bool {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	prefix := map[string]int{"api": 2, "apis": 3}[parts[0]]
	switch left := len(parts) - prefix; {
	case prefix == 0 || left <= 0: // /version, and what is to be discovered
		return true
	case parts[prefix] == "namespaces":
		return left%2 == 0
	default:
		return left > 1
	}
}

// ownTime is that of the loads of a run: of each window from its first request to the
// last answer.
func ownTime(r *report.Record) (own time.Duration) {
	for _, w := range r.Windows {
		var began, ended time.Time
		for _, load := range w.Loads {
			if began.IsZero() || load.Started.Before(began) {
				began = load.Started
			}
			if end := load.Started.Add(load.Elapsed.Duration); end.After(ended) {
				ended = end
			}
		}
		own += ended.Sub(began)
	}
	return own
}

// waits adds up how long a run waits for delayed requests, which is their loads' time.
type waits struct {
	since time.Time
	all   time.Duration
}

func (w *waits) hear(e runner.Event) {
	if e.Load != nil {
		return
	}
	if !w.since.IsZero() {
		w.all, w.since = w.all+time.Since(w.since), time.Time{}
	}
	if strings.HasPrefix(e.Phase, "waiting for delayed requests") {
		w.since = time.Now()
	}
}

// TestTheLibraryCostsLittleBesideItsLoads runs the library as one command does, by way
// of somebody who counts, and says what each scenario took beside its loads.
func TestTheLibraryCostsLittleBesideItsLoads(t *testing.T) {
	counted := &tally{verbs: map[string]int{}}
	b := standBetween(t)
	b.watch(counted.count)
	o := optionsOf("cost" + strconv.FormatInt(time.Now().Unix()&0xffff, 16))
	o.Kubeconfig = b.kubeconfig
	began := time.Now()
	c, err := istio.Connect(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	table := tablewriter.NewTable(os.Stdout)
	table.Header(append([]string{"scenario", "windows", "loads", "beside"}, costVerbs...))
	var all cost
	for i, name := range scenarios.Names() {
		one := costOf(t, c, name, fmt.Sprintf("%s%02d", o.Run, i))
		one.verbs = counted.take()
		all.add(one)
		if err := table.Append(one.row()); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
	rest := cost{name: "once", beside: time.Since(began) - all.own - all.beside, verbs: counted.take()}
	all.add(rest)
	all.name = "all"
	for _, row := range [][]string{rest.row(), all.row()} {
		if err := table.Append(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := table.Render(); err != nil {
		t.Fatal(err)
	}
	n := len(scenarios.Names())
	if each := all.beside / time.Duration(n); each > mostBeside {
		t.Errorf("a scenario takes %v beside its loads", each)
	}
	if each := all.asked() / n; each > mostAsked {
		t.Errorf("a scenario takes %d API requests", each)
	}
}

// cost is what a run took.
type cost struct {
	name        string
	windows     int
	own, beside time.Duration
	verbs       map[string]int
}

func costOf(t *testing.T, c *istio.Cluster, name, id string) cost {
	t.Helper()
	s, err := scenarios.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	began, waiting := time.Now(), &waits{}
	record, err := carryOut(t, s, c.Mesh(id, nil), runner.Options{ID: id, Observe: waiting.hear})
	if err != nil {
		t.Fatal(err)
	}
	if record.Verdict != report.Pass || !record.Restored {
		t.Errorf("verdict %s, restored %v", record.Verdict, record.Restored)
		show(t, record)
	}
	one := cost{name: name, windows: len(record.Windows), own: ownTime(record) + waiting.all}
	one.beside = time.Since(began) - one.own
	return one
}

func (c *cost) add(one cost) {
	if c.verbs == nil {
		c.verbs = map[string]int{}
	}
	c.windows, c.own, c.beside = c.windows+one.windows, c.own+one.own, c.beside+one.beside
	for verb, n := range one.verbs {
		c.verbs[verb] += n
	}
}

func (c *cost) asked() (n int) {
	for _, some := range c.verbs {
		n += some
	}
	return n
}

func (c *cost) row() []string {
	row := []string{c.name, strconv.Itoa(c.windows), c.own.Round(time.Second / 10).String(), c.beside.Round(time.Second / 10).String()}
	for _, verb := range costVerbs {
		row = append(row, strconv.Itoa(c.verbs[verb]))
	}
	return row
}
