package rules

import (
	"fmt"

	networking "istio.io/api/networking/v1alpha3"
)

// The kinds of parts that an entry has by what no intent writes. Headers,
// rewrites and redirects have none: they do the same to every request that goes
// by the entry.
const (
	PartMirror  = "mirror"   // requests that were mirrored
	PartRetry   = "retry"    // requests that were tried again
	PartNoRetry = "no-retry" // requests that failed, and were not tried again
	PartCORS    = "cors"     // requests of another origin, which nothing shows
)

func entryKinds() []PartKind {
	return []PartKind{
		{PartMirror, "nothing that it mirrored", "let a cohort send requests that it matches, as many as it takes to meet its percentage, or take it out"},
		{PartRetry, "nothing that was tried again", "let what it leads to fail as its retryOn has it, or take the retries out"},
		{PartNoRetry, "no request that failed", "let what it leads to fail, or take the retries out"},
		{PartCORS, "nothing that shows it", "take it out"},
	}
}

// entryParts are those kinds of parts of an http entry, of which the whole is
// given.
func entryParts(whole Part, entry *networking.HTTPRoute) []Part {
	if len(entry.Route) == 1 {
		whole.direct(entry.Route[0])
	}
	var parts []Part
	add := func(kind, field string, to *networking.Destination) {
		part := whole
		part.Kind, part.Path = kind, whole.Path+"."+field
		if to != nil {
			part.direct(&networking.HTTPRouteDestination{Destination: to})
		}
		parts = append(parts, part)
	}
	if entry.Mirror != nil {
		add(PartMirror, "mirror", entry.Mirror)
	}
	for i, mirror := range entry.Mirrors {
		add(PartMirror, fmt.Sprintf("mirrors[%d]", i), mirror.GetDestination())
	}
	switch {
	case entry.Retries == nil:
	case entry.Retries.Attempts > 0:
		add(PartRetry, "retries", nil)
	default:
		add(PartNoRetry, "retries", nil)
	}
	if entry.CorsPolicy != nil {
		add(PartCORS, "corsPolicy", nil)
	}
	return parts
}
