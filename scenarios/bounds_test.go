package scenarios

import (
	"fmt"
	"strings"
	"testing"
)

func TestOverHowManyConnectionsALoadGoesIsBoundByIt(t *testing.T) {
	const pages = `{get: "http://productpage:9080/productpage", connections: 3, `
	for _, row := range []struct{ load, expect, want string }{
		{pages + "requests: 12}", "pages.connections >= 3", "always true"},
		{pages + "requests: 12}", "pages.connections == 2", "can never be true"},
		{pages + "requests: 12}", "baseline.pages.connections > 12", "can never be true"},
		{pages + "requests: 12}", "pages.connections == 3", ""},
		{pages + "requests: 12, qps: 50}", "pages.connections == 2", ""},
		{pages + "requests: 12, duration: 5s}", "pages.connections == 2", ""},
		{`{tcp: "ratings:9080", lines: [hello], requests: 12}`, "pages.connections == pages.sent", "always true"},
	} {
		text := strings.Replace(good, "    others: {get: \"http://productpage:9080/productpage\", qps: 5, while: jason}\n", "    pages: "+row.load+"\n", 1)
		text = strings.Replace(text, `    - jason.share("lost") == 100%`, "    - "+row.expect, 1)
		_, err := read(text)
		if got := fmt.Sprint(err); row.want == "" && err != nil || !strings.Contains(got, row.want) {
			t.Errorf("%s of %s: %v", row.expect, row.load, err)
		}
	}
}
