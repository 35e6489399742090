package main

import (
	"bytes"
	"io"
	"log"

	"google.golang.org/grpc/grpclog"
)

// quietLibraries keeps from stderr what libraries write there by themselves, line after line
// beneath the progress of a load, of connections that end as no client expects: how each of
// their requests ended is counted. grpc-go has one log for the process, and golang.org/x/net's
// client of HTTP/2 has that of the standard library, which has more to say than that.
func quietLibraries(stderr io.Writer) {
	grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, io.Discard))
	log.SetOutput(&withoutHTTP2{stderr})
}

// withoutHTTP2 passes on what the standard log writes, but for what begins as lines of the
// client of HTTP/2 do.
type withoutHTTP2 struct{ to io.Writer }

// ofHTTP2 are how those begin, behind the time.
var ofHTTP2 = [][]byte{[]byte("http2: "), []byte("protocol error: received "), []byte("Transport: unhandled response frame type ")}

// Write implements io.Writer: the standard log writes each line by one call.
func (w *withoutHTTP2) Write(line []byte) (int, error) {
	untimed := bytes.TrimLeft(line, "0123456789/:. ")
	for _, begin := range ofHTTP2 {
		if bytes.HasPrefix(untimed, begin) {
			return len(line), nil
		}
	}
	return w.to.Write(line)
}
