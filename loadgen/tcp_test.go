package loadgen

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// startEcho answers line i of connection c with the line behind a prefix, and
// reports when a connection has ended.
func startEcho(t *testing.T, prefix func(c int64, i int) string, ended chan<- struct{}) string {
	var connections atomic.Int64
	return startTCP(t, func(conn net.Conn) {
		c := connections.Add(1) - 1
		reader := bufio.NewReader(conn)
		for i := 0; ; i++ {
			line, err := reader.ReadString('\n')
			if err != nil {
				break
			}
			_, _ = io.WriteString(conn, prefix(c, i)+line)
		}
		if ended != nil {
			ended <- struct{}{}
		}
	})
}

func TestTCPRequestIsAConnection(t *testing.T) {
	names := []string{"one ", "two "}
	for _, tt := range []struct {
		name   string
		prefix func(c int64, i int) string
		want   []Outcome
	}{
		{"a version per connection", func(c int64, _ int) string { return names[c%2] }, []Outcome{
			{Checks: []string{"whole"}, Version: "v1", Count: 5},
			{Checks: []string{"whole"}, Version: "v2", Count: 5},
		}},
		{"versions within a connection", func(_ int64, i int) string { return names[i] }, []Outcome{
			{Checks: []string{"whole"}, Version: Mixed, Count: 10},
		}},
		{"a version in one answer only", func(_ int64, i int) string { return []string{"", "two "}[i] }, []Outcome{
			{Checks: []string{"whole"}, Version: Mixed, Count: 10},
		}},
		{"versions within an answer", func(int64, int) string { return "two one " }, []Outcome{
			{Checks: []string{"whole"}, Version: Mixed, Count: 10},
		}},
		{"no version", func(int64, int) string { return "" }, []Outcome{
			{Checks: []string{"whole"}, Count: 10},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			address := startEcho(t, tt.prefix, nil)
			result := run(t, Plan{
				TCP:         &TCP{Address: "tcp-echo:9000", Lines: []string{"hello", "world"}, Connect: address},
				Connections: 3, Requests: 10,
				Checks:   []Check{{Name: "whole", Match: "(?s)hello\n.*world$"}},
				Versions: []Check{{Name: "v1", Body: "one "}, {Name: "v2", Match: "^two "}},
			})
			if diff := cmp.Diff(tt.want, result.Outcomes); diff != "" {
				t.Error(diff)
			}
			if result.Dialed != 10 || result.Used != 10 {
				t.Errorf("%d connections dialed and %d used, want 10", result.Dialed, result.Used)
			}
		})
	}
}

func TestTCPErrors(t *testing.T) {
	hangUp := startTCP(t, func(conn net.Conn) {
		_, _ = bufio.NewReader(conn).ReadString('\n')
		_, _ = io.WriteString(conn, "half a line")
	})
	mute := startTCP(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	for _, tt := range []struct {
		name, address, want string
	}{
		{"closed before the line ended", hangUp, ErrorEOF},
		{"no answer in time", mute, ErrorTimeout},
		{"refused", nobody, ErrorRefused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			plan := Plan{TCP: &TCP{Address: tt.address, Lines: []string{"hello"}}, Connections: 1, Requests: 2}
			if tt.want == ErrorTimeout {
				plan.Timeout.Duration = 50 * time.Millisecond
			}
			result := run(t, plan)
			if diff := cmp.Diff([]Outcome{{Error: tt.want, Count: 2}}, result.Outcomes); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEndOfContextCutsTCP(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	mute := startTCP(t, func(conn net.Conn) {
		cancel()
		_, _ = io.Copy(io.Discard, conn)
	})
	result, err := runUntil(ctx, Plan{TCP: &TCP{Address: mute, Lines: []string{"hello"}}, Connections: 1})
	if !errors.Is(err, context.Canceled) || result.Count(failedAs(ErrorCanceled)) != result.Sent || result.Sent != 1 {
		t.Errorf("%v: %+v", err, result)
	}
}

func TestFortioTCPComparesTheEcho(t *testing.T) {
	ended := make(chan struct{}, 20)
	address := startEcho(t, func(c int64, _ int) string { return []string{"", "two "}[c%2] }, ended)
	result := run(t, Plan{
		Engine: EngineFortio, TCP: &TCP{Address: address, Lines: []string{"hello"}},
		Connections: 2, Requests: 20,
	})
	want := []Outcome{{Count: 10}, {Error: ErrorOther, Count: 10}}
	if diff := cmp.Diff(want, result.Outcomes); diff != "" {
		t.Error(diff)
	}
	for range 20 { // fortio's client itself leaves a connection open after an error
		<-ended
	}
}
