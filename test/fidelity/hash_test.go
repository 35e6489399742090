//go:build e2e

package fidelity

// fiveUp are endpoints that can be told apart.
var fiveUp = []string{"up", "up", "up", "up", "up"}

// byUser binds requests to endpoints by a header.
func byUser(more string) string {
	return `"trafficPolicy": {"loadBalancer": {"consistentHash": {"httpHeaderName": "user"}}` + more + `}`
}

// users are calls with as many values of the header.
func users(all ...string) (calls []call) {
	for _, user := range all {
		calls = append(calls, call{Headers: "user:" + user, Before: soon})
	}
	return calls
}

// hashes are requests that a header binds to an endpoint. Where the addresses are the
// same, the ring is, and so each goes to the same one on both sides.
var hashes = []comparison{
	{Name: "a header chooses the endpoint", Shared: true, Versions: fiveUp, HTTP: "{" + toAny + "}", Policy: byUser(""),
		Calls: users("a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "a", "b", "jason", "Jason", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10")},
	{Name: "a header of two values chooses the endpoint", Shared: true, Versions: fiveUp, HTTP: "{" + toAny + "}", Policy: byUser(""),
		Calls: []call{{Headers: "user:a user:b"}, {Headers: "user:b user:a"}, {Headers: "user:b user:b"}, {Headers: "user:"}}},
	{Name: "a header that the route sets chooses the endpoint", Shared: true, Versions: fiveUp, HTTP: `{"headers": {"request": {"set": {"user": "c"}}}, ` + toAny + `}`, Policy: byUser(""), Calls: users("a", "b", "d")},
	{Name: "attempts go on around the ring", Shared: true, Versions: fiveUp, HTTP: `{"retries": {"attempts": 3, "retryOn": "5xx", "backoff": "1ms", "retryIgnorePreviousHosts": true}, ` + toAny + `}`, Policy: byUser(""), Calls: []call{
		{Headers: "user:a", Do: "status=503 times=1"}, {Headers: "user:b", Do: "status=503 times=2"}, {Headers: "user:c", Do: "status=503"}, {Headers: "user:d", Do: "close times=1"},
	}},
	{Name: "attempts stay where the header leads", Shared: true, Versions: fiveUp, HTTP: `{"retries": {"attempts": 2, "retryOn": "5xx", "backoff": "1ms"}, ` + toAny + `}`, Policy: byUser(""), Calls: []call{
		{Headers: "user:a", Do: "status=503 times=1"}, {Headers: "user:b", Do: "status=503"},
	}},
	{Name: "attempts of weighted destinations go on around the ring", Shared: true, Versions: fiveUp, HTTP: `{"retries": {"attempts": 3, "retryOn": "5xx", "backoff": "1ms"}, "route": [{"weight": 0, "destination": {"host": "$web", "subset": "v9"}}, {"weight": 100, "destination": {"host": "$web"}}]}`, Policy: byUser(""), Calls: []call{
		{Headers: "user:a", Do: "status=503 times=1"}, {Headers: "user:b", Do: "status=503 times=2"}, {Headers: "user:c", Do: "status=503"},
	}},
	{Name: "attempts without rules go on around the ring", Shared: true, Versions: []string{"up", "refuses"}, Policy: byUser(""), Calls: users("a", "b", "c", "d", "e", "f")},
	{Name: "the ring without an ejected endpoint", Shared: true, Versions: fiveUp, HTTP: "{" + toAny + "}",
		Policy: byUser(`, "outlierDetection": {"consecutive5xxErrors": 1, "interval": "60s", "baseEjectionTime": "60s", "maxEjectionPercent": 100}`),
		Calls:  append([]call{{Headers: "user:a", Do: "status=503"}}, users("a", "b", "c", "d", "e", "f", "g", "h")...)},
}
