package check

import (
	"fmt"
	"math/big"
	"strings"
)

// broken words how an amount fails to keep to the operator.
func broken(operator string) string {
	return map[string]string{
		"<": "is not below", "<=": "is above", ">": "is not above", ">=": "is below", "==": "is not", "!=": "equals",
	}[operator]
}

// observedWords words what was observed; it is empty where that is missing.
func observedWords(t term, v value, limits []value) string {
	if v.amount == nil {
		return ""
	}
	var amounts []*big.Rat
	for _, l := range limits {
		if l.amount != nil {
			amounts = append(amounts, l.amount)
		}
	}
	text := tellApart(t.kind, v.amount, amounts...)
	if v.least != "" {
		text = "at least " + text
	}
	if v.part != nil {
		text += " (" + v.part.String() + ")"
	}
	if v.label != "" {
		text = v.label + ": " + text
	}
	return text
}

// limitOf words a limit: a constant as it was written, another quantity by its
// value and its name.
func limitOf(b bound, limit, observed value) string {
	if b.limit.constant || limit.amount == nil {
		return b.limit.text
	}
	apart := limit.amount
	if observed.amount != nil {
		apart = observed.amount
	}
	return fmt.Sprintf("%s (%s)", tellApart(b.limit.kind, limit.amount, apart), b.limit.text)
}

// limitWords words what was asked.
func limitWords(bounds []bound, limits []value, observed value) string {
	if len(bounds) == 2 && strings.HasSuffix(bounds[0].operator, "=") && strings.HasSuffix(bounds[1].operator, "=") {
		low, high := 0, 1
		if bounds[0].operator == "<=" {
			low, high = 1, 0
		}
		return limitOf(bounds[low], limits[low], observed) + " to " + limitOf(bounds[high], limits[high], observed)
	}
	var all []string
	for i, b := range bounds {
		text := limitOf(b, limits[i], observed)
		if b.operator != "==" {
			text = b.operator + " " + text
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}
