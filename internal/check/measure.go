package check

import (
	"math/big"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/meshchaos/meshchaos/report"
)

// confidence is that of the interval of a share.
const confidence = 0.99

// measures is an observed value as a record has it: none if it is not known.
func measures(k kind, v value) []report.Measure {
	if v.amount == nil {
		return nil
	}
	m := report.Measure{Value: inUnit(k, v.amount), Unit: unitOf(k), Least: v.least != ""}
	if k == share && v.part != nil && v.part.count.IsInt64() && v.part.total.IsInt64() {
		m.Part = partOf(v.part.count.Int64(), v.part.total.Int64())
	}
	return []report.Measure{m}
}

// boundsOf is what was asked of a value, as a record has it.
func boundsOf(k kind, bounds []bound, limits []value) []report.Bound {
	all := make([]report.Bound, len(bounds))
	for i, b := range bounds {
		all[i].Operator = b.operator
		if !b.limit.constant {
			all[i].Name = b.limit.text
		}
		if amount := limits[i].amount; amount != nil {
			in := inUnit(k, amount)
			all[i].Value = &in
		}
	}
	return all
}

// measures are the shares of the versions that were seen.
func (s *splitting) measures(t tally) []report.Measure {
	if t.total == 0 {
		return nil
	}
	all := make([]report.Measure, len(s.portions))
	for i, p := range s.portions {
		all[i] = report.Measure{Of: p.version, Unit: report.Share, Value: float64(t.versions[i]) / float64(t.total), Part: partOf(t.versions[i], t.total)}
	}
	return all
}

// bounds are the shares that are asked for.
func (s *splitting) bounds() []report.Bound {
	all := make([]report.Bound, len(s.portions))
	for i, p := range s.portions {
		asked := float(p.share)
		all[i] = report.Bound{Of: p.version, Operator: "==", Value: &asked}
	}
	return all
}

func unitOf(k kind) report.Unit {
	switch k {
	case duration:
		return report.Seconds
	case share:
		return report.Share
	}
	return report.Number
}

// inUnit is an amount in the unit of a record, in which durations are seconds.
func inUnit(k kind, amount *big.Rat) float64 {
	if k == duration {
		return float(new(big.Rat).Quo(amount, big.NewRat(int64(time.Second), 1)))
	}
	return float(amount)
}

// partOf is a share with the interval of Clopper and Pearson; nil where there is none,
// as of more than there are.
func partOf(count, total int64) *report.Part {
	if count < 0 || count > total || total == 0 {
		return nil
	}
	p := &report.Part{Count: count, Total: total, High: 1}
	k, n, tail := float64(count), float64(total), (1-confidence)/2
	if count > 0 {
		p.Low = distuv.Beta{Alpha: k, Beta: n - k + 1}.Quantile(tail)
	}
	if count < total {
		p.High = distuv.Beta{Alpha: k + 1, Beta: n - k}.Quantile(1 - tail)
	}
	return p
}
