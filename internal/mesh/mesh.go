// Package mesh is the contract between a run and a service mesh: the few verbs
// that a mesh offers, and what they exchange.
//
// All that a run learns of a mesh beyond its objects it reads from the proxies:
// from their admin interfaces, which both meshes offer with Envoy's paths and
// names, and from their access logs. So a quantity is read by the same code
// wherever it comes from.
//
// The package may import loadgen, internal/rules, internal/journal, internal/credential
// and internal/envoy.
package mesh

import (
	"context"
	"io"
	"time"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/journal"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/loadgen"
)

// The kinds of mesh.
const (
	Embedded = "embedded"
	Istio    = "istio"
)

// Mesh is a service mesh with one application, whose load comes from one namespace: that
// of the run. What the application calls may be in further ones, to which Span extends it.
//
// Its methods may be called from several goroutines. An error names the object
// and what to do next.
type Mesh interface {
	// Info says what mesh this is.
	Info() Info

	// Span extends the mesh to further namespaces: what is asked of the namespaces from
	// now on is asked of these too. They are those that are named, there or not, and of
	// the hosts, such as reviews.shop, those in which this user sees such a service; any
	// other host is of the world outside, as far as anybody can tell. A mesh that has one
	// namespace alone stays as it is.
	Span(ctx context.Context, namespaces, hosts []string) error

	// Services returns the services of the namespaces.
	Services(ctx context.Context) ([]Service, error)

	// Objects returns every object of rules.Kinds in the namespaces, and the
	// Telemetries of those that Proxies has found a gateway in; of those that this
	// user may not see, or the cluster does not know, Telemetries may be left out.
	Objects(ctx context.Context) ([]*rules.Object, error)

	// Gateways returns the Gateway objects of all namespaces, to which rules of this
	// one may bind; all is false if this user may not see them.
	Gateways(ctx context.Context) (gateways []*rules.Object, all bool, err error)

	// GatewayPorts returns the ports at which load can reach the ingress gateway,
	// each with the port numbers of the Gateways' servers that it leads to. Nil:
	// every number is a port of it.
	GatewayPorts(ctx context.Context) (map[int][]int, error)

	// Permits says whether this user may do what a run needs that uses the mesh so,
	// whatever it writes, for which Admit asks. The error names every right that is
	// missed; an UnansweredError tells nothing of them.
	Permits(ctx context.Context, use Use) error

	// Elsewhere returns the VirtualServices and DestinationRules of other namespaces
	// that proxies of these may follow for some of the hosts, which are fully
	// qualified; all is false if this user may not see every one of them.
	Elsewhere(ctx context.Context, hosts []string) (objects []*rules.Object, all bool, err error)

	// Inspect says what of the mesh itself would keep a run that has to do with the
	// services of these hosts from seeing what it is to see: each
	// with what to do about it. What is doubtful, and no reason to refuse, is worded in
	// warnings. It makes nothing, and its own error is that the mesh did not answer.
	Inspect(ctx context.Context, hosts []string) (wrong []error, warnings []string, err error)

	// Admit says whether the mesh would take the objects, taken together, and
	// changes nothing. The error of a field that the mesh does not implement
	// names the field; an UnansweredError tells nothing of the objects.
	Admit(ctx context.Context, objects []*rules.Object) error

	// Write carries out one change and returns the object as it now stands, nil
	// if it was deleted. An object that is no longer as Change.Before has it
	// (its resource version has moved) is left alone, and the error is a
	// ConflictError.
	Write(ctx context.Context, change rules.Change) (*rules.Object, error)

	// Enter stores what a run has changed and is about to, in the place of what it
	// stored before. Once it returns, the ledger outlives this process, unless the
	// mesh itself goes with it; and no other run, of whichever namespace, has entered
	// one that claims the same, until this one is settled. If another has, the error
	// is a HeldError, and nothing is held for this run.
	Enter(ctx context.Context, ledger *journal.Ledger) error

	// Holders returns what runs of other namespaces hold in this one, what any other run
	// holds of the claims, and the runs of the namespaces that these are in. What this user may not see is left out; Enter
	// finds it.
	Holders(ctx context.Context, claims []journal.Claim) ([]*journal.Holder, error)

	// Ledgers returns those that are stored in the namespace: of runs that are under
	// way, or were killed, or could not undo everything.
	Ledgers(ctx context.Context) ([]*journal.Ledger, error)

	// Settle takes away the ledger of a run, and before it its load workload, if that
	// is still there, and what holds its claims. One that is not there is no error.
	Settle(ctx context.Context, run string) error

	// Follow tells hear what becomes different from now on, until ctx ends or the
	// mesh is closed: each rule that can act on the traffic, of whichever kind and
	// namespace, and each pod of the namespaces that begins to serve or ceases to. It
	// tells of what this run itself writes, too. It returns once it follows, with what
	// it cannot see for lack of rights, worded; that is no error. hear is called from
	// several goroutines, and must not call the mesh.
	Follow(ctx context.Context, traffic Traffic, hear func(Event)) (unseen []string, err error)

	// Prepare makes what the load of the cohorts is driven from, the load workloads,
	// unless they are there: one for each workload that cohorts borrow, and one for
	// those that borrow none, each of as many pods as the most senders that one of its
	// cohorts has; and notes the credentials that are to be there from the first Enter on.
	// It writes no rule, so a run that prepares first has none to undo where that fails.
	Prepare(ctx context.Context, cohorts []Cohort) error

	// Proxies returns the proxies that may carry the run's traffic, as they are
	// now: one for each workload of the namespaces, the ingress gateway, and, after Prepare, the
	// load workloads'. It makes nothing.
	Proxies(ctx context.Context) ([]Proxy, error)

	// Load runs the cohorts beside each other, each from its load workload, and
	// returns what each saw, by name. It returns when all have ended. When ctx
	// ends the load stops at once, and what was seen so far is returned with
	// ctx's error.
	//
	// What the guard has seen ends the load in the same way, where it is made, whoever
	// still hears of it; the error is a *loadgen.StopError then.
	//
	// begin is called once, when every connection is logged in and warmed up and
	// before the first request that counts, which waits for it; its error ends
	// the load and is returned.
	//
	// A cohort with several senders comes from as many processes, each through a proxy of
	// its own, which begin together; the result is of all of them. When one dies the load
	// ends, and the error says which: its part is missed.
	Load(ctx context.Context, cohorts []Cohort, guard Guard, begin func(context.Context) error, observe func(loadgen.Progress)) (map[string]*loadgen.Result, error)

	// Close takes away what the mesh made for the run, but no rules.
	Close(ctx context.Context) error
}

