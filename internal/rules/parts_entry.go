package rules

import networking "istio.io/api/networking/v1alpha3"

// The kinds of parts that an entry has by what no intent writes. Headers,
// rewrites and redirects have none: they do the same to every request that goes
// by the entry.
const (
	PartRetry   = "retry"    // requests that were tried again
	PartNoRetry = "no-retry" // requests that failed, and were not tried again
	PartCORS    = "cors"     // requests of another origin, which nothing shows
)

func entryKinds() []PartKind {
	return []PartKind{
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
	switch {
	case entry.Retries == nil:
	case entry.Retries.Attempts > 0:
		parts = whole.field(PartRetry, "retries", true)
	default:
		parts = whole.field(PartNoRetry, "retries", true)
	}
	return append(parts, whole.field(PartCORS, "corsPolicy", entry.CorsPolicy != nil)...)
}
