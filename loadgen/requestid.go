package loadgen

import (
	"bytes"
	"math/rand/v2"
	"net/http"
)

// requestIDHeader is by which proxies tell requests apart, and applications
// hand on what they belong to.
const requestIDHeader = "X-Request-Id"

// requestID is a version 4 UUID as text. Proxies sample by it, so that each is
// drawn whole: of ids with a common beginning, all would be sampled or none.
type requestID [36]byte

// newRequestID draws an id, at the cost of two random numbers.
func newRequestID() (id requestID) {
	const digits = "0123456789abcdef"
	high, low := rand.Uint64(), rand.Uint64()
	high = high&^0xf000 | 0x4000    // version 4
	low = low&^(0b11<<62) | 0b1<<63 // variant 1
	at := len(id)
	for _, half := range [2]uint64{low, high} {
		for range 16 {
			at--
			if at == 23 || at == 18 || at == 13 || at == 8 {
				id[at] = '-'
				at--
			}
			id[at] = digits[half&0xf]
			half >>= 4
		}
	}
	return id
}

// setRequestID gives a request an id unless it has one.
func setRequestID(req *http.Request) (set bool) {
	if _, own := req.Header[requestIDHeader]; own {
		return false
	}
	id := newRequestID()
	req.Header.Set(requestIDHeader, string(id[:]))
	return true
}

// requestIDIn is where the id stands in a request as it is sent. No line above
// the body can hold a line ending, so that what is found is the header field.
func requestIDIn(wire []byte) int {
	name := []byte("\r\n" + requestIDHeader + ": ")
	return bytes.Index(wire, name) + len(name)
}
