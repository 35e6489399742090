package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// vegeta is no package of Debian's.
const vegeta = "github.com/tsenart/vegeta/v12@v12.13.0"

// load is what a load generator is to drive.
type load struct {
	url         string
	connections int
	threads     int
	lasts       time.Duration // whole seconds, which is all that some take
	rate        int           // requests a second, as many for each connection; 0: as fast as the answers come
	timed       bool          // its p99 is to be told
	scratch     string        // a folder for what it writes
}

// requests is how many a load at a rate has.
func (l load) requests() string {
	return strconv.FormatInt(paced{lasts: l.lasts, rate: l.rate}.requests(), 10)
}

// ofEach is the rate of a connection.
func (l load) ofEach() string { return strconv.Itoa(l.rate / l.connections) }

// peer is a load generator.
type peer struct {
	name    string
	command func(load) *exec.Cmd                             // as fast as the answers come
	paced   func(load) *exec.Cmd                             // at the load's rate, unless closed
	p99     func(l load, said []byte) (time.Duration, error) // that it tells of the load of paced
	closed  bool                                             // it keeps no rate
	told    bool                                             // what it says is what drivers tell
}

// find returns those that can be had on this machine, and says which cannot and why.
func find(scratch string) (all []peer, left []string) {
	all = []peer{ours("meshchaos", "loadgen"), ours("fortio runner", "fortio")}
	for _, one := range []struct {
		peer
		program, from string
	}{
		{wrk(), "wrk", "Debian's wrk"}, {h2load(), "h2load", "Debian's nghttp2-client"}, {hey(), "hey", "Debian's hey"},
	} {
		if _, err := exec.LookPath(one.program); err != nil {
			left = append(left, fmt.Sprintf("%s is not installed: it is in %s", one.name, one.from))
			continue
		}
		all = append(all, one.peer)
	}
	program, err := installVegeta(scratch)
	if err != nil {
		return all, append(left, fmt.Sprintf("vegeta cannot be built: %v", err))
	}
	return append(all, vegetaAt(program)), left
}

// ours is a driver in a process of this program.
func ours(name, driver string) peer {
	command := func(l load) *exec.Cmd {
		return exec.Command(os.Args[0], driveCommand, driver, l.url, strconv.Itoa(l.connections), l.lasts.String(), strconv.Itoa(l.rate))
	}
	return peer{
		name:    name,
		command: command,
		paced:   command,
		p99: func(_ load, said []byte) (time.Duration, error) {
			t, err := toldOf(said)
			return t.P99, err
		},
		told: true,
	}
}

func wrk() peer {
	args := func(l load, more ...string) *exec.Cmd {
		return exec.Command("wrk", append(more, "-t", strconv.Itoa(l.threads), "-c", strconv.Itoa(l.connections), "-d", l.lasts.String(), l.url)...)
	}
	return peer{
		name:    "wrk",
		command: func(l load) *exec.Cmd { return args(l) },
		paced:   func(l load) *exec.Cmd { return args(l, "--latency") },
		p99:     func(_ load, said []byte) (time.Duration, error) { return match(`99%\s+([\d.]+(?:us|ms|s))`, "", said) },
		closed:  true,
	}
}

func h2load() peer {
	log := func(l load) string { return filepath.Join(l.scratch, "h2load.log") }
	return peer{
		name: "h2load",
		command: func(l load) *exec.Cmd {
			return exec.Command("h2load", "--h1", "-t", strconv.Itoa(l.threads), "-c", strconv.Itoa(l.connections), "-D", strconv.Itoa(int(l.lasts.Seconds())), l.url)
		},
		paced: func(l load) *exec.Cmd {
			args := []string{"--h1", "-t", strconv.Itoa(l.threads), "-c", strconv.Itoa(l.connections), "-n", l.requests(), "--rps", l.ofEach(), l.url}
			if l.timed {
				_ = os.Remove(log(l)) // it would be added to
				args = append(args, "--log-file", log(l))
			}
			return exec.Command("h2load", args...)
		},
		p99: func(l load, _ []byte) (time.Duration, error) {
			text, err := os.ReadFile(log(l))
			if err != nil {
				return 0, err
			}
			return p99OfLog(text)
		},
	}
}

// p99OfLog is that of what h2load has written: a line for each request, with its begin,
// its status and how long it took, in microseconds.
func p99OfLog(text []byte) (time.Duration, error) {
	var all []time.Duration
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 3 {
			return 0, fmt.Errorf("%q is no line of h2load's", lines.Text())
		}
		micros, err := strconv.ParseInt(fields[2], 10, 64)
		if err != nil {
			return 0, err
		}
		all = append(all, time.Duration(micros)*time.Microsecond)
	}
	if len(all) == 0 {
		return 0, errors.New("h2load has logged no request")
	}
	slices.Sort(all)
	return all[int(math.Ceil(0.99*float64(len(all))))-1], nil
}

func hey() peer {
	return peer{
		name: "hey",
		command: func(l load) *exec.Cmd {
			return exec.Command("hey", "-c", strconv.Itoa(l.connections), "-z", l.lasts.String(), l.url)
		},
		paced: func(l load) *exec.Cmd {
			return exec.Command("hey", "-c", strconv.Itoa(l.connections), "-q", l.ofEach(), "-n", l.requests(), l.url)
		},
		p99: func(_ load, said []byte) (time.Duration, error) { return match(`99%%? in ([\d.]+) secs`, "s", said) },
	}
}

// match is the time that an expression finds, with its unit.
func match(pattern, unit string, said []byte) (time.Duration, error) {
	found := regexp.MustCompile(pattern).FindSubmatch(said)
	if found == nil {
		return 0, fmt.Errorf("nothing is like %s in %s", pattern, said)
	}
	return time.ParseDuration(string(found[1]) + unit)
}

// installVegeta has Go build it, unless it is there.
func installVegeta(scratch string) (program string, err error) {
	if program, err := exec.LookPath("vegeta"); err == nil {
		return program, nil
	}
	build := exec.Command("go", "install", vegeta)
	build.Env = append(os.Environ(), "GOBIN="+scratch)
	if said, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, said)
	}
	return filepath.Join(scratch, "vegeta"), nil
}

func vegetaAt(program string) peer {
	results := func(l load) string { return filepath.Join(l.scratch, "vegeta.bin") }
	attack := func(l load, args ...string) *exec.Cmd {
		n := strconv.Itoa(l.connections)
		// It would keep the bodies of all answers otherwise.
		args = append([]string{"attack", "-workers", n, "-max-workers", n, "-connections", n, "-max-body", "0", "-output", results(l)}, args...)
		cmd := exec.Command(program, args...)
		cmd.Stdin = strings.NewReader("GET " + l.url + "\n")
		return cmd
	}
	return peer{
		name:    "vegeta",
		command: func(l load) *exec.Cmd { return attack(l, "-rate", "0", "-duration", l.lasts.String()) },
		paced:   func(l load) *exec.Cmd { return attack(l, "-rate", strconv.Itoa(l.rate), "-duration", l.lasts.String()) },
		p99: func(l load, _ []byte) (time.Duration, error) {
			said, err := exec.Command(program, "report", "-type", "json", results(l)).Output()
			var report struct {
				Latencies struct {
					P99 time.Duration `json:"99th"`
				} `json:"latencies"`
			}
			if err == nil {
				err = json.Unmarshal(said, &report)
			}
			return report.Latencies.P99, err
		},
	}
}
