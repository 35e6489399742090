package verdict

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/meshchaos/meshchaos/loadgen"
)

// isCode says whether a code of gRPC is named so: by its name, or by a number that has none.
func isCode(name string) bool {
	number, of := strings.CutPrefix(name, "CODE_")
	n, err := strconv.ParseUint(number, 10, 32)
	return slices.Contains(loadgen.Codes(), name) || of && err == nil && n >= uint64(len(loadgen.Codes())) && number[0] != '0'
}

// outcomesUnlike is where an outcome is none that a request of the plan can have: it ends in
// one way, and those that ended alike are counted together, but by fortio's own server.
func outcomesUnlike(plan loadgen.Plan, l *loadgen.Result) string {
	for i, o := range l.Outcomes {
		ways := 0
		for _, there := range []bool{o.Status != 0, o.GRPC != "", o.Error != ""} {
			if there {
				ways++
			}
		}
		calls := plan.GRPC != nil
		switch {
		case ways > 1, ways == 0 && plan.TCP == nil, o.Status < 0:
			return fmt.Sprintf(".outcomes[%d] has the status %d, the code %q and the error %q, and a request ends in one way", i, o.Status, o.GRPC, o.Error)
		case calls && o.Status != 0, !calls && o.GRPC != "", plan.TCP != nil && o.Status != 0:
			return fmt.Sprintf(".outcomes[%d] is of %s, and no request of the load ends so", i, o.Words())
		case o.GRPC != "" && !isCode(o.GRPC):
			return fmt.Sprintf(".outcomes[%d].grpc is %q, which is no code", i, o.GRPC)
		case o.Message != "" && (o.GRPC == "" || o.GRPC == loadgen.OK):
			return fmt.Sprintf(".outcomes[%d].message is there, and comes with codes of failures alone", i)
		}
		if l.Engine != "" && slices.ContainsFunc(l.Outcomes[:i], func(other loadgen.Outcome) bool { return sameWay(o, other) }) {
			return fmt.Sprintf(".outcomes[%d] is of %s, as another that is like it", i, o.Words())
		}
	}
	return engineUnlike(plan, l)
}

func sameWay(a, b loadgen.Outcome) bool {
	return a.Request == b.Request && a.Status == b.Status && a.GRPC == b.GRPC && a.Error == b.Error && a.Message == b.Message &&
		a.Version == b.Version && slices.Equal(a.Checks, b.Checks)
}

// engineUnlike is where a load is said to have been carried out by an engine that its plan
// does not take. Records of versions that did not keep it have none.
func engineUnlike(plan loadgen.Plan, l *loadgen.Result) string {
	could := []string{plan.Engine, ""}
	switch {
	case plan.Engine != "":
	case plan.GRPC != nil:
		could = []string{loadgen.EngineGRPC, ""}
	default:
		could = []string{loadgen.EngineEpoll, loadgen.EngineNetHTTP, ""}
	}
	if !slices.Contains(could, l.Engine) {
		return fmt.Sprintf(".engine is %s, and the scenario in the report comes to %s", l.Engine, could[0])
	}
	return ""
}
