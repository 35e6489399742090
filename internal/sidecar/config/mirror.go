package config

import networking "istio.io/api/networking/v1alpha3"

// Mirror is a cluster that gets a copy of a part of a route's requests.
type Mirror struct {
	Cluster string
	Share   uint32 // of a million
}

// Mirrors are the mirrors of a route. One without a percentage gets all requests,
// one of 0 % is none.
func Mirrors(at Place, r *networking.HTTPRoute) []Mirror {
	var mirrors []Mirror
	add := func(to *networking.Destination, share uint32) {
		if to != nil && share > 0 {
			mirrors = append(mirrors, Mirror{Cluster: at.Cluster(to), Share: share})
		}
	}
	switch {
	case r.GetMirrorPercentage() != nil:
		add(r.GetMirror(), PerMillion(r.GetMirrorPercentage()))
	case r.GetMirrorPercent() != nil: //nolint:staticcheck // Istio still reads it.
		add(r.GetMirror(), r.GetMirrorPercent().GetValue()*(Million/100)) //nolint:staticcheck // As above.
	default:
		add(r.GetMirror(), Million)
	}
	for _, m := range r.GetMirrors() {
		share := uint32(Million)
		if m.GetPercentage() != nil {
			share = PerMillion(m.GetPercentage())
		}
		add(m.GetDestination(), share)
	}
	return mirrors
}