// Info describes a mesh.
type Info struct {
	Kind      string
	Namespace string   // of the run
	Further   []string // the namespaces that the mesh spans beside it, sorted
	Gateway   string   // the namespace of the ingress gateway; empty: it was not found yet, or there is none
	Version   string
	Ephemeral bool          // it goes with this process, and with it whatever is left in it
	Closed    bool          // there is no outside: nobody but its services can be called
	LogDelay  time.Duration // how late a line stands in a proxy's access log after its stream has ended, at most

	Context, Server, Account string // which cluster, and as whom, as report.Mesh has it
}

// Use is what a run needs of a mesh that not every run does.
type Use struct {
	Gateway bool     // the ingress gateway: load enters by it, or rules are for it
	Cohorts []Cohort // its load; nil: it is not known
}

// Traffic is what the load of a run calls.
type Traffic struct {
	Hosts   []string // fully qualified
	Gateway bool     // some of it enters at the ingress gateway
}

// Event is one thing that became different in a mesh.
type Event struct {
	Ref     rules.Ref // of kind Pod or Service too, and of kinds of Istio's that no run writes
	Did     string    // one of the words below
	Version string    // the resource version that it has since then; empty: it is gone
	By      []string  // who did it, by the field managers of metadata.managedFields, sorted, as far as these tell
	Lost    string    // why events may be missed from now on; then nothing else is set
}

// What can happen to an object.
const (
	Created = "was created"
	Changed = "was changed" // its spec was: no status, label or annotation
	Deleted = "was deleted"
	Serves  = "became ready" // a pod
	Ceased  = "was ready no more"
)

// Service is a Kubernetes service.
type Service struct {
	Name  string // as scenarios call it: ratings, or of another namespace than the run's ratings.shop
	Host  string // fully qualified: ratings.default.svc.cluster.local
	Ports []Port

	// Ready are the labels of each pod behind it that is ready, with a proxy or
	// without; nil if that is not known, as of a service that selects none.
	Ready []map[string]string
}

// Port is a port of a service.
type Port struct {
	Number int
	TCP    bool // opaque TCP rather than HTTP, as Istio's protocol selection has it
	Either bool // no protocol is given: proxies tell it by what is sent

	// NoWebSocket says that a WebSocket cannot come to it, as the mesh speaks HTTP/2 to it
	// and asks for none by that.
	NoWebSocket bool
}

// ClientApp is the label app of a load workload that borrows none, and how the names
// of all of them begin.
const ClientApp = "meshchaos-client"

