package lint

import networking "istio.io/api/networking/v1alpha3"

// poolThatQueues warns of a connection pool of HTTP that limits connections alone:
// requests beyond them wait, without a limit, and none is turned away
// (istio/istio#37009, #42484). Over HTTP/2 a connection carries any number.
func poolThatQueues(f *finder) {
	for path, p := range f.policies() {
		http := p.pool.GetHttp()
		limited := http.GetHttp1MaxPendingRequests() > 0 || http.GetHttp2MaxRequests() > 0
		upgraded := http.GetH2UpgradePolicy() == networking.ConnectionPoolSettings_HTTPSettings_UPGRADE
		if p.pool.GetTcp().GetMaxConnections() > 0 && http != nil && !limited && !upgraded {
			f.warn(path+".connectionPool.tcp.maxConnections", "maxConnections alone turns no request away: what exceeds it waits, without a limit (istio/istio#37009); add http1MaxPendingRequests, 1 or more")
		}
	}
}
