package rules

import "testing"

// A step that writes what was said before, in other words, would measure what was
// there before.
func TestWhatIsSaidInOtherWordsChangesNothing(t *testing.T) {
	const (
		split  = `"route":[{"destination":{"host":"web","subset":"v1"},"weight":90},{"destination":{"host":"web","subset":"v2"},"weight":10}]`
		longer = `"route":[{"destination":{"host":"web.shop.svc.cluster.local","subset":"v1"},"weight":90},{"destination":{"host":"web","subset":"v2"},"weight":10}]`
		turned = `"route":[{"destination":{"host":"web","subset":"v2"},"weight":10},{"destination":{"host":"web","subset":"v1"},"weight":90}]`
		ninth  = `"route":[{"destination":{"host":"web","subset":"v1"},"weight":9},{"destination":{"host":"web","subset":"v2"},"weight":1}]`
		beside = `"route":[{"destination":{"host":"web","subset":"v1"},"weight":90},{"destination":{"host":"web","subset":"v2"},"weight":10},{"destination":{"host":"web","subset":"v3"},"weight":0}]`
		other  = `"route":[{"destination":{"host":"web","subset":"v1"},"weight":80},{"destination":{"host":"web","subset":"v2"},"weight":20}]`
		port   = `"route":[{"destination":{"host":"web","subset":"v1","port":{"number":81}},"weight":90},{"destination":{"host":"web","subset":"v2"},"weight":10}]`
	)
	http := func(entry string) string { return `"http":[{` + entry + `}]` }
	tcp := func(entry string) string { return `"tcp":[{` + entry + `}]` }
	tls := func(entry string) string { return `"tls":[{"match":[{"sniHosts":["web"]}],` + entry + `}]` }
	for name, test := range map[string]struct{ before, after, want string }{
		"a longer name":                    {http(split), http(longer), "spec.http[0]"},
		"another order":                    {http(split), http(turned), "spec.http[0]"},
		"another sum":                      {http(split), http(ninth), "spec.http[0]"},
		"a weight of 0":                    {http(split), http(beside), "spec.http[0]"},
		"an empty block":                   {http(split), http(split + `,"headers":{}`), "spec.http[0]"},
		"an empty fault":                   {http(split), http(split + `,"fault":{}`), "spec.http[0]"},
		"a match of all paths":             {http(split), http(split + `,"match":[{"uri":{"prefix":"/"}}]`), "spec.http[0]"},
		"a gateway by its namespace":       {`"gateways":["front"],` + http(split), `"gateways":["shop/front"],` + http(turned), "spec.http[0]"},
		"a longer name of connections":     {tcp(split), tcp(longer), "spec.tcp[0]"},
		"another sum of connections":       {tcp(split), tcp(ninth), "spec.tcp[0]"},
		"another order of connections":     {tls(split), tls(turned), "spec.tls[0]"},
		"a weight of 0 of connections":     {tls(split), tls(beside), "spec.tls[0]"},
		"a name":                           {http(split), http(`"name":"x",` + split), ""},
		"other weights":                    {http(split), http(other), ""},
		"other weights of connections":     {tcp(split), tcp(other), ""},
		"another port":                     {http(split), http(port), ""},
		"no retries, where some are usual": {http(split), http(split + `,"retries":{}`), ""},
		"a timeout":                        {http(split), http(split + `,"timeout":"1s"`), ""},
	} {
		t.Run(name, func(t *testing.T) {
			change := Change{Before: virtual(t, test.before), After: virtual(t, test.after)}
			if got := Unchanged(change, func(string) []int { return []int{80} }); got != test.want {
				t.Errorf("what changes nothing stands at %q, want %q", got, test.want)
			}
		})
	}
}
