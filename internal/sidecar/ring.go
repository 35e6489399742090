package sidecar

import (
	"cmp"
	"fmt"
	"slices"
	"sort"

	"github.com/cespare/xxhash/v2"
)

// MinimumRing is how many places a ring has at the least, as Istio asks for.
const MinimumRing = 1024

// ring is Envoy's RING_HASH (source/extensions/load_balancing_policies/ring_hash):
// each host has as many places on it as every other, and a request goes to the
// first at or after its hash. It is made of the hosts that are in, and made anew
// when they change.
type ring struct {
	hosts  []*host
	places []place
}

type place struct {
	hash uint64
	host *host
}

func newRing(hosts []*host) *ring {
	r := &ring{hosts: hosts}
	each := (MinimumRing + len(hosts) - 1) / len(hosts)
	for _, h := range hosts {
		for i := range each {
			r.places = append(r.places, place{xxhash.Sum64String(fmt.Sprintf("%s_%d", h.Address, i)), h})
		}
	}
	slices.SortFunc(r.places, func(a, b place) int { return cmp.Compare(a.hash, b.hash) })
	return r
}

// at is the host of a hash, as it is chosen for the i-th time: each further choice
// is that many places on, which may be the same host again.
func (r *ring) at(hash uint64, i int) *host {
	first := sort.Search(len(r.places), func(at int) bool { return r.places[at].hash >= hash })
	return r.places[(first+i)%len(r.places)].host
}

// ringOf is the ring of a cluster's hosts.
func (c *cluster) ringOf(hosts []*host) *ring {
	if r := c.ring.Load(); r != nil && slices.Equal(r.hosts, hosts) {
		return r
	}
	r := newRing(hosts)
	c.ring.Store(r)
	return r
}
