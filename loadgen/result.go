package loadgen

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
)

// Failed says whether the requests were answered by an error, a status of 400
// and above or a code of gRPC but OK, or by nothing.
func (o Outcome) Failed() bool {
	return o.Error != "" || o.Status >= http.StatusBadRequest || o.GRPC != "" && o.GRPC != OK
}

// Words is the error, the code or the status: error timeout, code UNAVAILABLE, status 503.
func (o Outcome) Words() string {
	switch {
	case o.Error != "":
		return "error " + o.Error
	case o.GRPC != "":
		return "code " + o.GRPC
	default:
		return fmt.Sprintf("status %d", o.Status)
	}
}

// AddWays adds the requests of two lists, by how they ended.
func AddWays(to, more []Way) []Way {
	all := slices.Clone(to)
	for _, w := range more {
		i := slices.IndexFunc(all, func(have Way) bool { return have.compare(w) == 0 })
		if i < 0 {
			all = append(all, w)
		} else {
			all[i].Count += w.Count
		}
	}
	slices.SortFunc(all, Way.compare)
	return all
}

// compare is the order of ways in a Progress.
func (w Way) compare(other Way) int {
	return cmp.Or(cmp.Compare(w.Status, other.Status), cmp.Compare(w.GRPC, other.GRPC), cmp.Compare(w.Error, other.Error))
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
