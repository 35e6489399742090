package report

// The things that proxies count, in Quantity.Function.
const (
	Faults    = "faults"    // delays and aborts that were injected into requests to a service
	Overflows = "overflows" // requests to a service that a circuit breaker refused
	Ejections = "ejections" // how often outlier detection ejected an endpoint of a service
	Requests  = "requests"  // what reached the endpoints of a service, or of one version of it
)

// Function is a thing that proxies count, as an expectation asks for it: of the
// service that is its first argument.
type Function struct {
	Name      string
	Versioned bool // a version of the service may be its second argument
}

// Functions returns the things that proxies count. Each is counted by a file of
// internal/evidence, and described in docs/quantities.md.
func Functions() []Function {
	return []Function{
		{Name: Faults},
		{Name: Overflows},
		{Name: Ejections},
		{Name: Requests, Versioned: true},
	}
}

// Quantity is one thing counted by the proxies during a window.
type Quantity struct {
	Function string   `json:"function"`         // the name of one of Functions
	Args     []string `json:"args"`             // the service, then the version if any
	Value    *int64   `json:"value"`            // nil: no source had it
	Source   string   `json:"source,omitempty"` // what it was read from
	Absent   string   `json:"absent,omitempty"` // why no source had it, and what to do
}
