package evidence

import (
	"fmt"
	"slices"
	"strings"
)

// tally adds up what single proxies counted and remembers where that was read.
// It ends with a value, or with the first reason why there is none.
type tally struct {
	value  uint64
	absent string
	more   string              // why there may be more than the value; empty: there are as many
	each   int64               // how many errors, or requests, it takes to count one; 0: not known
	most   int64               // how many there could have been by the rules in force; 0: not known
	none   bool                // no rule in force lets one happen, or none did with so few requests
	kinds  []string            // of source, in the order in which they were met
	read   map[string]int      // proxies that were read, by kind
	named  map[string][]string // those that had counted something, by kind
}

func newTally() *tally {
	return &tally{read: map[string]int{}, named: map[string][]string{}}
}

// add adds what a proxy counted, read from a kind of source.
func (t *tally) add(kind, proxy string, n uint64) {
	if !slices.Contains(t.kinds, kind) {
		t.kinds = append(t.kinds, kind)
	}
	t.value += n
	t.read[kind]++
	if n > 0 && !slices.Contains(t.named[kind], proxy) {
		t.named[kind] = append(t.named[kind], proxy)
	}
}

// lack says why there is no value.
func (t *tally) lack(format string, args ...any) {
	if t.absent == "" {
		t.absent = fmt.Sprintf(format, args...)
	}
}

// source names the proxies that had counted something, and where; if none had,
// where all of them were read.
func (t *tally) source() string {
	var counted []string
	for _, kind := range t.kinds {
		if names := t.named[kind]; len(names) > 0 {
			counted = append(counted, kind+" at "+strings.Join(names, ", "))
		}
	}
	if len(counted) == 0 {
		counted = t.kinds
	}
	return strings.Join(counted, "; ")
}
