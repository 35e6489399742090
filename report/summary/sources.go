package summary

import (
	"regexp"
	"strings"
)

// kinds are the sources of what was observed, by what their names have: the last is
// what the clients saw, and stands by itself.
var kinds = []struct {
	name  string
	known *regexp.Regexp
}{
	{"access log", regexp.MustCompile(`access log`)},
	{"/stats", regexp.MustCompile(`\bstat `)},
	{"/clusters", regexp.MustCompile(`/clusters\b`)},
	{"/config_dump", regexp.MustCompile(`/config_dump\b`)},
	{"clients", regexp.MustCompile(`(^|[,;] )clients$`)},
}

// Source is where an observation is from, in short: clients, and of proxies the page of
// Envoy's admin interface or the access log. What is none of these stands as it is.
func Source(source string) string {
	var short []string
	for _, kind := range kinds {
		if kind.known.MatchString(source) {
			short = append(short, kind.name)
		}
	}
	if len(short) == 0 {
		return source
	}
	return strings.Join(short, ", ")
}
