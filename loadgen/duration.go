package loadgen

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// Duration is one that JSON has in seconds, as it has all times: 0.25.
type Duration struct{ time.Duration }

// mostSeconds is what a time.Duration holds.
const mostSeconds = float64(math.MaxInt64) / float64(time.Second)

// MarshalJSON implements json.Marshaler.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(d.Seconds()) }

// UnmarshalJSON implements json.Unmarshaler.
func (d *Duration) UnmarshalJSON(data []byte) error {
	var seconds float64
	if err := json.Unmarshal(data, &seconds); err != nil {
		return fmt.Errorf("reading a time in seconds: %w", err)
	}
	if math.Abs(seconds) >= mostSeconds {
		return fmt.Errorf("reading a time in seconds: %g are more than can be counted", seconds)
	}
	d.Duration = fromSeconds(seconds)
	return nil
}
