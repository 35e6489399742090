package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// stall is how long the server makes one request wait, and behind how many others.
const (
	stall       = time.Second
	beforeStall = 100
)

// answers are those of the raw server, by what is asked for.
type answers struct {
	byPath   map[string][]byte
	answered atomic.Int64
	until    atomic.Int64 // how many requests from now one is stalled; below 1: none
	arrived  atomic.Pointer[arrivals]
}

// The orders that a server takes. The last has the rate behind it.
const (
	orderCount = "count"
	orderStall = "stall"
	orderWatch = "watch"
	orderLate  = "late "
)

// serve answers requests with prepared bytes, at the least cost, until in ends. What in
// says are orders, of which each is answered by a line.
func serve(in io.Reader, out io.Writer) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	a := &answers{byPath: map[string][]byte{}}
	for _, size := range sizes {
		a.byPath["/"+strconv.Itoa(size)] = fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", size, strings.Repeat("x", size))
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go a.answer(conn)
		}
	}()
	fmt.Fprintln(out, listener.Addr())
	for orders := bufio.NewScanner(in); orders.Scan(); {
		said, err := a.obey(orders.Text())
		if err != nil {
			return err
		}
		fmt.Fprintln(out, said)
	}
	return nil
}

// obey carries out an order, and says how many requests it has answered, or how late those
// that arrived since the watch began were.
func (a *answers) obey(order string) (said int64, err error) {
	rate, late := strings.CutPrefix(order, orderLate)
	switch {
	case late:
		perSecond, err := strconv.ParseFloat(rate, 64)
		if err != nil {
			return 0, fmt.Errorf("a server is asked how late requests were: %w", err)
		}
		return int64(lateness(a.arrived.Swap(nil).all(), perSecond)), nil
	case order == orderStall:
		a.until.Store(beforeStall)
	case order == orderWatch:
		a.arrived.Store(new(arrivals))
	}
	return a.answered.Load(), nil
}

// answer answers what comes over a connection, one request after the other.
func (a *answers) answer(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	buffer := make([]byte, 8<<10)
	for unread := 0; ; {
		n, err := conn.Read(buffer[unread:])
		if err != nil {
			return
		}
		if unread += n; !bytes.HasSuffix(buffer[:unread], []byte("\r\n\r\n")) {
			continue
		}
		_, rest, _ := bytes.Cut(buffer[:unread], []byte(" "))
		path, _, _ := bytes.Cut(rest, []byte(" "))
		text := a.byPath[string(path)]
		if text == nil {
			return
		}
		unread = 0
		if watch := a.arrived.Load(); watch != nil {
			watch.note(time.Now())
		}
		if a.until.Load() > 0 && a.until.Add(-1) == 0 {
			<-time.After(stall)
		}
		a.answered.Add(1)
		if _, err := conn.Write(text); err != nil {
			return
		}
	}
}

// server is such a server in a process of its own, whose time is nobody else's.
type server struct {
	url   string // without a path
	cmd   *exec.Cmd
	tell  io.WriteCloser
	heard *bufio.Scanner
}

func startServer() (*server, error) {
	s := &server{cmd: exec.Command(os.Args[0], serveCommand)}
	s.cmd.Stderr = os.Stderr
	var err error
	if s.tell, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	s.heard = bufio.NewScanner(out)
	if !s.heard.Scan() {
		return nil, fmt.Errorf("starting the server: it says nothing: %w", s.stop())
	}
	s.url = "http://" + s.heard.Text()
	return s, nil
}

// stop ends it, by the end of what it is told.
func (s *server) stop() error {
	_ = s.tell.Close()
	return s.cmd.Wait()
}

// order tells it something, and returns how many requests it has answered.
func (s *server) order(what string) (int64, error) {
	if _, err := fmt.Fprintln(s.tell, what); err != nil {
		return 0, err
	}
	if !s.heard.Scan() {
		return 0, fmt.Errorf("the server has ended: %w", s.heard.Err())
	}
	return strconv.ParseInt(s.heard.Text(), 10, 64)
}
