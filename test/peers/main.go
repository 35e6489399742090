// Command peers holds the load generator beside those that people use: fortio's runner,
// wrk, h2load, hey and vegeta. All of them drive the same raw server, which is a process of
// its own, in turns, so that what else the machine does befalls each. What a request costs
// is the CPU time of the client's process by the requests that the server has answered, for
// whatever the client says itself. At half of the rate that each has reached it is watched
// how late requests come to the server, which is as busy then with one as with another.
// Then each meets a server that stalls for a second.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"time"
)

// The commands by which this program runs itself.
const (
	serveCommand = "serve"
	driveCommand = "drive"
)

// sizes are those of the bodies, in bytes, and counts those of the connections.
var (
	sizes  = []int{100, 10_000, 1_000_000}
	counts = []int{1, 16, 256}
)

// connectionsOfAThread is for how many connections the load generator takes another loop,
// and those that have threads are given one.
const connectionsOfAThread = 128

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	switch {
	case len(args) > 0 && args[0] == serveCommand:
		return serve(os.Stdin, out)
	case len(args) > 0 && args[0] == driveCommand:
		return drive(out, args[1:])
	}
	flags := flag.NewFlagSet("peers", flag.ContinueOnError)
	rounds := flags.Int("rounds", 5, "how often each drives each load")
	lasts := flags.Duration("duration", 2*time.Second, "for how long, in whole seconds: the longer, the less does it count what a process takes to start")
	connections := flags.Int("c", 0, fmt.Sprintf("how many connections alone (default: each of %v)", counts))
	size := flags.Int("size", 0, fmt.Sprintf("of bodies of how many bytes alone (default: each of %v)", sizes))
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *rounds < 1 || *lasts < time.Second || *lasts%time.Second != 0 {
		return errors.New("a load is driven at least once, and for whole seconds, which is all that some of the peers take")
	}
	if *connections < 0 || *size != 0 && !slices.Contains(sizes, *size) {
		return fmt.Errorf("bodies are of %v bytes, and connections at least 1", sizes)
	}
	return compare(out, *rounds, *lasts, only(*connections, counts), only(*size, sizes))
}

// only is the one that was asked for, or 0 for all.
func only(one int, all []int) []int {
	if one == 0 {
		return all
	}
	return []int{one}
}

