package main

import (
	"bytes"
	"io"
	"log"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"google.golang.org/grpc/grpclog"
)

// asNoise has this test binary be a program of whose libraries one writes a line.
const asNoise = "MESHCHAOS_TEST_NOISE"

// The logs of libraries are those of a process, and so are tried in another one.
func TestLibrariesWriteNoLinesOfTheirOwn(t *testing.T) {
	if of := os.Getenv(asNoise); of != "" {
		quietLibraries(os.Stderr)
		if of == "grpc" {
			grpclog.Error("a line of grpc-go")
			return
		}
		log.Print("http: panic serving 127.0.0.1: a line of the standard library")
		return
	}
	for of, want := range map[string]string{"grpc": "", "log": "http: panic serving 127.0.0.1: a line of the standard library\n"} {
		program := exec.Command(os.Args[0], "-test.run", t.Name())
		program.Env = append(os.Environ(), asNoise+"="+of)
		var said bytes.Buffer
		program.Stderr = &said
		if err := program.Run(); err != nil {
			t.Fatal(err)
		}
		if got := said.String(); !strings.HasSuffix(got, want) || want == "" && got != "" {
			t.Errorf("of %s it writes %q, want %q", of, got, want)
		}
	}
}

// A server that begins HTTP/2 with anything but its settings is one of which x/net writes.
func TestALoadByHTTP2SaysOfItsServerWhatWasCounted(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = http2.NewFramer(conn, conn).WritePing(false, [8]byte{})
			_, _ = io.Copy(io.Discard, conn)
			_ = conn.Close()
		}
	}()
	var said bytes.Buffer
	was := log.Writer()
	defer log.SetOutput(was)
	quietLibraries(&said)
	var told bytes.Buffer
	if status := execute(t.Context(), []string{"load", "-h2", "-n", "3", "-c", "1", "-qps", "0", "http://" + l.Addr().String() + "/"}, io.Discard, &told); status != exitPass {
		t.Errorf("the status is %d:\n%s", status, told.String())
	}
	if said.Len() > 0 || !strings.Contains(told.String(), "Code  -1 : 3 (100.0 %)\n") {
		t.Errorf("beside\n%s\nit writes\n%s", told.String(), said.String())
	}
}
