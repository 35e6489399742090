package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Process is an agent in a process of its own, on this machine. It listens on a socket that
// only this user can reach, and ends with whoever has started it.
type Process struct {
	*Client
	gone   chan struct{} // closed when it has ended
	err    error         // how, then
	cmd    *exec.Cmd
	life   io.Closer // which the process ends with
	folder string
	words  *lastWords
}

// endGrace is how long a process may take to end that was asked to.
const endGrace = 3 * time.Second

// fateLimit is how long after a load failed it may take to be known that its process died.
const fateLimit = time.Second

// socketFile is the file of a process that is the socket it listens on.
const socketFile = 3

// Start starts a process that is to call ServeInherited. Close must be called.
func Start(program string, args ...string) (p *Process, err error) {
	p = &Process{gone: make(chan struct{}), cmd: exec.Command(program, args...), words: &lastWords{}}
	folder, err := os.MkdirTemp("", "meshchaos-")
	if err != nil {
		return nil, fmt.Errorf("starting a load agent: %w", err)
	}
	p.folder = folder
	defer func() {
		if err != nil {
			_ = os.RemoveAll(folder)
			err = fmt.Errorf("starting the load agent %s: %w", program, err)
		}
	}()
	at := &net.UnixAddr{Name: filepath.Join(folder, "agent"), Net: "unix"}
	l, err := net.ListenUnix("unix", at)
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false)
	defer l.Close()
	socket, err := l.File()
	if err != nil {
		return nil, err
	}
	defer socket.Close()
	apart(p.cmd)
	p.cmd.ExtraFiles, p.cmd.Stderr = []*os.File{socket}, p.words
	if p.life, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.gone)
	}()
	p.Client = &Client{Base: "http://agent", HTTP: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", at.Name)
		},
	}}}
	return p, nil
}

// ServeInherited serves as an agent on the socket that a process was started with, within
// its caps, until ctx or the process that has started it ends.
func ServeInherited(ctx context.Context) error {
	if err := Confine(); err != nil {
		return fmt.Errorf("starting the load agent: %w", err)
	}
	socket := os.NewFile(socketFile, "the load agent's socket")
	if socket == nil {
		return errors.New("starting the load agent: it was not started by meshchaos, which hands it a socket")
	}
	l, err := net.FileListener(socket)
	_ = socket.Close()
	if err != nil {
		return fmt.Errorf("starting the load agent: it was not started by meshchaos, which hands it a socket: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // which ends with whoever holds its other end
		cancel()
	}()
	defer unlink(l.Addr())
	return Serve(ctx, l)
}

// unlink takes a socket away, and the folder that it was alone in: who has made them may have
// been killed.
func unlink(socket net.Addr) {
	if at, is := socket.(*net.UnixAddr); is && filepath.IsAbs(at.Name) {
		_ = os.Remove(at.Name)
		_ = os.Remove(filepath.Dir(at.Name))
	}
}

// Share is that of the process.
func (p *Process) Share() *Share {
	return &Share{Name: p.name(), From: p, Gone: p.gone, Fate: p.fate}
}

func (p *Process) name() string { return fmt.Sprintf("process %d", p.cmd.Process.Pid) }

// Alive says whether the process still runs.
func (p *Process) Alive() bool {
	select {
	case <-p.gone:
		return false
	default:
		return true
	}
}

// fate says why the process is no more.
func (p *Process) fate(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, fateLimit)
	defer cancel()
	select {
	case <-p.gone:
	case <-ctx.Done():
		return nil
	}
	why := "exit status 0"
	if p.err != nil {
		why = p.err.Error()
	}
	if said := p.words.String(); said != "" {
		why += "; its last words: " + said
	}
	return fmt.Errorf("the load agent, %s, died: %s; run again", p.name(), why)
}

// Close ends the process, and waits for that.
func (p *Process) Close() {
	p.HTTP.CloseIdleConnections()
	_ = p.life.Close()
	late := time.AfterFunc(endGrace, func() { _ = p.cmd.Process.Kill() })
	<-p.gone
	late.Stop()
	_ = os.RemoveAll(p.folder)
}

// lastWords keeps the begin of what a process says on its way out, which of a crash is the
// reason.
type lastWords struct {
	mu   sync.Mutex
	said bytes.Buffer
}

const mostWords = 1024

// Write implements io.Writer.
func (w *lastWords) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if room := mostWords - w.said.Len(); room > 0 {
		w.said.Write(text[:min(room, len(text))])
	}
	return len(text), nil
}

// String is the first line.
func (w *lastWords) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	first, _, _ := strings.Cut(strings.TrimSpace(w.said.String()), "\n")
	return first
}
