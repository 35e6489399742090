package evidence

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
)

// Log is what the proxies' access logs say of a window. It is followed while
// the window lasts, and counted as it comes: of the lines themselves only those
// of some requests are kept, for Calls.
type Log struct {
	proxies []*proxyLog
	calls   *calls
	end     context.CancelFunc
	reading sync.WaitGroup
	parted  atomic.Bool // with the load workload
	until   atomic.Pointer[time.Time]
}

// Follow begins to follow the access logs of proxies, from now on; when it
// returns, whatever is logged from then on is read. delay is how late a line may
// be written. Where a log cannot be followed, or is no evidence, the Log says
// why; there is no other error. The end of ctx ends the opening alone, and the
// following goes on until Close, which must be called.
func (l *Logging) Follow(ctx context.Context, proxies []mesh.Proxy, services []mesh.Service, delay time.Duration) *Log {
	following, end := context.WithCancel(context.WithoutCancel(ctx))
	opened := context.AfterFunc(ctx, end)
	defer opened()
	log := &Log{calls: newCalls(), end: end}
	since := time.Now()
	for _, proxy := range proxies {
		log.proxies = append(log.proxies, newProxyLog(proxy, delay, services...))
	}
	var opening errgroup.Group
	opening.SetLimit(readers)
	for _, p := range log.proxies {
		opening.Go(func() error {
			formats, err := l.formats(following, p.proxy, services)
			if err != nil {
				p.fail(err)
				return nil
			}
			log.open(following, p, formats, since)
			return nil
		})
	}
	_ = opening.Wait() // each log keeps its own error
	return log
}

// Part tells that the load workload may go from now on: an end of its log is the
// last that it had to say, and nothing that is missing.
func (l *Log) Part() { l.parted.Store(true) }

// Until tells when the window is over, by the clock of the mesh: requests that began from
// then on do not count, nor do their calls.
func (l *Log) Until(then time.Time) {
	then = then.Truncate(time.Millisecond) // as lines have it
	l.until.Store(&then)
}

// Close ends the following. What was counted stays.
func (l *Log) Close() {
	l.end()
	l.reading.Wait()
}

// open begins to follow the log of a proxy.
func (l *Log) open(ctx context.Context, p *proxyLog, formats []*envoy.LogReader, since time.Time) {
	lines, err := p.proxy.Log(ctx, since)
	if err != nil {
		p.fail(err)
		return
	}
	l.reading.Go(func() {
		defer lines.Close()
		closed := context.AfterFunc(ctx, func() { lines.Close() })
		defer closed()
		err := l.read(p, lines, formats)
		if gone := p.proxy.Client && l.parted.Load() && errors.Is(err, io.ErrUnexpectedEOF); err != nil && ctx.Err() == nil && !gone {
			p.fail(err)
		}
	})
}

// formats returns the readers of the formats that a proxy's listeners for the
// services log in. A listener that logs nowhere, elsewhere or only some requests
// makes the log no evidence.
func (l *Logging) formats(ctx context.Context, proxy mesh.Proxy, services []mesh.Service) ([]*envoy.LogReader, error) {
	logs, err := l.of(ctx, proxy, services)
	if err != nil {
		return nil, err
	}
	if proxy.Log == nil {
		return nil, errors.New("this mesh gives no access to it")
	}
	var all []*envoy.LogReader
	var known []envoy.LogFormat
	for _, log := range logs {
		switch {
		case log.Path == "":
			return nil, fmt.Errorf("its listener %s writes none; switch it on by accessLogFile in the mesh's configuration or by a Telemetry object", log.Listener)
		case log.Path != envoy.Stdout:
			return nil, fmt.Errorf("its listener %s writes it to %s, where it cannot be read; take %s", log.Listener, log.Path, envoy.Stdout)
		case log.Filtered:
			return nil, fmt.Errorf("its listener %s leaves some requests out by a filter", log.Listener)
		case log.Copies > 1:
			return nil, fmt.Errorf("its listener %s writes %d lines of each request to %s; let one provider of access logs write there", log.Listener, log.Copies, envoy.Stdout)
		case slices.ContainsFunc(known, func(f envoy.LogFormat) bool { return sameFormat(f, log.Format) }):
			continue
		}
		reader, err := envoy.NewLogReader(log.Format)
		if err != nil {
			return nil, err
		}
		all, known = append(all, reader), append(known, log.Format)
	}
	return all, nil
}

func sameFormat(a, b envoy.LogFormat) bool {
	return a.Text == b.Text && maps.Equal(a.JSON, b.JSON)
}

// listenersOf is an expression for the names of the listeners through which a
// proxy calls the services: address_port. The ingress gateway has few, which
// are all its own.
func listenersOf(proxy mesh.Proxy, services []mesh.Service) string {
	if proxy.Gateway {
		return ""
	}
	var ports []string
	for _, s := range services {
		for _, port := range s.Ports {
			if text := strconv.Itoa(port.Number); !slices.Contains(ports, text) {
				ports = append(ports, text)
			}
		}
	}
	return ".*_(" + strings.Join(ports, "|") + ")"
}

// maxLine bounds a line: Envoy's headers are at most 60 KiB by default.
const maxLine = 256 << 10

// read counts lines until the log ends.
func (l *Log) read(p *proxyLog, lines io.Reader, formats []*envoy.LogReader) error {
	scanner := bufio.NewScanner(lines)
	scanner.Buffer(make([]byte, 0, 16<<10), maxLine)
	for scanner.Scan() {
		entry, ours, err := readLine(formats, scanner.Bytes())
		if err != nil && ours {
			return err
		}
		if until := l.until.Load(); !ours || until != nil && !entry.Started.Before(*until) {
			continue
		}
		p.add(entry)
		if !strings.HasPrefix(entry.Cluster, envoy.Inbound+"|") {
			l.calls.add(p.proxy, entry)
		}
	}
	if err := scanner.Err(); err != nil {
		return err
	}
	return io.ErrUnexpectedEOF
}

// readLine reads a line in the first format that fits.
func readLine(formats []*envoy.LogReader, line []byte) (entry envoy.LogEntry, ours bool, err error) {
	for _, format := range formats {
		var mine bool
		if entry, mine, err = format.Read(line); err == nil && mine {
			return entry, true, nil
		}
		ours = ours || mine
	}
	return entry, ours, err
}

// of returns a proxy's log, nil if it is not followed.
func (l *Log) of(proxy string) *proxyLog {
	if l == nil {
		return nil
	}
	for _, p := range l.proxies {
		if p.proxy.Name == proxy {
			return p
		}
	}
	return nil
}
