package loadgen

import (
	"fmt"
	"net/http"
)

// Failed says whether the requests were answered by an error, a status of 400
// and above, or by nothing.
func (o Outcome) Failed() bool { return o.Error != "" || o.Status >= http.StatusBadRequest }

// Words is the error or the status: error timeout, status 503.
func (o Outcome) Words() string {
	if o.Error != "" {
		return "error " + o.Error
	}
	return fmt.Sprintf("status %d", o.Status)
}

// Count is how many requests had an outcome for which match is true.
func (r *Result) Count(match func(Outcome) bool) int64 {
	var count int64
	for _, o := range r.Outcomes {
		if match(o) {
			count += o.Count
		}
	}
	return count
}
