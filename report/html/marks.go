package html

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/report/summary"
)

// mark is a number on the page that says where in the record it stands, so that whoever
// reads both can hold one against the other.
type mark struct {
	At    string // a JSON pointer
	Is    string // empty: it is what stands there; else how it is reckoned from that
	Value string // exactly
	Words string // as it is read
}

// at is a JSON pointer into the record.
func at(path ...any) string {
	var pointer strings.Builder
	for _, key := range path {
		pointer.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(fmt.Sprint(key)))
	}
	return pointer.String()
}

func marked(value any, words string, path ...any) mark {
	text, err := json.Marshal(value)
	if err != nil { // of a number that is none
		text = []byte("null")
	}
	return mark{At: at(path...), Value: string(text), Words: words}
}

// counted is a mark of a whole number.
func counted(n int64, path ...any) mark { return marked(n, fmt.Sprint(n), path...) }

// reckoned is a mark of a number that is not in the record but follows from it.
func reckoned(is string, value any, words string, path ...any) mark {
	m := marked(value, words, path...)
	m.Is = is
	return m
}

// latency is a mark of a latency; of none, a dash.
func latency(l *summary.Latency, path ...any) mark {
	if l == nil {
		return mark{Words: "–"}
	}
	return marked(time.Duration(*l).Seconds(), l.String(), path...)
}