// Proxy is one Envoy, or one that behaves like it.
type Proxy struct {
	Name      string            // the pod's name; that of a further namespace has it behind a dot, as istioctl writes it
	Namespace string            // the pod's
	Workload  string            // productpage-v1, of a further namespace productpage-v1.shop
	App       string            // the label app: productpage
	Version   string            // the label version: v1; empty if it has none
	Labels    map[string]string // all that the mesh knows the pod by
	Address   string            // of its workload, as it stands in other proxies' /clusters: an IP, or ip:port in the embedded mesh
	Gateway   bool              // it is the ingress gateway's
	Client    bool              // it is a load workload's, which carries this run's traffic alone
	Borrows   string            // of a load workload: as Cohort.Borrows has it
	Prompt    bool              // it runs what its admin interface shows: there are no workers that take it a moment later
	Admin     *envoy.Admin

	// Log follows the proxy's access log, from the lines written at since on, and
	// at most ten seconds before, until ctx ends or the reader is closed. What it reads
	// is whole lines in the format that the proxy's configuration names; lines of other
	// origin may stand between them. Nil: this mesh cannot read it.
	Log func(ctx context.Context, since time.Time) (io.ReadCloser, error)
}

// Cohort is one named stream of load.
type Cohort struct {
	Name string
	From string // FromClient, FromGateway, or the name of a workload, as Proxy.Workload has it
	Plan loadgen.Plan

	// Credential is the name of a secret that servers of Gateways show themselves by. The
	// mesh makes it for the run, and takes it away with the run's ledger; the cohort trusts
	// it, and can show itself by it. Empty: whom the cohort trusts stands in the plan.
	Credential string

	// OfFiles are the fields of Plan.TLS that files of the scenario have, by their keys. Of a
	// scenario that was read from a record the plan has none of them.
	OfFiles []string
}

// Guard is what ends a load before its time, whatever its cohorts ask for. The zero
// value lets a mesh decide how long a load may last.
type Guard struct {
	QPS       float64       // that of loadgen.Bounds
	Duration  time.Duration // that of loadgen.Bounds; 0: what the mesh has for a limit, if any
	AbortWhen []string      // conditions as check.CompileCondition takes them: the load ends when one comes true

	// Stopped hears why the load is ended, perhaps before Load returns. Nil: nobody does.
	Stopped func(*loadgen.StopError)
}

// Senders is how many processes send the cohort.
func (c Cohort) Senders() int { return max(c.Plan.Senders, 1) }

// MostSenders returns of each workload that cohorts borrow, and of none, how many senders
// the cohort has that has most.
func MostSenders(cohorts []Cohort) map[string]int {
	most := map[string]int{}
	for _, c := range cohorts {
		most[c.Borrows()] = max(most[c.Borrows()], c.Senders())
	}
	return most
}

// Where a cohort may enter the mesh, beside a workload.
const (
	FromClient  = "client"  // the load workload, through its own sidecar
	FromGateway = "gateway" // the ingress gateway
)

// Borrows returns the workload for which the sidecar passes that a cohort enters by:
// the mesh knows it by that workload's labels and service account, and what is for
// that workload's requests is for its own. Empty: for none.
func (c Cohort) Borrows() string {
	if c.From == FromClient || c.From == FromGateway {
		return ""
	}
	return c.From
}

// Enters says whether the requests of a cohort come by a proxy before any other.
func (c Cohort) Enters(p Proxy) bool {
	if c.From == FromGateway {
		return p.Gateway
	}
	return p.Client && p.Borrows == c.Borrows()
}

// ConflictError says that an object was changed by somebody else meanwhile.
type ConflictError struct {
	Ref  rules.Ref
	Want string // the resource version that the run had read
	Have string // the one that is there; empty: it is gone
}

// Error implements error.
func (e *ConflictError) Error() string {
	what := "it was changed by somebody else since this run read it (resource version " + e.Have + ", not " + e.Want + ")"
	switch {
	case e.Have == "":
		what = "it was deleted by somebody else since this run read it"
	case e.Want == "":
		what = "it was created by somebody else since this run looked"
	}
	return "writing " + e.Ref.String() + ": " + what
}

// HeldError says that another run holds what a ledger claims.
type HeldError struct{ Holder *journal.Holder }

// Error implements error.
func (e *HeldError) Error() string {
	return "claiming " + e.Holder.What + ": the run " + e.Holder.Run + " of " + e.Holder.Scenario + ", of " + e.Holder.By + ", holds it"
}

// UnansweredError says that a mesh did not answer what it was asked: it is away,
// has too much to do, or a part of it failed. That tells nothing of the objects
// that it was asked about, and it may answer if it is asked again. Any other error of
// Admit is a refusal of them.
type UnansweredError struct{ Err error }

// Error implements error.
func (e *UnansweredError) Error() string { return e.Err.Error() }

// Unwrap returns what happened instead.
func (e *UnansweredError) Unwrap() error { return e.Err }
