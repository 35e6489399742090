package check

import (
	"maps"
	"math/big"
	"slices"
	"strings"
)

// size is how many requests a cohort sends.
type size struct {
	least, most int64 // by its plan; 0: not known
	made        int64 // that were sent; 0: none yet
}

// sizeOf is what is known of how many requests a load is.
func (c *compiler) sizeOf(l Load) size {
	bounds := c.scope.Bounds[l]
	return size{least: bounds.Least, most: bounds.Most, made: c.scope.seen.sent(l)}
}

// exactly is how many requests they are; 0: that is not known.
func (s size) exactly() int64 {
	if s.made > 0 {
		return s.made
	}
	if s.least == s.most {
		return s.most
	}
	return 0
}

// limits are what is known of them; 0: nothing. What is said of the number alone
// is held against the plan: that it came out as it did says nothing of it.
func (s size) limits(alone bool) (least, most int64) {
	if s.made > 0 && !alone {
		return s.made, s.made
	}
	return max(1, s.least), s.most
}

// known returns what holds of quantities, and of those that they depend on.
func (o observables) known(names []string) []inequality {
	alone := !slices.ContainsFunc(names, func(name string) bool { return o.named[name].part != "sent" })
	var all []inequality
	families, sizes := map[string]map[string]linear{}, map[string]size{}
	for i := 0; i < len(names); i++ { // names grows
		name := names[i]
		q := o.named[name]
		if !q.free {
			all = append(all, inequality{linear: one(name)})
		}
		for _, limit := range q.limits {
			all = append(all, limit)
			names = union(names, limit.quantities())
		}
		if q.family != "" {
			if families[q.family] == nil {
				families[q.family] = map[string]linear{}
			}
			families[q.family][q.part] = one(name)
			sizes[q.family] = q.size
		}
	}
	for family, members := range families {
		switch {
		case strings.HasSuffix(family, " "+counts):
			least, most := sizes[family].limits(alone)
			all = append(all, countsOf(members, least, most)...)
			all = append(all, o.implied.among(members)...)
		case strings.HasSuffix(family, " "+shares):
			all = append(all, partsOf(just(ratOf(1)), members)...)
			all = append(all, o.implied.among(members)...)
		case strings.HasSuffix(family, " "+proxied):
			if whole, ok := members["all"]; ok {
				all = append(all, partsOf(whole, members)...)
			}
		default:
			all = append(all, ordered(members, sizes[family].exactly())...)
		}
	}
	all = append(all, judgedTogether(families, sizes)...)
	all = append(all, o.multiples(names)...)
	all = append(all, o.together(families)...)
	all = append(all, o.sentInTurn(families)...)
	all = append(all, o.ratesTogether(names)...)
	all = append(all, withinWhole(families)...)
	return append(all, begunWhenDue(families)...)
}

// judgedTogether is what holds of the quantities of one cohort where all of them
// can be judged: times where every request was answered, and not every one by a
// failure, and what answers are where there was one.
func judgedTogether(families map[string]map[string]linear, sizes map[string]size) []inequality {
	var all []inequality
	for family, members := range families {
		var cohort string
		var whole linear
		switch {
		case strings.HasSuffix(family, " "+shares):
			cohort, whole = strings.TrimSuffix(family, " "+shares), just(ratOf(1))
		case strings.HasSuffix(family, " "+counts):
			cohort, whole = strings.TrimSuffix(family, " "+counts), members["sent"]
			if n := sizes[family].exactly(); n > 0 {
				whole = just(ratOf(n))
			}
		default:
			continue
		}
		timed := len(families[cohort+" "+responses])+len(families[cohort+" "+services]) > 0
		if errors, named := members["errors"]; named && timed {
			all = append(all, inequality{linear: errors.times(ratOf(-1))})
		}
		if whole.constant == nil {
			continue // nobody knows how many they are
		}
		failures, answers := failuresOf(members), len(members) > len(numbersOf(members))
		if timed && !failures.isConstant() {
			all = append(all, inequality{whole.minus(failures), true})
		}
		if errors, named := members["errors"]; named && answers {
			all = append(all, inequality{whole.minus(errors), true})
		}
	}
	return all
}

// failuresOf is how many of the answers that are named were failures.
func failuresOf(members map[string]linear) linear {
	sum := just(new(big.Rat))
	for part, member := range members {
		if failurePart(part) {
			sum = sum.plus(ratOf(1), member)
		}
	}
	return sum
}

// numbersOf are the parts that are judged without an answer, too.
func numbersOf(members map[string]linear) []string {
	return slices.DeleteFunc(slices.Collect(maps.Keys(members)), func(part string) bool {
		return part != "sent" && part != "errors" && part != "connections"
	})
}

// countsOf is that a cohort sent so many requests at least, and at most; 0: that
// is not known.
func countsOf(members map[string]linear, least, most int64) []inequality {
	var all []inequality
	sent, asked := members["sent"]
	if asked {
		all = append(all, notBelow(sent, least))
		all = append(all, partsOf(sent, members)...)
	}
	if most == 0 {
		return all
	}
	if asked {
		return append(all, notAbove(sent, most))
	}
	return append(all, partsOf(just(ratOf(most)), members)...)
}

// partsOf is that no part is above the whole, nor are those together of which
// no outcome is two: statuses, versions, and errors among either.
func partsOf(whole linear, members map[string]linear) []inequality {
	sums := map[string]linear{}
	for _, part := range slices.Sorted(maps.Keys(members)) {
		var into []string
		switch kind := kindOf(part); kind {
		case "sent", "all":
		case "errors": // and nothing that is answered
			for other := range members {
				if other != "connections" { // which errors have too
					into = union(into, []string{kindOf(other)})
				}
			}
		default:
			into = []string{kind}
		}
		for _, kind := range into {
			if _, found := sums[kind]; !found {
				sums[kind] = just(new(big.Rat))
			}
			sums[kind] = sums[kind].plus(ratOf(1), members[part])
		}
	}
	var all []inequality
	for _, kind := range slices.Sorted(maps.Keys(sums)) {
		all = append(all, inequality{linear: whole.minus(sums[kind])})
	}
	return all
}

// kindOf is what those parts have in common of which no outcome is two: status,
// version, errors, connections; of a check, the check alone.
func kindOf(part string) string {
	kind, _, _ := strings.Cut(part, " ")
	if kind == "check" {
		return part
	}
	return kind
}
