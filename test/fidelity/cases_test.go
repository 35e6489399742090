//go:build e2e

package fidelity

import (
	"strings"
	"time"
)

// calls makes one call of each path.
func paths(all ...string) (calls []call) {
	for _, p := range all {
		calls = append(calls, call{Path: p})
	}
	return calls
}

// v1 is a route to the first version.
const v1 = `"route": [{"destination": {"host": "$web", "subset": "v1"}}]`

// v2 is a route to the second.
const v2 = `"route": [{"destination": {"host": "$web", "subset": "v2"}}]`

// toV1 is an entry that leads to v1 and has other fields too.
func toV1(fields string) string { return "{" + fields + ", " + v1 + "}" }

// retrying is an entry with retries, in JSON.
func retrying(retries string) string { return toV1(`"retries": {` + retries + `}`) }

var oneUp = []string{"up"}

// cases are by hand: each shows one thing that a rule does.
var cases = []comparison{
	{Name: "no rules", NoSubsets: true, Versions: oneUp, Calls: []call{
		{}, {Path: "/a/b?c=d&e"}, {Method: "POST", Body: "a body"}, {Method: "HEAD"}, {Method: "OPTIONS", Path: "/x"}, {Method: "DELETE"},
		{Do: "status=503"}, {Do: "status=204"}, {Do: "status=304"}, {Do: "status=404"}, {Method: "PUT", Body: strings.Repeat("x", 70_000)},
		{Headers: "X-Forwarded-For:203.0.113.7 X-Envoy-Internal:true X-Envoy-Attempt-Count:7 X-Envoy-Expected-Rq-Timeout-Ms:9"},
		{Headers: "X-Envoy-Original-Path:/none Forwarded:for=1 Via:1.1-x TE:trailers Keep-Alive:timeout=5 Proxy-Connection:keep-alive"},
		{Do: "header=Server:other header=X-One:1 header=X-One:2 header=X-Envoy-Upstream-Service-Time:17 header=X-Request-Id:theirs"},
		{Path: "/a/../b"}, {Path: "/a/./b"}, {Path: "//a//b"}, {Path: "/a%2Fb"}, {Path: "/%61"}, {Path: "/a%20b"},
		{Path: "/%2e%2E/x"}, {Path: "/a/b/%2e%2E/x?y=/../z"}, {Path: `/a\b`}, {Path: "/a//../b"}, {Path: "/.."}, {Path: "/a/.."}, {Path: "/a/."}, {Path: "/%7Ea%41%2f%2d"}, {Path: "/a.b/..c/..."},
		{Headers: "X-Forwarded-For:10.0.0.1 X-Envoy-Internal:true X-Envoy-Retry-On:5xx X-Envoy-Max-Retries:1", Do: "status=503"}, {Headers: "X-Envoy-Original-Host:mine X-Envoy-Decorator-Operation:mine X-Envoy-External-Address:192.0.2.1"},
		{Headers: "X-Envoy-Upstream-Alt-Stat-Name:x X-Envoy-Ip-Tags:x X-Envoy-Force-Trace:true X-Envoy-Original-Url:/x X-Envoy-Downstream-Service-Cluster:x X-Envoy-Upstream-Rq-Per-Try-Timeout-Ms:5"},
	}},
	{Name: "odd requests", NoSubsets: true, Versions: oneUp, Calls: []call{
		{Headers: "X-Forwarded-For:192.0.2.1 X-Forwarded-For:192.0.2.2 Accept:a Accept:b X-One:1 X-One:2"}, {Headers: "TE:gzip X-Envoy-Upstream-Stream-Duration-Ms:1"},
		{Headers: "Upgrade:h2c Connection:Upgrade"}, {Path: "/a/..;x/b"}, {Path: "/a/.;/b;c"}, {Path: "/a/%2e%2e;/b"}, {Path: "/a?b#c"}, {Path: "/a#b?c"},
	}},
	{Name: "requests that are refused", NoSubsets: true, Versions: oneUp, Calls: []call{{Headers: "Upgrade:foo Connection:Upgrade"}, {Path: "/a%00b"}}}, // Each ends its connection.
	{Name: "odd answers", NoSubsets: true, Versions: oneUp, Calls: []call{{Do: "wire=parts"}, {Do: "wire=endless"}, {Do: "wire=cut"}, {Do: "wire=cutparts"}}},
	{Name: "matches of what is left of headers", HTTP: `{"name": "length", "match": [{"headers": {"content-length": {"exact": "6"}}}], ` + v2 + `}, {"name": "attempts", "match": [{"headers": {"x-envoy-attempt-count": {}}}], ` + v2 + `}, {"name": "kept", "match": [{"headers": {"keep-alive": {}}}], ` + v2 + `}, {"name": "rest", ` + v1 + `}`,
		Calls: []call{{Method: "POST", Body: "a body"}, {}, {Headers: "Keep-Alive:timeout=5"}, {Headers: "X-Envoy-Attempt-Count:7"}}},
	{Name: "a timeout after a body that comes slowly", HTTP: toV1(`"timeout": "0.4s"`), Calls: []call{{Method: "POST", Body: "a body", Slowly: 800 * time.Millisecond}, {Method: "POST", Body: "a body", Slowly: 800 * time.Millisecond, Do: "wait=1s"}}},
	{Name: "an attempt after a body that comes slowly", HTTP: retrying(`"attempts": 1, "perTryTimeout": "0.4s", "retryOn": "5xx"`), Calls: []call{{Method: "POST", Body: "a body", Slowly: 800 * time.Millisecond}, {Method: "POST", Body: "a body", Slowly: 800 * time.Millisecond, Do: "wait=1s times=1"}}},
	{Name: "a redirect by the scheme that was told", HTTP: `{"redirect": {"uri": "/new"}}`, Calls: []call{{Headers: "X-Forwarded-Proto:https"}, {Headers: "X-Forwarded-Proto:http"}}},
	{Name: "a redirect by the scheme of a whole URL", HTTP: `{"redirect": {"authority": "new.example.com:8000", "port": 80}}`, Calls: []call{{Headers: "X-Forwarded-Proto:https"}, {Path: "//a", Headers: "X-Forwarded-Proto:https"}}},
	{Name: "a mirrored body that is answered before it is read", HTTP: `{"mirrors": [{"destination": {"host": "$web", "subset": "v1"}}], ` + v2 + `}`, Calls: []call{{Method: "POST", Body: strings.Repeat("x", 2000), Do: "status=204"}}},
	{Name: "a HEAD without a body", NoSubsets: true, Versions: oneUp, Calls: []call{{Method: "HEAD", Do: "status=204"}}},
	{Name: "a connection refused", NoSubsets: true, Versions: []string{"refuses"}, Calls: []call{{}, {Method: "HEAD"}}},
	{Name: "a connection refused to a body", NoSubsets: true, Versions: []string{"refuses"}, Calls: []call{{Method: "POST", Body: "a body"}},
		Known: "the embedded sidecar reads a body when a host takes it, so its log says that it received none of one that no host took"},
	{Name: "an answer that does not come", NoSubsets: true, Versions: oneUp, Calls: []call{{Do: "close"}, {Do: "garbage"}, {Method: "POST", Body: "x", Do: "close"}, {}}},
	{Name: "no endpoints", NoSubsets: true, Versions: []string{"none"}, Calls: paths("/", "/x")},
	{Name: "a subset without endpoints", HTTP: `{"route": [{"destination": {"host": "$web", "subset": "v9"}}]}`, Calls: paths("/")},
	{Name: "a missing subset", HTTP: `{"name": "gone", "route": [{"destination": {"host": "$web", "subset": "v8"}}]}`, Calls: paths("/")},
	{Name: "a missing subset and a changed host", HTTP: `{"match": [{"uri": {"prefix": "/a"}}], "rewrite": {"authority": "elsewhere", "uri": "/b"}, "route": [{"destination": {"host": "$web", "subset": "v8"}}]}, {"headers": {"request": {"set": {"host": "other"}}}, "route": [{"destination": {"host": "$web", "subset": "v8"}}]}`, Calls: paths("/", "/a/x")},
	{Name: "no route", HTTP: `{"match": [{"uri": {"exact": "/a"}}], ` + v1 + `}`, Calls: append(paths("/a", "/b", "/a?b", "/a/"), call{Method: "POST", Path: "/b", Body: "x"})},
	{Name: "which entry", HTTP: `
		{"name": "exact", "match": [{"uri": {"exact": "/exact"}}], "headers": {"response": {"set": {"entry": "exact"}}}, ` + v1 + `},
		{"name": "jason", "match": [{"headers": {"end-user": {"exact": "jason"}}}], "headers": {"response": {"set": {"entry": "jason"}}}, ` + v2 + `},
		{"name": "without", "match": [{"uri": {"prefix": "/w"}, "withoutHeaders": {"end-user": {"prefix": "a"}}}], "headers": {"response": {"set": {"entry": "without"}}}, ` + v2 + `},
		{"name": "regex", "match": [{"uri": {"regex": "/r/[0-9]+"}}, {"method": {"exact": "PUT"}}], "headers": {"response": {"set": {"entry": "regex"}}}, ` + v2 + `},
		{"name": "present", "match": [{"headers": {"here": {}}}, {"headers": {"there": {"regex": "a+b"}, "n": {"prefix": "1"}}}], "headers": {"response": {"set": {"entry": "present"}}}, ` + v1 + `},
		{"name": "authority", "match": [{"authority": {"prefix": "other"}}], ` + v2 + `},
		{"name": "cased", "match": [{"uri": {"exact": "/CaSe"}, "ignoreUriCase": false}], "headers": {"response": {"set": {"entry": "cased"}}}, ` + v2 + `},
		{"name": "port", "match": [{"uri": {"prefix": "/port"}, "port": 8000}], "headers": {"response": {"set": {"entry": "port"}}}, ` + v2 + `},
		{"match": [{"uri": {"prefix": "/"}}], ` + v1 + `}`,
		Calls: append(paths("/exact", "/exact?q=1", "/exact/", "/w", "/wx?a", "/r/12", "/r/12?x=1", "/r/a", "/r/12/", "/case", "/CaSe", "/port", "/port/x", "/", "/a/../exact", "//exact"),
			call{Headers: "end-user:jason"}, call{Headers: "end-user:Jason"}, call{Headers: "End-User:jason end-user:other"}, call{Path: "/exact", Headers: "end-user:jason"},
			call{Path: "/w", Headers: "end-user:abc"}, call{Path: "/w", Headers: "end-user:bc"}, call{Path: "/w", Headers: "end-user:"}, call{Method: "PUT", Body: "x"}, call{Headers: "here:"}, call{Headers: "here:x"},
			call{Headers: "there:aab n:12"}, call{Headers: "there:aab"}, call{Headers: "there:xaab n:1"})},
	{Name: "an abort", HTTP: toV1(`"fault": {"abort": {"httpStatus": 418, "percentage": {"value": 100}}}`), Calls: []call{{}, {Method: "HEAD"}, {Method: "POST", Body: "a body"}}},
	{Name: "an abort and headers", HTTP: toV1(`"fault": {"abort": {"httpStatus": 500, "percentage": {"value": 100}}}, "headers": {"request": {"set": {"a": "1"}}, "response": {"set": {"b": "2", "content-type": "text/x", "server": "mine"}, "add": {"c": "3"}, "remove": ["content-length", "date"]}}`),
		Calls: paths("/", "/x")},
	{Name: "a delay", HTTP: toV1(`"fault": {"delay": {"fixedDelay": "0.7s", "percentage": {"value": 100}}}`), Calls: []call{{AtLeast: 700 * time.Millisecond}, {Do: "status=503", AtLeast: 700 * time.Millisecond}}},
	{Name: "a delay then an abort", HTTP: toV1(`"fault": {"delay": {"fixedDelay": "0.6s", "percentage": {"value": 100}}, "abort": {"httpStatus": 503, "percentage": {"value": 100}}}`), Calls: paths("/")},
	{Name: "faults of no percentage", HTTP: toV1(`"fault": {"delay": {"fixedDelay": "2s"}, "abort": {"httpStatus": 503}}`), Calls: paths("/")},
	{Name: "a delay and a timeout", HTTP: toV1(`"timeout": "0.3s", "fault": {"delay": {"fixedDelay": "0.8s", "percentage": {"value": 100}}}`), Calls: []call{{}, {Do: "wait=1s"}}},
	{Name: "two faults together", Drawn: true, Times: 300, Connections: 4,
		HTTP:  toV1(`"fault": {"delay": {"fixedDelay": "0.002s", "percentage": {"value": 40}}, "abort": {"httpStatus": 503, "percentage": {"value": 30}}}`),
		Calls: paths("/")},
	{Name: "weights", Drawn: true, Times: 300, Connections: 4, HTTP: `{"route": [{"weight": 70, "destination": {"host": "$web", "subset": "v1"}}, {"weight": 30, "destination": {"host": "$web", "subset": "v2"}}]}`, Calls: paths("/")},
	{Name: "weights that do not come to 100", Drawn: true, Times: 300, Connections: 4, HTTP: `{"route": [{"weight": 1, "destination": {"host": "$web", "subset": "v1"}}, {"weight": 3, "destination": {"host": "$web", "subset": "v2"}}, {"weight": 0, "destination": {"host": "$web", "subset": "v9"}}]}`, Calls: paths("/")},
	{Name: "a share is mirrored", Drawn: true, Times: 300, Connections: 4, HTTP: toV1(`"mirror": {"host": "$web", "subset": "v2"}, "mirrorPercentage": {"value": 35}`), Calls: paths("/")},
	{Name: "a share of what is not aborted is mirrored", Drawn: true, Times: 300, Connections: 4,
		HTTP: toV1(`"mirror": {"host": "$web", "subset": "v2"}, "mirrorPercentage": {"value": 50}, "fault": {"abort": {"httpStatus": 503, "percentage": {"value": 50}}}`), Calls: paths("/")},
	{Name: "a timeout", HTTP: toV1(`"timeout": "0.3s"`), Calls: []call{{}, {Do: "wait=1s"}, {Method: "POST", Body: "x", Do: "wait=1s"}, {Headers: "X-Envoy-Upstream-Rq-Timeout-Ms:100", Do: "wait=1s"}, {Headers: "X-Envoy-Upstream-Rq-Timeout-Ms:3000", Do: "wait=600ms"}}},
	{Name: "a timeout that the caller asks for", NoSubsets: true, Versions: oneUp, Calls: []call{{Headers: "X-Envoy-Upstream-Rq-Timeout-Ms:200", Do: "wait=1s"}, {Headers: "X-Envoy-Upstream-Rq-Timeout-Ms:x"}}},
	{Name: "retries that the caller asks for", NoSubsets: true, Versions: oneUp, Calls: []call{{Headers: "X-Envoy-Retry-On:5xx X-Envoy-Max-Retries:2", Do: "status=503 times=2"}, {Headers: "X-Envoy-Max-Retries:0", Do: "status=503"}}},
	{Name: "retries on 5xx", HTTP: retrying(`"attempts": 2, "retryOn": "5xx"`), Calls: []call{{}, {Do: "status=503 times=1"}, {Do: "status=500 times=2"}, {Do: "status=503"}, {Do: "close times=1"}, {Do: "close"}, {Do: "status=404"}, {Method: "POST", Body: "a body", Do: "status=502 times=1"}, {Do: "garbage"}}},
	{Name: "retries on gateway errors", HTTP: retrying(`"attempts": 1, "retryOn": "gateway-error,retriable-4xx"`), Calls: []call{{Do: "status=500 times=1"}, {Do: "status=502 times=1"}, {Do: "status=504 times=1"}, {Do: "status=409 times=1"}, {Do: "status=404 times=1"}, {Do: "close times=1"}}},
	{Name: "retries on statuses", HTTP: retrying(`"attempts": 2, "retryOn": "418,503"`), Calls: []call{{Do: "status=418 times=1"}, {Do: "status=503"}, {Do: "status=500"}, {Do: "close times=1"}}},
	{Name: "retries on resets", HTTP: retrying(`"attempts": 2, "retryOn": "reset"`), Calls: []call{{Do: "close times=1"}, {Do: "status=503"}, {Do: "garbage times=1"}}},
	{Name: "retries before a request", HTTP: retrying(`"attempts": 2, "retryOn": "reset-before-request,connect-failure"`), Calls: []call{{Do: "close times=1"}, {}}},
	{Name: "retries of a refused connection", Versions: []string{"refuses"}, HTTP: retrying(`"attempts": 3, "retryOn": "connect-failure", "backoff": "5ms"`), Calls: paths("/", "/")},
	{Name: "retries without conditions", HTTP: retrying(`"attempts": 3`), Calls: []call{{Do: "status=503 times=1"}, {Do: "header=Grpc-Status:14 times=1"}, {Do: "header=Grpc-Status:14"}, {Do: "header=Grpc-Status:1 times=1"}, {Do: "header=Grpc-Status:13 times=1"}}},
	{Name: "no retries", Versions: []string{"refuses"}, HTTP: retrying(`"attempts": 0`), Calls: paths("/")},
	{Name: "attempts that take too long", HTTP: retrying(`"attempts": 2, "perTryTimeout": "0.2s", "retryOn": "5xx"`), Calls: []call{{}, {Do: "wait=1s times=1"}, {Do: "wait=1s"}}},
	{Name: "attempts that take too long, not retried", HTTP: retrying(`"attempts": 2, "perTryTimeout": "0.2s", "retryOn": "connect-failure"`), Calls: []call{{Do: "wait=1s times=1"}}},
	{Name: "attempts and a timeout", HTTP: toV1(`"timeout": "1.7s", "retries": {"attempts": 5, "perTryTimeout": "0.7s", "retryOn": "5xx", "backoff": "1ms"}`), Calls: []call{{Do: "wait=3s"}, {Do: "wait=3s times=1"}}},
	{Name: "a mirror", HTTP: toV1(`"mirror": {"host": "$web", "subset": "v2"}`), Calls: []call{{}, {Method: "POST", Body: "a body"}, {Method: "HEAD"}, {Do: "status=503"}, {Path: "/a?b=c", Headers: "X-Forwarded-For:203.0.113.7 X-Envoy-Internal:false"}, {Method: "PUT", Body: strings.Repeat("x", 70_000)}}},
	{Name: "a mirror of a delayed answer", HTTP: toV1(`"timeout": "0.3s", "mirror": {"host": "$web", "subset": "v2"}`), Calls: []call{{Do: "wait=1s"}, {}}},
	{Name: "a mirror and an abort", HTTP: toV1(`"mirror": {"host": "$web", "subset": "v2"}, "fault": {"abort": {"httpStatus": 503, "percentage": {"value": 100}}}`), Calls: paths("/", "/x")},
	{Name: "a mirror and retries", HTTP: toV1(`"mirror": {"host": "$web", "subset": "v2"}, "retries": {"attempts": 2, "retryOn": "5xx"}`), Calls: []call{{Do: "status=503"}, {}}},
	{Name: "a mirror, headers and a rewrite", HTTP: `{"match": [{"uri": {"prefix": "/old"}}], "rewrite": {"uri": "/new", "authority": "elsewhere"}, "mirror": {"host": "$web", "subset": "v2"}, "headers": {"request": {"set": {"a": "1"}, "remove": ["end-user"]}}, ` + v1 + `}`, Calls: []call{{Path: "/old/x"}, {Path: "/old", Headers: "end-user:jason a:2"}}},
	{Name: "a mirror that refuses", Versions: []string{"up", "refuses"}, HTTP: toV1(`"mirror": {"host": "$web", "subset": "v2"}`), Calls: paths("/", "/")},
	{Name: "a mirror without endpoints", HTTP: toV1(`"mirror": {"host": "$web", "subset": "v9"}`), Calls: paths("/")},
	{Name: "no endpoints but a mirror", HTTP: `{"mirror": {"host": "$web", "subset": "v2"}, "route": [{"destination": {"host": "$web", "subset": "v9"}}]}`, Calls: paths("/")},
	{Name: "two mirrors", HTTP: toV1(`"mirrors": [{"destination": {"host": "$web", "subset": "v2"}}, {"destination": {"host": "$web", "subset": "v1"}}]`), Calls: paths("/")},
	{Name: "headers", HTTP: `{"headers": {"request": {"set": {"a": "set", "x-forwarded-for": "198.51.100.1", "user-agent": "mine"}, "add": {"b": "added", "c": "added"}, "remove": ["d", "x-gone"]}, "response": {"set": {"r": "set"}, "add": {"s": "added", "r": "more"}, "remove": ["x-two", "x-envoy-upstream-service-time"]}}, "route": [{"destination": {"host": "$web", "subset": "v1"}, "headers": {"request": {"set": {"a": "of the destination", "e": "dest"}, "add": {"b": "dest"}, "remove": ["c"]}, "response": {"set": {"r": "dest"}, "add": {"t": "dest"}, "remove": ["x-one"]}}}]}`,
		Calls: []call{{}, {Headers: "a:1 b:2 c:3 d:4 e:5", Do: "header=X-One:1 header=X-Two:2 header=r:0 header=s:0 header=t:0"}, {Headers: "a:1 a:2 b:1 b:2", Do: "status=503"}}},
	{Name: "headers of weighted destinations", HTTP: `{"headers": {"request": {"set": {"a": "entry"}, "add": {"b": "entry"}}, "response": {"set": {"r": "entry"}, "add": {"s": "entry"}}}, "route": [{"weight": 100, "destination": {"host": "$web", "subset": "v1"}, "headers": {"request": {"set": {"a": "dest", "host": "of-dest"}, "add": {"b": "dest"}}, "response": {"set": {"r": "dest"}, "add": {"s": "dest"}}}}, {"weight": 0, "destination": {"host": "$web", "subset": "v2"}}]}`,
		Calls: []call{{}, {Headers: "a:1 b:2", Do: "header=r:0 header=s:0"}}},
	{Name: "headers on what the proxy answers", HTTP: `{"match": [{"uri": {"prefix": "/slow"}}], "timeout": "0.2s", "headers": {"response": {"set": {"r": "1"}, "add": {"s": "2"}, "remove": ["content-type"]}}, ` + v1 + `}, {"headers": {"response": {"set": {"r": "1"}, "remove": ["content-type", "content-length"]}}, "route": [{"destination": {"host": "$web", "subset": "v9"}}]}`, Calls: []call{{Path: "/slow", Do: "wait=1s"}, {}, {Method: "HEAD"}}},
	{Name: "the host set", HTTP: toV1(`"headers": {"request": {"set": {"host": "other.example.com", "x": "1"}}}`), Calls: paths("/")},
	{Name: "the authority set", HTTP: toV1(`"headers": {"request": {"set": {":authority": "other.example.com"}}}`), Calls: paths("/")},
	{Name: "the id removed", HTTP: toV1(`"headers": {"request": {"remove": ["x-envoy-attempt-count", "x-forwarded-proto"]}}`), Calls: paths("/")},
	{Name: "a rewritten prefix", HTTP: `{"match": [{"uri": {"prefix": "/old/"}}], "rewrite": {"uri": "/"}, ` + v1 + `}, {"match": [{"uri": {"prefix": "/b"}}], "rewrite": {"uri": "/c/d"}, ` + v1 + `}, {"match": [{"uri": {"exact": "/e"}}], "rewrite": {"uri": "/f"}, ` + v1 + `}, {"match": [{"uri": {"regex": "/g/.*"}}], "rewrite": {"uri": "/h"}, ` + v1 + `}, {"rewrite": {"uri": "/rest"}, ` + v1 + `}`,
		Calls: append(paths("/old/x", "/old/", "/old/x?y=z", "/old", "/b", "/bx", "/b/x?y", "/e", "/e?x=1", "/g/1", "/g/1?x", "/", "/zz?1", "/old//x"), call{Path: "/b", Headers: "X-Envoy-Original-Path:/mine"})},
	{Name: "a path rewritten by expression", HTTP: `{"match": [{"uri": {"prefix": "/v1"}}], "rewrite": {"uriRegexRewrite": {"match": "^/v1/([a-z]+)/(.*)$", "rewrite": "/\\2/\\1"}}, ` + v1 + `}`, Calls: paths("/v1/a/b", "/v1/a/b?c=d", "/v1", "/v1/9/b")},
	{Name: "a host rewritten", HTTP: toV1(`"rewrite": {"authority": "elsewhere.example.com"}`), Calls: []call{{}, {Headers: "X-Forwarded-Host:mine"}, {Headers: "X-Envoy-Original-Host:mine"}}},
	{Name: "a rewrite and an abort", HTTP: `{"match": [{"uri": {"prefix": "/old"}}], "rewrite": {"uri": "/new"}, "fault": {"abort": {"httpStatus": 500, "percentage": {"value": 100}}}, ` + v1 + `}`, Calls: paths("/old/x")},
	{Name: "a rewrite and no answer", Versions: []string{"refuses"}, HTTP: `{"match": [{"uri": {"prefix": "/old"}}], "rewrite": {"uri": "/new"}, ` + v1 + `}`, Calls: paths("/old/x")},
	{Name: "a redirected path", HTTP: `{"redirect": {"uri": "/new"}}`, Calls: append(paths("/", "/old?x=1"), call{Method: "POST", Body: "x"})},
	{Name: "a redirected path with a query", HTTP: `{"redirect": {"uri": "/new?y=2"}}`, Calls: paths("/", "/old?x=1")},
	{Name: "a redirected host", HTTP: `{"redirect": {"authority": "new.example.com", "redirectCode": 308}}`, Calls: paths("/", "/old?x=1")},
	{Name: "a redirected host and port", HTTP: `{"redirect": {"authority": "new.example.com:81", "uri": "/x", "redirectCode": 307}}`, Calls: paths("/old?x=1")},
	{Name: "a redirected scheme", HTTP: `{"redirect": {"scheme": "https"}}`, Calls: paths("/old?x=1")},
	{Name: "a redirected scheme and port", HTTP: `{"redirect": {"scheme": "https", "port": 443, "redirectCode": 302}}`, Calls: paths("/old?x=1")},
	{Name: "a redirected port", HTTP: `{"redirect": {"port": 80, "redirectCode": 303}}`, Calls: paths("/old?x=1")},
	{Name: "a redirect to the port that it came by", HTTP: `{"redirect": {"derivePort": "FROM_REQUEST_PORT", "authority": "x.example.com"}}`, Calls: paths("/")},
	{Name: "a redirect to the protocol's port", HTTP: `{"redirect": {"derivePort": "FROM_PROTOCOL_DEFAULT"}}`, Calls: paths("/")},
	{Name: "a redirected prefix", HTTP: `{"match": [{"uri": {"prefix": "/old"}}], "redirect": {"uri": "%PREFIX()%/x"}}, {"match": [{"uri": {"prefix": "/b"}}], "redirect": {"uri": "/c"}}`, Calls: paths("/old/y?z=1", "/b/y?z=1")},
	{Name: "entries for other callers", HTTP: `{"name": "other", "match": [{"sourceLabels": {"app": "other"}}], ` + v2 + `},
		{"name": "mine", "match": [{"sourceLabels": {"app": "client"}, "uri": {"prefix": "/mine"}}, {"sourceLabels": {"app": "other"}, "uri": {"prefix": "/either"}}], ` + v1 + `},
		{"name": "more", "match": [{"sourceLabels": {"app": "client", "version": "v1"}}], ` + v2 + `},
		{"name": "elsewhere", "match": [{"sourceNamespace": "elsewhere"}], ` + v2 + `},
		{"name": "here", "match": [{"sourceNamespace": "` + namespace + `", "uri": {"prefix": "/here"}}], ` + v1 + `}, {"name": "rest", ` + v2 + `}`,
		Calls: paths("/mine", "/either", "/here", "/")},
	{Name: "no entry for this caller", Versions: oneUp, HTTP: `{"name": "other", "match": [{"sourceLabels": {"app": "other"}}], "timeout": "0.1s", ` + v2 + `}`, Calls: []call{{}, {Do: "wait=300ms"}}},
	{Name: "a connection that does not come about", Versions: []string{"deaf"}, Policy: `"trafficPolicy": {"connectionPool": {"tcp": {"connectTimeout": "0.3s"}}}`, HTTP: retrying(`"attempts": 0`), Calls: []call{{AtLeast: 300 * time.Millisecond}, {Method: "HEAD", AtLeast: 300 * time.Millisecond}}},
	{Name: "retries of a connection that does not come about", Versions: []string{"deaf"}, Policy: `"trafficPolicy": {"connectionPool": {"tcp": {"connectTimeout": "0.3s"}}}`, HTTP: retrying(`"attempts": 2, "retryOn": "connect-failure", "backoff": "1ms"`), Calls: []call{{AtLeast: 900 * time.Millisecond}}},
	{Name: "a timeout before a connection comes about", Versions: []string{"deaf"}, HTTP: toV1(`"timeout": "0.4s"`), Calls: []call{{AtLeast: 400 * time.Millisecond}}},
	{Name: "a redirect and headers", HTTP: `{"redirect": {"uri": "/new"}, "headers": {"response": {"set": {"r": "1"}}}}`, Calls: paths("/")},
}
