package lint

import "google.golang.org/protobuf/proto"

// policyWithoutEffect warns of blocks of a policy in which nothing is set. A 0 is
// nothing too.
func policyWithoutEffect(f *finder) {
	for path, p := range f.policies() {
		if p.balancer != nil && proto.Size(p.balancer) == 0 {
			f.warn(path+".loadBalancer", "the load balancer sets nothing, so it changes nothing; give it simple: with its name, or leave it out")
		}
		some := p.pool.GetHttp() != nil || p.pool.GetTcp() != nil // Istio refuses neither of the two
		if some && proto.Size(p.pool.Http) == 0 && proto.Size(p.pool.Tcp) == 0 {
			f.warn(path+".connectionPool", "the connection pool sets nothing, so it changes nothing; give it a limit of 1 or more, or leave it out")
		}
	}
}
