package verdict

import (
	"fmt"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// Otherwise is the first place, by its path, where a record says another verdict or number
// of an expectation or a conclusion than the same record has, judged again: somebody
// changed it there, or another version reckons otherwise. Words are not held against each
// other, for versions differ in them.
func Otherwise(said, now *report.Record) string {
	const other = "what the report holds"
	if len(said.Expectations) == len(now.Expectations) {
		for i, e := range said.Expectations {
			if wrong := unlikeWhat(other, fmt.Sprintf("expectations[%d]", i), numbersOf(now.Expectations[i]), numbersOf(e)); wrong != "" {
				return wrong
			}
		}
	}
	if len(said.Conclusions) == len(now.Conclusions) {
		for i, c := range said.Conclusions {
			if wrong := unlikeWhat(other, fmt.Sprintf("conclusions[%d].amounts", i), amountsOf(now.Conclusions[i]), amountsOf(c)); wrong != "" {
				return wrong
			}
		}
	}
	return ""
}

func numbersOf(e report.Expectation) map[string]any {
	var values, bounds []any
	for _, m := range e.Values {
		values = append(values, measureOf(m))
	}
	for _, b := range e.Bounds {
		var value any
		if b.Value != nil {
			value = digits(*b.Value)
		}
		bounds = append(bounds, map[string]any{"operator": b.Operator, "value": value})
	}
	return map[string]any{"verdict": string(e.Verdict), "values": values, "bounds": bounds, "samples": e.Samples}
}

func amountsOf(c report.Conclusion) (all []any) {
	for _, a := range c.Amounts {
		all = append(all, map[string]any{"measure": measureOf(a.Measure), "samples": a.Samples})
	}
	return all
}

func measureOf(m loadgen.Measure) map[string]any {
	of := map[string]any{"value": digits(m.Value), "unit": string(m.Unit), "least": m.Least}
	if m.Part != nil {
		of["part"] = map[string]any{"count": m.Part.Count, "total": m.Part.Total, "low": digits(m.Part.Low), "high": digits(m.Part.High)}
	}
	return of
}

// digits is a number as far as every machine reckons it alike.
func digits(value float64) string { return fmt.Sprintf("%.9g", value) }
