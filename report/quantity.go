package report

// Some of what proxies count, in Quantity.Function: internal/evidence has them
// all.
const (
	Faults         = "faults"         // delays and aborts that were injected into requests to a service
	Overflows      = "overflows"      // requests to a service that a circuit breaker refused
	Ejections      = "ejections"      // how often outlier detection ejected an endpoint of a service
	Requests       = "requests"       // what reached the endpoints of a service, or of one version of it
	RetryOverflows = "retryOverflows" // retries of requests to a service that a limit of retries refused
	Connections    = "connections"    // connections that were opened to the endpoints of a service, or of one version of it
	Imbalance      = "imbalance"      // how many more of them reached its busiest endpoint than its idlest
)

// Quantity is one thing counted by the proxies during a window.
type Quantity struct {
	Function string   `json:"function"`          // as an expectation names it
	Args     []string `json:"args"`              // the service, then the version if any
	Value    *int64   `json:"value"`             // nil: no source had it
	AtLeast  bool     `json:"atLeast,omitempty"` // there were as many, and maybe more
	Source   string   `json:"source,omitempty"`  // what it was read from
	Absent   string   `json:"absent,omitempty"`  // why no source had it, or all of it, and what to do
	Each     int64    `json:"each,omitempty"`    // of ejections: how many errors one takes; of overflows and retryOverflows: how many requests the first takes, by the lowest limit in force; 0: not known
	Most     int64    `json:"most,omitempty"`    // of ejections, overflows and retryOverflows: how many there could have been by the rules in force, the errors and the time; 0: not known
	None     bool     `json:"none,omitempty"`    // of ejections, overflows and retryOverflows: no rule in force lets one happen, or none did for so few requests
}