// compare prints the tables.
func compare(out io.Writer, rounds int, lasts time.Duration, counts, sizes []int) error {
	scratch, err := os.MkdirTemp("", "peers-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	peers, left := find(scratch)
	for _, why := range left {
		fmt.Fprintf(out, "left out: %s\n", why)
	}
	at, err := startServer()
	if err != nil {
		return err
	}
	defer func() { _ = at.stop() }()
	for _, connections := range counts {
		for _, size := range sizes {
			l := load{
				url: at.url + "/" + strconv.Itoa(size), connections: connections, lasts: lasts, scratch: scratch,
				threads: min((connections+connectionsOfAThread-1)/connectionsOfAThread, connections),
			}
			before := machineLoad()
			all := inTurns(at, peers, l, rounds)
			if all[0].failed != nil {
				return all[0].failed
			}
			printCosts(out, all, l, size, before)
			if size == slices.Min(sizes) {
				watchHalf(at, peers, all, l)
				printLates(out, all)
			}
		}
	}
	return meetStall(out, at, peers, scratch)
}

// cost is what one round came to.
type cost struct {
	cpu    float64 // µs a request, of the client
	rate   float64 // requests a second
	allocs float64 // a request
}

// late is how late requests were at half of the rate that a peer has reached.
type late struct {
	atServer time.Duration // p99, by a schedule of even distances
	own      time.Duration // p99, by when the client knows that it began
}

// row is what the rounds of a peer came to.
type row struct {
	name     string
	told     bool // allocs are known
	costs    []cost
	half     int // requests a second
	lates    []late
	ownKnown bool  // of lates
	failed   error // what ended them
}

// inTurns has each peer drive a load once a round, and another be the first in each.
func inTurns(at *server, peers []peer, l load, rounds int) []row {
	rows := make([]row, len(peers))
	for round := range rounds {
		for i := range peers {
			i = (i + round) % len(peers)
			rows[i].name, rows[i].told = peers[i].name, peers[i].told
			if rows[i].failed != nil {
				continue
			}
			one, err := measure(at, peers[i], l)
			if err != nil {
				rows[i].failed = fmt.Errorf("%s, %d connections to %s: %w", peers[i].name, l.connections, l.url, err)
				continue
			}
			rows[i].costs = append(rows[i].costs, one)
		}
	}
	return rows
}

// measure runs a client and reckons what a request has cost it.
func measure(at *server, by peer, l load) (cost, error) {
	cmd := by.command(l)
	before, err := at.order(orderCount)
	if err != nil {
		return cost{}, err
	}
	began := time.Now()
	said, err := output(cmd)
	if err != nil {
		return cost{}, err
	}
	took := time.Since(began)
	after, err := at.order(orderCount)
	if err != nil {
		return cost{}, err
	}
	n := float64(after - before)
	if n == 0 {
		return cost{}, errors.New("the server has answered nothing")
	}
	used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	all := cost{cpu: float64(used.Nanoseconds()) / 1e3 / n, rate: n / took.Seconds()}
	if by.told {
		t, err := toldOf(said)
		if err != nil {
			return cost{}, err
		}
		all.allocs = t.Allocs
	}
	return all, nil
}

// watchHalf has each peer that keeps a rate drive half of what it has reached, as often and
// in turns, and notes how late the requests came to the server.
func watchHalf(at *server, peers []peer, rows []row, l load) {
	for i := range rows {
		rows[i].half = int(median(of(rows[i].costs, perSecond))) / 2 / l.connections * l.connections
	}
	for round := range rows[0].costs {
		for i := range peers {
			i = (i + round) % len(peers)
			r := &rows[i]
			if r.failed != nil || peers[i].closed || r.half == 0 {
				continue
			}
			half := l
			half.rate = r.half
			one, known, err := measureLate(at, peers[i], half)
			if err != nil {
				r.failed = fmt.Errorf("%s, %d connections, %d requests a second: %w", r.name, l.connections, r.half, err)
				continue
			}
			r.lates, r.ownKnown = append(r.lates, one), known
		}
	}
}

// measureLate runs a client at a rate. The second result is whether it knows itself how late
// it was.
func measureLate(at *server, by peer, l load) (one late, known bool, err error) {
	if _, err := at.order(orderWatch); err != nil {
		return late{}, false, err
	}
	said, err := output(by.paced(l))
	if err != nil {
		return late{}, false, err
	}
	p99, err := at.order(orderLate + strconv.Itoa(l.rate))
	if err != nil {
		return late{}, false, err
	}
	one.atServer = time.Duration(p99)
	if by.told {
		t, err := toldOf(said)
		if err != nil {
			return late{}, false, err
		}
		if t.Lag != nil {
			one.own, known = *t.Lag, true
		}
	}
	return one, known, nil
}

// output is what a client says; what it complains of is in the error.
func output(cmd *exec.Cmd) ([]byte, error) {
	var said, complained bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &complained
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%v: %w: %s%s", cmd.Args, err, said.Bytes(), complained.Bytes())
	}
	return said.Bytes(), nil
}

// least is the p99 of 200 requests, 100 a second, of which one is stalled for a second, by
// when each was due.
const least = 890 * time.Millisecond

// meetStall says what each tells of a server that stalls, and fails if this project's load
// generator does not tell it.
func meetStall(out io.Writer, at *server, peers []peer, scratch string) error {
	fmt.Fprintf(out, "\n%d requests, 100 a second on one connection, of a server that stalls for %v: a p99 of at least %v\n", 2*beforeStall, stall, least)
	l := load{url: at.url + "/" + strconv.Itoa(slices.Min(sizes)), connections: 1, threads: 1, rate: 100, lasts: 2 * beforeStall * time.Second / 100, timed: true, scratch: scratch}
	for i, one := range peers {
		if _, err := at.order(orderStall); err != nil {
			return err
		}
		said, err := output(one.paced(l))
		if err != nil {
			return err
		}
		p99, err := one.p99(l, said)
		if err != nil {
			return fmt.Errorf("reading what %s says: %w", one.name, err)
		}
		note := ""
		if one.closed {
			note = fmt.Sprintf(" (it keeps no rate: of all that it has sent in %v)", l.lasts)
		}
		fmt.Fprintf(out, "%-14s p99 %8s%s\n", one.name, p99.Round(10*time.Microsecond), note)
		if i == 0 && p99 < least {
			return fmt.Errorf("%s tells a p99 of %v, and the stall is not in it", one.name, p99)
		}
	}
	return nil
}
