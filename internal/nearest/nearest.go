// Package nearest finds the word that somebody most likely meant. It imports
// nothing else of this module.
package nearest

import "strings"

// Word returns the one of words that is nearest to typed, letter case aside,
// or "" if none is near: at most a third of the letters may be wrong, a swap of
// neighbours counting once. A beginning of at least four letters is near, and
// http_status is httpStatus. Of two that are equally near the first wins.
func Word(typed string, words []string) string {
	best, limit := "", 2*max(1, len(typed)/3)+1
	for _, word := range words {
		if d := apart(strings.ToLower(typed), strings.ToLower(word)); d <= limit {
			best, limit = word, d-1
		}
	}
	return best
}

// Hint words the one of choice that somebody most likely meant, or all of them
// where none is near.
func Hint(typed string, choice []string) string {
	if meant := Word(typed, choice); meant != "" {
		return "did you mean " + meant + "?"
	}
	if len(choice) == 0 {
		return "there is none"
	}
	return "one of " + strings.Join(choice, ", ")
}

// apart is how many halves of a mistake lie between two words. A beginning is
// worth one and a half, so that a word with one letter wrong is nearer.
func apart(a, b string) int {
	d := 2 * distance(a, b)
	switch {
	case strings.ReplaceAll(a, "_", "") == strings.ReplaceAll(b, "_", ""):
		return 0
	case len(a) >= 4 && (strings.HasPrefix(b, a) || strings.HasPrefix(a, b)):
		return min(d, 3)
	}
	return d
}

// distance is the optimal string alignment distance, in bytes.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return max(len(a), len(b))
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
