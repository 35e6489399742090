package sidecar

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/meshchaos/meshchaos/internal/sidecar/config"
)

// draws are a proxy's random numbers, in named streams. The i-th number of a
// stream depends on the seed, the proxy and the stream's name alone, however
// requests interleave.
type draws struct {
	seed  uint64
	proxy string

	mu      sync.Mutex
	streams map[string]*rand.Rand
}

func newDraws(seed uint64, proxy string) *draws {
	return &draws{seed: seed, proxy: proxy, streams: map[string]*rand.Rand{}}
}

// below returns the stream's next number in [0,n). n is at least 1.
func (d *draws) below(stream string, n uint64) uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := d.streams[stream]
	if r == nil {
		r = rand.New(rand.NewChaCha8(sha256.Sum256(fmt.Appendf(nil, "%d\x00%s\x00%s", d.seed, d.proxy, stream))))
		d.streams[stream] = r
	}
	return r.Uint64N(n)
}

// happens draws whether something with the given share of a million happens.
func (d *draws) happens(stream string, perMillion uint32) bool {
	return d.below(stream, config.Million) < uint64(perMillion)
}

// pick draws one of the targets by its weight, and returns its index. A sole
// target needs no draw.
func pick(d *draws, key string, targets []config.Target) int {
	if len(targets) == 1 {
		return 0
	}
	var total uint64
	for _, t := range targets {
		total += uint64(t.Weight)
	}
	at := d.below(key+" weights", total)
	for i, t := range targets {
		if at < uint64(t.Weight) {
			return i
		}
		at -= uint64(t.Weight)
	}
	return len(targets) - 1
}
