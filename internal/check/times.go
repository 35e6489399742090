package check

import (
	"math/big"
	"strings"
)

// begunWhenDue is that no service time is above the response time of the same
// rank or a higher: a request begins when it is due, or later.
func begunWhenDue(families map[string]map[string]linear) []inequality {
	var all []inequality
	for family, times := range families {
		cohort, is := strings.CutSuffix(family, " "+responses)
		if !is {
			continue
		}
		for _, order := range orders() {
			for i, part := range order {
				service, known := families[cohort+" "+services][part]
				for _, above := range order[i:] {
					if response, ok := times[above]; ok && known {
						all = append(all, inequality{linear: response.minus(service)})
					}
				}
			}
		}
	}
	return all
}

// orders are the statistics of times, each at most the next.
func orders() [][]string {
	return [][]string{{"min", "p50", "p90", "p95", "p99", "p999", "max"}, {"min", "mean", "max"}}
}

// ordered is that the statistics of so many times stand in their order: the
// smallest, the percentiles, the largest; and the mean between the first and the
// last. 0: nobody knows how many they are.
func ordered(members map[string]linear, number int64) []inequality {
	var all []inequality
	for _, order := range orders() {
		var last *linear
		for _, part := range order {
			member, ok := members[part]
			if !ok {
				continue
			}
			if last != nil {
				all = append(all, inequality{linear: member.minus(*last)})
			}
			last = &member
		}
	}
	mean, asked := members["mean"]
	if !asked {
		return all
	}
	return append(all, meanOf(mean, members, number)...)
}

// meanOf is what the mean of so many times says of the others: those from a
// statistic on are at least as long as it, and those until then at most. All of it
// is true of the times themselves, and of a histogram's up to its rounding, by
// which alone a line could fail.
func meanOf(mean linear, members map[string]linear, number int64) []inequality {
	least, most := just(new(big.Rat)), linear{}
	if asked, ok := members["min"]; ok {
		least = asked
	}
	if asked, ok := members["max"]; ok {
		most = asked
	}
	var all []inequality
	for _, t := range timings() {
		statistic, asked := members[t.name]
		if !asked || t.name == "mean" {
			continue
		}
		if t.least > 1 { // so that a part of 1/least is not below it
			above := big.NewRat(1, t.least)
			below := new(big.Rat).Sub(ratOf(1), above)
			all = append(all, inequality{linear: mean.minus(statistic.times(above)).minus(least.times(below))})
		}
		rank := rankOf(t, number)
		if number == 0 || rank == 0 {
			continue
		}
		sum := mean.times(ratOf(number))
		all = append(all, inequality{linear: sum.minus(statistic.times(ratOf(number - rank + 1))).minus(least.times(ratOf(rank - 1)))})
		if most.constant != nil {
			all = append(all, inequality{linear: statistic.times(ratOf(rank)).plus(ratOf(number-rank), most).minus(sum)})
		}
	}
	return all
}

// rankOf is the rank of a statistic of so many times, ⌈q·n⌉ of a quantile; 0: it is not
// judged.
func rankOf(t timing, number int64) int64 {
	switch {
	case number < t.least:
		return 0
	case t.name == "min":
		return 1
	case t.name == "max":
		return number
	}
	return number - number/t.least
}
