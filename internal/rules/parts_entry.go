package rules

import networking "istio.io/api/networking/v1alpha3"

// PartCORS is the kind of part of a corsPolicy, which no intent writes: requests
// of another origin, which nothing shows.
const PartCORS = "cors"

func entryKinds() []PartKind {
	return []PartKind{{Name: PartCORS, None: "nothing that shows it", Remedy: "take it out"}}
}

// entryParts are the parts of an http entry that no intent writes.
func entryParts(whole Part, entry *networking.HTTPRoute) []Part {
	if len(entry.Route) == 1 {
		whole.direct(entry.Route[0])
	}
	return whole.field(PartCORS, "corsPolicy", entry.CorsPolicy != nil)
}
