package scenarios

import (
	"errors"
	"strings"
	"testing"
)

// TestWhatIsWrongStandsWhereItIsWritten: a › stands before it, and is no part of the
// text.
func TestWhatIsWrongStandsWhereItIsWritten(t *testing.T) {
	rule, expectation := "    - fault: {service: ratings, delay: 7s}", "    - 5.9s <= jason.p50 <= 6.6s"
	for instead, texts := range map[string]map[string]string{
		rule: {
			"a fault's percentage":        `- fault: {service: ratings, delay: 1s, percent: ›101%}`,
			"a delay below a millisecond": `- fault: {service: ratings, ›delay: 1us}`,
			"a status":                    `- fault: {service: ratings, ›abort: 5000}`,
			"a limit":                     `- breaker: {service: ratings, ›maxConnections: 0}`,
			"an interval":                 `- breaker: {service: ratings, maxConnections: 1, ›interval: 1us}`,
			"a timeout":                   `- timeout: {service: ratings, ›after: 1us}`,
			"retries":                     `- retries: {service: ratings, ›attempts: -1}`,
			"retries that are off":        `- retries: {service: ratings, perTryTimeout: 1s, ›attempts: 0}`,
			"a try":                       `- retries: {service: ratings, attempts: 1, ›perTryTimeout: 1us}`,
			"a pause":                     `- retries: {service: ratings, attempts: 1, ›backoff: 1us}`,
			"what is retried":             `- retries: {service: ratings, attempts: 1, ›retryOn: [6xx]}`,
			"a redirect's code":           `- redirect: {service: ratings, uri: /, ›redirectCode: 200}`,
			"a redirect's scheme":         `- redirect: {service: ratings, ›scheme: ftp}`,
			"a redirect's port":           `- redirect: {service: ratings, ›port: 65536}`,
			"a redirect's path":           `- redirect: {service: ratings, ›uri: "/a b"}`,
			"a rewrite's host":            `- rewrite: {service: ratings, uri: /, ›authority: a/b}`,
			"a share":                     `- route: {service: reviews, to: {v1: 1, v2: ›-1}}`,
		},
		expectation: {
			"an expectation":         `- jason.max < ›3x`,
			"one in quotes":          `- "jason.max < ›3x"`,
			"one with an escape":     `- "jason.max\t< ›3x"`,
			"one in single quotes":   `- 'jason.share(''lost'') < ›3x'`,
			"one over several lines": "- ›jason.max <\n        3x",
			"one that is folded":     "- ›>-\n      jason.max <\n      3x",
		},
	} {
		for name, text := range texts {
			t.Run(name, func(t *testing.T) { standsThere(t, strings.Replace(good, instead, "    "+text, 1)) })
		}
	}
}

// standsThere reads a text in which the place of what is wrong is marked.
func standsThere(t *testing.T, marked string) {
	t.Helper()
	before, _, _ := strings.Cut(marked, "›")
	line, column := strings.Count(before, "\n")+1, len(before)-strings.LastIndex(before, "\n")
	_, err := read(strings.Replace(marked, "›", "", 1))
	var wrong *Error
	if !errors.As(err, &wrong) {
		t.Fatalf("the error is %v", err)
	}
	if wrong.Line != line || wrong.Column != column {
		t.Errorf("it is placed at %d:%d, not at %d:%d: %v", wrong.Line, wrong.Column, line, column, err)
	}
}
