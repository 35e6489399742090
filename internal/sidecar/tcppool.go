package sidecar

import (
	"net/http"
	"sync"
)

// tcpPool holds the TCP connections of one worker to one host, each of which is for
// one connection that came. It counts them as Envoy does (source/common/tcp_proxy,
// source/common/conn_pool): the proxy asks whether there is room, and then the pool
// does, so that two workers can both be let in.
//
// Its fields are guarded by the worker's lock.
type tcpPool struct {
	worker  *sync.Mutex
	cluster *cluster
	host    *host

	open  int       // or being made
	ended sync.Cond // one of them has
}

func newTCPPool(worker *sync.Mutex, c *cluster, h *host) *tcpPool {
	return &tcpPool{worker: worker, cluster: c, host: h, ended: sync.Cond{L: worker}}
}

// newTCP finds the pool for a connection, which then is to be made, or says why there
// is none.
func (c *cluster) newTCP(worker int) (*tcpPool, *unconnectedTCP) {
	c.workers[worker].Lock()
	defer c.workers[worker].Unlock()
	if !c.connections.canCreate() {
		c.stats.cxOverflow.add(1)
		return nil, &unconnectedTCP{flag: "UO"}
	}
	h := c.choose(choice{worker: worker})
	if h == nil {
		return nil, &unconnectedTCP{flag: "UH"}
	}
	if !c.pending.canCreate() {
		c.stats.rqPendingOverflow.add(1)
		return nil, &unconnectedTCP{flag: "URX"} // Its one attempt is over.
	}
	c.pending.inc()
	c.stats.rqPendingTotal.add(1)
	c.stats.rqPendingActive.add(1)
	h.tcp[worker].create()
	return h.tcp[worker], nil
}

// create counts a connection that is being made. Where the other worker has taken the
// room since, a pool that has one waits for its end, and one that has none gets one
// beyond the limit; each time it asks is an overflow. The worker is locked.
func (p *tcpPool) create() {
	for !p.cluster.connections.canCreate() {
		p.cluster.stats.cxOverflow.add(1)
		if p.open == 0 {
			break
		}
		p.ended.Wait()
	}
	p.open++
	p.cluster.connections.inc()
	p.cluster.stats.cxTotal.add(1)
	p.cluster.stats.cxActive.add(1)
	p.host.cxTotal.Add(1)
	p.host.cxActive.Add(1)
}

// connected counts a connection that was made.
func (p *tcpPool) connected() {
	p.waited()
	p.cluster.report(p.host, http.StatusOK)
	p.cluster.stats.rqTotal.add(1)
	p.cluster.stats.rqActive.add(1)
	p.host.rqTotal.Add(1)
	p.host.rqActive.Add(1)
}

// failed counts one that could not be made.
func (p *tcpPool) failed(why *connectError) {
	p.waited()
	c := p.cluster
	c.stats.rqPendingFailure.add(1)
	c.stats.cxConnectFail.add(1)
	p.host.cxConnectFail.Add(1)
	c.report(p.host, http.StatusServiceUnavailable)
	if why.timedOut {
		c.stats.cxConnectTimeout.add(1)
		p.forget(byProxy)
		return
	}
	p.forget(byHost) // Envoy takes who refuses for one who closes.
}

func (p *tcpPool) waited() {
	p.cluster.pending.dec()
	p.cluster.stats.rqPendingActive.add(-1)
}

// end counts the end of a connection that was made.
func (p *tcpPool) end(by end) {
	p.cluster.stats.rqActive.add(-1)
	p.host.rqActive.Add(-1)
	p.forget(by)
}

func (p *tcpPool) forget(by end) {
	p.worker.Lock()
	defer p.worker.Unlock()
	p.open--
	p.cluster.connections.dec()
	p.cluster.stats.cxDestroy.add(1)
	if by == byHost {
		p.cluster.stats.cxDestroyRemote.add(1)
	} else {
		p.cluster.stats.cxDestroyLocal.add(1)
	}
	p.cluster.stats.cxActive.add(-1)
	p.host.cxActive.Add(-1)
	p.ended.Signal()
}
