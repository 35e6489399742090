package check

import (
	"math/big"
	"slices"
	"strings"
)

// Implied are the checks that an answer fulfils because it fulfils another one, or
// shows a version: what is looked for stands in all that the other one looks for.
type Implied struct{ ByCheck, ByVersion map[string][]string }

// among is that no more answers fulfil a check, or show the versions, than fulfil
// the check which those imply.
func (i Implied) among(members map[string]linear) []inequality {
	var all []inequality
	for part, implied := range members {
		check, is := strings.CutPrefix(part, "check ")
		if !is {
			continue
		}
		versions := just(new(big.Rat))
		for other, member := range members {
			kind, name, _ := strings.Cut(other, " ")
			switch {
			case kind == "check" && slices.Contains(i.ByCheck[name], check):
				all = append(all, inequality{linear: implied.minus(member)})
			case kind == "version" && slices.Contains(i.ByVersion[name], check): // of which no answer shows two
				versions = versions.plus(ratOf(1), member)
			}
		}
		if !versions.isConstant() {
			all = append(all, inequality{linear: implied.minus(versions)})
		}
	}
	return all
}
