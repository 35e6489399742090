//go:build e2e

package fidelity

// The parts that generated rules and calls are put together from, in JSON. A
// request has few paths and headers, so that rules meet. None draws: what becomes
// of a call must be certain. Pauses between attempts are short, since of a timeout
// the hosts are told what is left.

var someMatches = []string{
	``, ``, `"match": [{"uri": {"prefix": "/a"}}]`, `"match": [{"uri": {"exact": "/a/b"}}]`, `"match": [{"uri": {"regex": "/[ab].*"}}]`,
	`"match": [{"headers": {"user": {"exact": "jason"}}}]`, `"match": [{"headers": {"user": {}}, "uri": {"prefix": "/b"}}]`, `"match": [{"method": {"exact": "POST"}}, {"uri": {"exact": "/"}}]`,
	`"match": [{"uri": {"prefix": "/"}, "withoutHeaders": {"user": {"exact": "jason"}}}]`, `"match": [{"headers": {"user": {"regex": "j.*n"}}}]`, `"match": [{"port": 8000, "uri": {"prefix": "/a/"}}]`,
	`"match": [{"uri": {"prefix": "/A"}, "ignoreUriCase": true}]`, `"match": [{"uri": {"exact": "/A/B"}, "ignoreUriCase": true}, {"uri": {"exact": "/B"}}]`,
	`"match": [{"authority": {"prefix": "$web"}, "method": {"regex": "P.*"}}]`, `"match": [{"authority": {"exact": "other"}}]`, `"match": [{"withoutHeaders": {"user": {}}}]`,
	`"match": [{"withoutHeaders": {"x": {"prefix": "0"}, "user": {"regex": "o.*"}}}]`, `"match": [{"uri": {"regex": "/(a|b)(/b)?"}, "headers": {"x": {"prefix": ""}}}]`, `"match": [{"gateways": ["mesh"], "uri": {"prefix": "/b"}}]`,
	`"name": "named", "match": [{"name": "first", "uri": {"prefix": "/a"}}, {"name": "second", "method": {"prefix": "D"}}]`, `"match": [{"headers": {":method": {"exact": "PUT"}}}]`, `"match": [{"headers": {"User": {"exact": "jason"}, "X": {}}}]`,
	`"match": [{"sourceLabels": {"app": "client"}, "uri": {"prefix": "/a"}}]`, `"match": [{"sourceLabels": {"app": "other"}}, {"uri": {"exact": "/b"}}]`, `"match": [{"sourceNamespace": "` + namespace + `", "method": {"exact": "GET"}}]`,
}

var someFaults = []string{
	``, ``, ``, ``, `"fault": {"abort": {"httpStatus": 503, "percentage": {"value": 100}}}`, `"fault": {"abort": {"httpStatus": 404}}`, `"fault": {"delay": {"fixedDelay": "0.01s", "percentage": {"value": 100}}}`,
	`"fault": {"delay": {"fixedDelay": "0.01s", "percentage": {"value": 100}}, "abort": {"httpStatus": 418, "percentage": {"value": 100}}}`, `"fault": {"abort": {"httpStatus": 500, "percentage": {"value": 0}}}`, `"fault": {"delay": {"fixedDelay": "0.01s", "percent": 100}}`,
}

var someTimeouts = []string{``, ``, ``, `"timeout": "0.3s"`, `"timeout": "1.5s"`}

var someRetries = []string{
	``, ``, ``, `"retries": {"attempts": 2, "retryOn": "5xx", "backoff": "1ms"}`, `"retries": {"attempts": 0}`, `"retries": {"attempts": 1, "retryOn": "gateway-error,reset", "backoff": "1ms"}`,
	`"retries": {"attempts": 3, "retryOn": "404,409", "backoff": "1ms"}`, `"retries": {"attempts": 1, "backoff": "1ms"}`, `"retries": {"attempts": 2, "perTryTimeout": "0.2s", "retryOn": "5xx", "backoff": "1ms"}`,
	`"retries": {"attempts": 1, "perTryTimeout": "0.2s", "retryOn": "gateway-error", "backoff": "1ms"}`, `"retries": {"attempts": 2, "perTryTimeout": "0.2s", "backoff": "1ms"}`, `"retries": {"attempts": 2, "perTryTimeout": "0.3s", "retryOn": "reset", "backoff": "1ms"}`,
	`"retries": {"attempts": 2, "retryOn": "retriable-4xx,connect-failure,refused-stream", "backoff": "1ms"}`, `"retries": {"attempts": 1, "retryOn": "retriable-status-codes,503", "backoff": "1ms"}`,
	`"retries": {"attempts": 2, "retryOn": "reset-before-request,unavailable,cancelled,internal", "backoff": "1ms"}`, `"retries": {"attempts": 2, "retryOn": "5xx", "backoff": "1ms", "retryIgnorePreviousHosts": false}`,
}

var someHeaders = []string{
	``, ``, ``, `"headers": {"request": {"set": {"user": "other", "x": "1"}}}`, `"headers": {"request": {"add": {"user": "more"}, "remove": ["x"]}, "response": {"add": {"y": "2"}}}`,
	`"headers": {"response": {"set": {"y": "3"}, "remove": ["content-type"]}}`, `"headers": {"request": {"set": {"host": "other"}}}`, `"headers": {"request": {"set": {":authority": "other"}, "remove": ["user-agent"]}}`,
	`"headers": {"request": {"add": {"x-forwarded-for": "192.0.2.1"}}, "response": {"add": {"server": "mine"}, "set": {"content-type": "text/x"}}}`, `"headers": {"request": {"remove": ["x-envoy-attempt-count", "x-forwarded-proto"]}, "response": {"remove": ["y", "x-envoy-upstream-service-time", "location"]}}`,
	`"headers": {"request": {"set": {"x-envoy-original-path": "/mine", "x-envoy-original-host": "mine"}}}`,
}

