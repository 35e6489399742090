package http1

import (
	"bytes"
	"strconv"
)

// Statuses whose answers have no body.
const (
	switchingProtocols = 101
	noContent          = 204
	notModified        = 304
)

const unsaid = -1

// head is what the lines before a body say of where it ends.
type head struct {
	noBody     bool // the request was HEAD
	status     int
	old        bool // HTTP/1.0
	closes     bool // the connection ends with the answer
	keeps      bool // HTTP/1.0 alone: it does not
	length     int64
	said       [20]byte // what Content-Length said first
	saidSize   int
	differ     bool // what it said then
	encodings  int  // fields Transfer-Encoding
	chunked    bool // the last of them is that
	badTrailer bool
}

// begin reads the status line.
func (h *head) begin(line []byte) error {
	const version = "HTTP/1."
	if len(line) < len(version)+2 || string(line[:len(version)]) != version || line[len(version)+1] != ' ' {
		return errStatusLine
	}
	switch line[len(version)] {
	case '0':
		h.old = true
	case '1':
	default:
		return errStatusLine
	}
	code, _, _ := bytes.Cut(bytes.TrimLeft(line[len(version)+2:], " "), []byte(" "))
	if len(code) != 3 || code[0] < '1' || code[0] > '9' || code[1] < '0' || code[1] > '9' || code[2] < '0' || code[2] > '9' {
		return errStatus
	}
	h.status = int(code[0]-'0')*100 + int(code[1]-'0')*10 + int(code[2]-'0')
	return nil
}

// field reads a header field.
func (h *head) field(line []byte) error {
	if line[0] == ' ' || line[0] == '\t' {
		return errFolded
	}
	colon := bytes.IndexByte(line, ':')
	if colon < 1 || !isName(line[:colon]) {
		return errHeader
	}
	name, value := line[:colon], trim(line[colon+1:])
	if !isValue(value) {
		return errHeader
	}
	switch len(name) { // of those that say where the body ends
	case len("Trailer"):
		if isToken(name, "trailer") {
			h.trailers(value)
		}
	case len("Connection"):
		if isToken(name, "connection") {
			h.connection(value)
		}
	case len("Content-Length"):
		if isToken(name, "content-length") {
			h.contentLength(value)
		}
	case len("Transfer-Encoding"):
		if isToken(name, "transfer-encoding") {
			h.encodings++
			h.chunked = isToken(value, "chunked")
		}
	}
	return nil
}

func (h *head) connection(value []byte) {
	for more := true; more; {
		var token []byte
		token, value, more = bytes.Cut(value, []byte(","))
		token = trim(token)
		h.closes = h.closes || isToken(token, "close")
		h.keeps = h.keeps || isToken(token, "keep-alive")
	}
}

func (h *head) trailers(value []byte) {
	for more := true; more; {
		var name []byte
		name, value, more = bytes.Cut(value, []byte(","))
		name = trim(name)
		h.badTrailer = h.badTrailer || isToken(name, "transfer-encoding") || isToken(name, "trailer") || isToken(name, "content-length")
	}
}

func (h *head) contentLength(value []byte) {
	if h.length == unsaid {
		n, err := strconv.ParseUint(string(value), 10, 63)
		h.length, h.saidSize = int64(n), copy(h.said[:], value)
		h.differ = err != nil || len(value) > len(h.said)
		return
	}
	h.differ = h.differ || string(value) != string(h.said[:h.saidSize])
}

// body says how the body is read, and how long it is, where that was said.
func (h *head) body() (state, int64, error) {
	if h.old {
		h.closes = h.closes || !h.keeps
		h.encodings, h.chunked = 0, false // they are of HTTP/1.1
	}
	switch {
	case h.encodings > 1 || h.encodings == 1 && !h.chunked:
		return done, 0, errEncoding
	case h.differ:
		return done, 0, errLength
	case h.chunked && h.badTrailer:
		return done, 0, errTrailer
	case h.noBody || h.status < 200 || h.status == noContent || h.status == notModified || !h.chunked && h.length == 0:
		return done, 0, nil
	case h.chunked:
		return chunkLine, 0, nil
	case h.length > 0:
		return sizedBody, h.length, nil
	}
	h.closes = true
	return endlessBody, 0, nil
}
