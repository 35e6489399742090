//go:build e2e

package fidelity

import (
	"bufio"
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// hold is what a call of TCP does that keeps its connection until all are made.
const hold = "hold"

// streamTo is a tcp entry that leads to a subset.
func streamTo(subset string) string {
	return `{"route": [{"destination": {"host": "$web", "subset": "` + subset + `"}}]}`
}

// streams are cases of TCP.
var streams = []comparison{
	{Name: "TCP without rules", Opaque: true, NoSubsets: true, Versions: oneUp, Calls: []call{{Body: "a\nb\n"}, {Body: strings.Repeat("a line\n", 5_000)}, {}}},
	{Name: "TCP to a subset", Opaque: true, TCP: streamTo("v2"), Calls: []call{{Body: "a\n"}, {Body: "b\n"}}},
	{Name: "TCP by weights", Opaque: true, Drawn: true, Times: 300, Calls: []call{{Body: "a\n"}},
		TCP: `{"route": [{"destination": {"host": "$web", "subset": "v1"}, "weight": 80}, {"destination": {"host": "$web", "subset": "v2"}, "weight": 20}]}`},
	{Name: "TCP by port", Opaque: true, Calls: []call{{Body: "a\n"}}, TCP: `{"match": [{"port": 8001}], "route": [{"destination": {"host": "$web", "subset": "v1"}}]},
		{"match": [{"port": 8000}], "route": [{"destination": {"host": "$web", "subset": "v2"}}]}`},
	{Name: "TCP refused", Opaque: true, NoSubsets: true, Versions: []string{"refuses"}, Calls: []call{{Body: "a\n"}, {Body: "b\n"}}},
	{Name: "TCP that is not taken in time", Opaque: true, Versions: []string{"deaf"}, TCP: streamTo("v1"), Policy: `"trafficPolicy": {"connectionPool": {"tcp": {"connectTimeout": "0.3s"}}}`, Calls: []call{{Body: "a\n"}}},
	{Name: "TCP without endpoints", Opaque: true, NoSubsets: true, Versions: []string{"none"}, Calls: []call{{Body: "a\n"}}},
	{Name: "TCP to a subset without endpoints", Opaque: true, TCP: streamTo("v9"), Calls: []call{{Body: "a\n"}}},
	{Name: "TCP to a missing subset", Opaque: true, TCP: streamTo("missing"), Calls: []call{{Body: "a\n"}}},
	{Name: "TCP, maxConnections: 1", Opaque: true, TCP: streamTo("v1"), Policy: `"trafficPolicy": {"connectionPool": {"tcp": {"maxConnections": 1}}}`,
		Calls: []call{{Body: "a\n", Do: hold}, {Body: "b\n"}, {Body: "c\n"}}},
	{Name: "TCP, maxConnections: 2", Opaque: true, TCP: streamTo("v1"), Policy: `"trafficPolicy": {"connectionPool": {"tcp": {"maxConnections": 2}}}`,
		Calls: []call{{Body: "a\n", Do: hold}, {Body: "b\n", Do: hold}, {Body: "c\n"}, {Body: "d\n"}}},
	{Name: "TCP, http1MaxPendingRequests: 1", Opaque: true, Versions: []string{"deaf"}, TCP: streamTo("v1"),
		Policy: `"trafficPolicy": {"connectionPool": {"tcp": {"connectTimeout": "1s"}, "http": {"http1MaxPendingRequests": 1}}}`,
		Calls:  []call{{Body: "a\n", Do: hold}, {Body: "b\n", Before: 300 * time.Millisecond}}},
}

// virtualIP is the address of a service of TCP, of which a proxy has a listener each.
func (tr *trial) virtualIP() string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(tr.service)) // It has no error.
	return fmt.Sprintf("240.241.%d.%d", byte(h.Sum32()>>8), byte(h.Sum32())|1)
}

// through is where calls enter the real proxy.
func (tr *trial) through() string {
	if tr.Opaque {
		return net.JoinHostPort(tr.virtualIP(), "8000")
	}
	return anyService
}

// driveStreams makes the connections of a case on one side, one after the other. Those
// that are held end when all are made.
func (tr *trial) driveStreams(t testing.TB, side int, dial dialer) {
	calls := tr.calls()
	type held struct {
		net.Conn
		n    int
		text string
	}
	var open []held
	for n, c := range calls {
		<-time.After(c.Before)
		conn, err := dial(context.Background(), "tcp", net.JoinHostPort(tr.service, "8000"))
		if err != nil {
			t.Errorf("%s: %v", tr.Name, err)
			return
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, c.Body); err != nil {
			continue // It was cut, and the answer says so.
		}
		if c.Do != hold {
			tr.outcomes[side][n] = finish(conn, "")
			continue
		}
		text := ""
		if tr.versions()[0] != "deaf" {
			text, _ = bufio.NewReader(conn).ReadString('\n') // One that was cut has no answer.
		}
		open = append(open, held{conn, n, text})
	}
	for _, h := range open {
		tr.outcomes[side][h.n] = finish(h.Conn, h.text)
	}
}

// readStreams takes the lines of a case of TCP from a log. Nothing in one tells which
// connection it is of: the kernel may change the port that one comes from where
// iptables lead it to the proxy. So they are compared in their order as words.
func (tr *trial) readStreams(side int, lines map[string]string) error {
	var all []string
	for id, line := range lines {
		if id == line && (side == embeddedSide || strings.Contains(line, " "+tr.through()+" ")) {
			all = append(all, tr.inWords(side, line))
		}
	}
	if len(all) < len(tr.outcomes[side]) {
		return fmt.Errorf("the log has %d lines of the %d connections of %q", len(all), len(tr.outcomes[side]), tr.Name)
	}
	slices.Sort(all)
	for n := range tr.outcomes[side] {
		tr.outcomes[side][n].log = all[n]
	}
	return nil
}

// finish ends a connection and reads what is left of its answer.
func finish(conn net.Conn, text string) outcome {
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second)) // It fails only where the reading does.
	_ = conn.(interface{ CloseWrite() error }).CloseWrite()    // One that was cut needs none.
	rest, _ := io.ReadAll(conn)                                // It may be cut by a reset.
	return outcome{status: "TCP", body: text + string(rest)}
}

// awaitEnded returns the counters when all connections of a trial have ended on both
// sides.
func (c *cluster) awaitEnded(t testing.TB, tr *trial) (all map[string]int64) {
	t.Helper()
	await(t, "the connections of "+tr.Name+" have ended", 30*time.Second, func() (err error) {
		if all, err = c.allStats(context.Background()); err != nil {
			return err
		}
		for side, counts := range [2]map[string]int64{envoySide: tr.ours(all), embeddedSide: tr.embeddedStats()} {
			for name, made := range counts {
				cluster, isTotal := strings.CutSuffix(name, " upstream_cx_total")
				if ended := counts[cluster+" upstream_cx_destroy"]; isTotal && ended < made {
					return fmt.Errorf("side %d: %d of %d of %s have", side, ended, made, cluster)
				}
			}
		}
		return nil
	})
	return all
}

// echoing is a workload of TCP: it says its version and what it reads, line by line.
func echoing(t testing.TB, ip, version string) *workload {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for lines := bufio.NewScanner(conn); lines.Scan(); {
					fmt.Fprintf(conn, "%s %s\n", version, lines.Text())
				}
			}()
		}
	}()
	return &workload{version: version, address: l.Addr().String()}
}
