package check

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/nearest"
	"github.com/meshchaos/meshchaos/loadgen"
)

// A request of a load's list is named behind the load, as a field of it: shop.basket.p99.
// So it reads as what it is, a part of the load, and has all that a load has, in each
// window and with .service before a time; and no bracket or quote is needed, since a field
// is a plain word, and so are these names. They must not be quantities, which are fields
// as well.

// name is what a line calls the load, without its window.
func (l Load) name() string {
	if l.Request == "" {
		return l.Cohort
	}
	return l.Cohort + "." + l.Request
}

// whole is the load that a request is of.
func (l Load) whole() Load {
	l.Request = ""
	return l
}

// isRequest says whether a name behind a load's is that of one of its requests.
func (c *compiler) isRequest(cohort string, t token) bool {
	return t.kind == wordToken && slices.Contains(c.scope.Requests[cohort], t.text)
}

// requestOf compiles shop.basket; is is false if the node is no such thing.
func (c *compiler) requestOf(n node) (l Load, is bool, err error) {
	member, ok := n.(*field)
	if !ok {
		return Load{}, false, nil
	}
	switch of := member.of.(type) {
	case *name:
		is = c.isCohort(of.token) && windowOf(of) == "" && c.isRequest(of.token.text, member.name)
	case *field:
		is = windowOf(of.of) != "" && c.isCohort(of.name) && c.isRequest(of.name.text, member.name)
	}
	if !is {
		return Load{}, false, nil
	}
	if l, err = c.cohort(member.of); err != nil {
		return Load{}, true, err
	}
	l.Request = member.name.text
	return l, true, nil
}

// ofRequest is what a line says of one request of a load, as what it says of the load.
func ofRequest(request string, of outcomes) outcomes {
	if request == "" {
		return of
	}
	return func(o loadgen.Outcome) bool { return o.Request == request && of(o) }
}

// partOf is that of what was counted of a load no more was counted of its requests.
func (c *compiler) partOf(l Load, counted linear, part string) linear {
	if l.Request != "" {
		whole := c.seen.count(l.whole(), part, c.sizeOf(l.whole()))
		c.seen.limit(counted, inequality{linear: whole.minus(counted)})
	}
	return counted
}

// together is that what was counted of several requests of one load is no more than was
// counted of the load, and of all of them as much.
func (o observables) together(families map[string]map[string]linear) []inequality {
	type counted struct {
		sum      linear
		requests int
	}
	sums := map[string]map[string]counted{}
	for family, members := range families {
		of, is := strings.CutSuffix(family, " "+counts)
		at := strings.LastIndexByte(of, '.')
		if !is || strings.Count(of, ".") < 2 { // window.load.request
			continue
		}
		if sums[of[:at]] == nil {
			sums[of[:at]] = map[string]counted{}
		}
		for part, member := range members {
			all := sums[of[:at]][part]
			if all.requests > 0 {
				member = member.plus(ratOf(1), all.sum)
			}
			sums[of[:at]][part] = counted{member, all.requests + 1}
		}
	}
	var all []inequality
	for load, parts := range sums {
		_, cohort, _ := strings.Cut(load, ".")
		for part, of := range parts {
			whole, asked := families[load+" "+counts][part]
			if !asked {
				continue
			}
			all = append(all, inequality{linear: whole.minus(of.sum)})
			if of.requests == len(o.requests[cohort]) {
				all = append(all, inequality{linear: of.sum.minus(whole)})
			}
		}
	}
	return all
}

// sentInTurn is that of a list which is sent in turn no request was sent more often than one
// that stands before it: wherever a connection has come to, and however often it has begun anew.
func (o observables) sentInTurn(families map[string]map[string]linear) []inequality {
	var all []inequality
	for family, members := range families {
		of, is := strings.CutSuffix(family, " "+counts)
		sent, asked := members["sent"]
		parts := strings.SplitN(of, ".", 3) // window.load.request
		if !is || !asked || len(parts) < 3 || !o.inTurn(parts[0], parts[1]) {
			continue
		}
		list := o.requests[parts[1]]
		for _, before := range list[:max(slices.Index(list, parts[2]), 0)] {
			if more, asked := families[parts[0]+"."+parts[1]+"."+before+" "+counts]["sent"]; asked {
				all = append(all, inequality{linear: more.minus(sent)})
			}
		}
	}
	return all
}

// withinWhole is that no time of a request is outside of those of its load, and none of its
// service times longer than any response time of that.
func withinWhole(families map[string]map[string]linear) []inequality {
	var all []inequality
	for family, members := range families {
		at := strings.LastIndexByte(family, ' ')
		of, kind := family[:max(at, 0)], family[at+1:]
		last := strings.LastIndexByte(of, '.')
		if kind != responses && kind != services || strings.Count(of, ".") < 2 { // window.load.request
			continue
		}
		for _, whole := range []string{responses, services} {
			least, fromBelow := families[of[:last]+" "+whole]["min"]
			most, fromAbove := families[of[:last]+" "+whole]["max"]
			for _, member := range members {
				if fromAbove && (whole == kind || kind == services) {
					all = append(all, inequality{linear: most.minus(member)})
				}
				if fromBelow && (whole == kind || kind == responses) {
					all = append(all, inequality{linear: member.minus(least)})
				}
			}
		}
	}
	return all
}

// ratesTogether is that the rates of several requests of one load are no more than that of the
// load, and those of all of them as much.
func (o observables) ratesTogether(names []string) []inequality {
	sums, requests := map[string]linear{}, map[string]int{}
	for _, name := range names {
		of, is := strings.CutSuffix(name, " "+rates)
		if at := strings.LastIndexByte(of, '.'); is && strings.Count(of, ".") > 1 {
			whole := of[:at]
			if sums[whole].constant == nil {
				sums[whole] = just(new(big.Rat))
			}
			sums[whole] = sums[whole].plus(ratOf(1), one(name))
			requests[whole]++
		}
	}
	var all []inequality
	for load, sum := range sums {
		_, cohort, _ := strings.Cut(load, ".")
		if whole := load + " " + rates; slices.Contains(names, whole) {
			all = append(all, inequality{linear: one(whole).minus(sum)})
			if requests[load] == len(o.requests[cohort]) {
				all = append(all, inequality{linear: sum.minus(one(whole))})
			}
		}
	}
	return all
}

// quantitiesOfLoad are the words that name what is known of a load.
func quantitiesOfLoad() []string {
	words := append([]string{"sent", "errors", "connections", "qps", "service", "status"}, loadFunctions()...)
	for _, t := range timings() {
		words = append(words, t.name)
	}
	return words
}

// ValidateRequest says what keeps a line from naming a request of a load; empty: nothing.
func ValidateRequest(name string) string {
	switch {
	case !plainName.MatchString(name):
		return fmt.Sprintf("%q could not be named in an expectation; use letters, digits and _, a letter first", name)
	case slices.Contains(quantitiesOfLoad(), name):
		return fmt.Sprintf("%q is a quantity in expectations; choose another name", name)
	}
	return ""
}

// unknownField is the error of what is neither a quantity of a load nor one of its requests.
func (c *compiler) unknownField(l Load, name token, known []string) error {
	if l.Request == "" && nearest.Word(name.text, known) == "" {
		if names := c.scope.Requests[l.Cohort]; len(names) > 0 {
			return unknown(name, "quantity or request of "+l.Cohort, append(slices.Clone(names), known...))
		}
	}
	return unknown(name, "quantity of a load", known)
}
