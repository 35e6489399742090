package loadgen

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestATimeIsInSecondsAndComesBackToTheNanosecond(t *testing.T) {
	text, err := json.Marshal(Duration{1500 * time.Millisecond})
	if err != nil || string(text) != "1.5" {
		t.Errorf("%s, %v", text, err)
	}
	rapid.Check(t, func(t *rapid.T) {
		is := Duration{time.Duration(rapid.Int64Range(-int64(40*24*time.Hour), int64(40*24*time.Hour)).Draw(t, "ns"))}
		text, err := json.Marshal(is)
		if err != nil {
			t.Fatal(err)
		}
		var read Duration
		if err := json.Unmarshal(text, &read); err != nil || read != is {
			t.Fatalf("%s is read as %s, %v", text, read, err)
		}
	})
}

func TestWhatIsNoTimeIsNotRead(t *testing.T) {
	for _, text := range []string{`"1s"`, `1e300`, `-1e300`, `{}`, `9223372036.9`} {
		if d := (Duration{}); json.Unmarshal([]byte(text), &d) == nil {
			t.Errorf("%s is read as %s", text, d)
		}
	}
	if d := (Duration{}); json.Unmarshal([]byte(`9223372036`), &d) != nil || d.Seconds() > math.MaxInt64/1e9 {
		t.Errorf("the longest is read as %s", d)
	}
}
