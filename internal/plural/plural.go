// Package plural words how many there are of something. It imports nothing else of this
// module.
package plural

import (
	"fmt"
	"strings"
)

// Of words a number of things by the noun for one: 1 request, 2 requests, 3 proxies.
func Of[N ~int | ~int64 | ~uint32 | ~uint64](n N, noun string) string {
	if n != 1 {
		noun = many(noun)
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// Were is Of with the verb of the past: 1 request was, 2 requests were.
func Were[N ~int | ~int64 | ~uint32 | ~uint64](n N, noun string) string {
	if n == 1 {
		return Of(n, noun) + " was"
	}
	return Of(n, noun) + " were"
}

// many is a noun for several: regular ones are all that is counted here.
func many(noun string) string {
	stem, y := strings.CutSuffix(noun, "y")
	if y && !strings.ContainsAny(stem[max(len(stem)-1, 0):], "aeiou") {
		return stem + "ies"
	}
	return noun + "s"
}
