package html

import (
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/meshchaos/meshchaos/test/records"
)

// TestTheSendersAreAmongWhatWasAskedFor: by their place in the record.
func TestTheSendersAreAmongWhatWasAskedFor(t *testing.T) {
	r := records.Read(t, "delay-jason")
	r.Asked[1].Plan.Senders = 3
	page := written(t, r)
	document, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var p read
	p.collect(document)
	newNumbers(t, r).hold(t, "delay-jason by three senders", p)
	if !strings.Contains(page, "/asked/1/plan/senders") || !strings.Contains(page, " senders</span>") {
		t.Error("the page does not tell of them")
	}
}