var someRewrites = []string{
	``, ``, ``, `"rewrite": {"uri": "/new"}`, `"rewrite": {"authority": "elsewhere"}`, `"rewrite": {"uri": "/"}`, `"rewrite": {"uriRegexRewrite": {"match": "^/a(.*)$", "rewrite": "/z\\1"}}`,
	`"rewrite": {"uri": "/a/b?more=1", "authority": "elsewhere:8000"}`, `"rewrite": {"uriRegexRewrite": {"match": "/", "rewrite": "/x/"}}`,
}

var someMirrors = []string{
	``, ``, ``, ``, `"mirror": {"host": "$web", "subset": "v2"}`, `"mirror": {"host": "$web", "subset": "v1"}`, `"mirror": {"host": "$web", "subset": "v2"}, "mirrorPercentage": {"value": 0}`,
	`"mirrors": [{"destination": {"host": "$web", "subset": "v1"}}, {"destination": {"host": "$web", "subset": "v9"}, "percentage": {"value": 100}}]`, `"mirror": {"host": "$web", "subset": "v8"}`,
}

var someRoutes = []string{
	v1, v2, v1, v2, v1, `"route": [{"destination": {"host": "$web", "subset": "v9"}}]`, `"route": [{"destination": {"host": "$web", "subset": "v8"}}]`,
	`"route": [{"destination": {"host": "$web", "subset": "v1", "port": {"number": 8000}}, "headers": {"request": {"set": {"user": "of the destination"}, "remove": ["x"]}, "response": {"add": {"y": "of the destination"}}}}]`,
	`"route": [{"weight": 100, "destination": {"host": "$web", "subset": "v2"}, "headers": {"request": {"add": {"x": "2"}, "set": {"host": "third"}}, "response": {"set": {"y": "two"}}}}, {"weight": 0, "destination": {"host": "$web", "subset": "v1"}}]`,
	`"route": [{"weight": 0, "destination": {"host": "$web", "subset": "v8"}}, {"weight": 3, "destination": {"host": "$web.` + namespace + `.svc.cluster.local", "subset": "v1"}}]`,
	`"route": [{"destination": {"host": "nobody-has-this", "port": {"number": 8000}}}]`,
}

var redirects = []string{
	`"redirect": {"uri": "/new"}`, `"redirect": {"authority": "new.example.com", "redirectCode": 308}`, `"redirect": {"scheme": "https", "port": 8443}`, `"redirect": {"uri": "/new?with=query", "redirectCode": 302}`,
	`"redirect": {"derivePort": "FROM_PROTOCOL_DEFAULT", "scheme": "https"}`, `"redirect": {"derivePort": "FROM_REQUEST_PORT", "uri": "/"}`, `"redirect": {"authority": "new.example.com:8000", "port": 80}`, `"redirect": {"uri": "%PREFIX()%/more", "scheme": "http"}`,
}

// Of the DestinationRule. Calls come one after the other, so limits are met by
// copies and retries at the most.
var (
	somePools = []string{
		``, ``, ``, `"connectionPool": {"http": {"maxRequestsPerConnection": 1}}`, `"connectionPool": {"http": {"maxRequestsPerConnection": 3}}`,
		`"connectionPool": {"tcp": {"maxConnections": 1}, "http": {"http1MaxPendingRequests": 1}}`, `"connectionPool": {"tcp": {"connectTimeout": "2s"}, "http": {"maxRetries": 1}}`,
	}
	someEjections = []string{
		``, ``, ``, ``, `"outlierDetection": {"consecutive5xxErrors": 2, "interval": "60s", "baseEjectionTime": "60s", "maxEjectionPercent": 100}`, `"outlierDetection": {"consecutive5xxErrors": 1, "interval": "60s", "baseEjectionTime": "60s"}`,
		`"outlierDetection": {"consecutiveGatewayErrors": 2, "consecutive5xxErrors": 4, "interval": "60s", "baseEjectionTime": "60s", "maxEjectionPercent": 100}`,
		`"outlierDetection": {"consecutiveGatewayErrors": 1, "consecutive5xxErrors": 0, "interval": "60s", "baseEjectionTime": "60s", "maxEjectionPercent": 100}`,
	}
	someConnects = []string{``, ``, `"loadBalancer": {"simple": "ROUND_ROBIN"}`, `"loadBalancer": {"simple": "RANDOM"}`, `"loadBalancer": {"simple": "LEAST_REQUEST"}`}
)

var (
	somePaths          = []string{"/", "/a", "/a/b", "/ab?c=d", "/b", "/a/../b", "/c", "/A/b", "//a", "/a/b/?x=/../y", "/a%2Fb"}
	someRequestHeaders = []string{"", "", "user:jason", "user:other", "x:0", "x:0 user:jason", "user:jason user:other", "X-Forwarded-Proto:https x:1", "X-Envoy-Upstream-Rq-Timeout-Ms:100 x:"}
	someDeeds          = []string{
		"", "", "", "", "status=503", "status=503 times=1", "status=404", "status=409 times=1", "close times=1", "close", "garbage times=1", "header=y:0", "status=500 times=2", "status=502",
		"wait=500ms", "wait=500ms times=1", "status=302 header=Location:/elsewhere", "status=204", "status=503 header=X-Envoy-Ratelimited:true times=1", "header=X-Envoy-Overloaded:true status=503",
	}
)
