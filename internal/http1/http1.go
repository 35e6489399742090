// Package http1 reads the answers of an HTTP/1.x server as they come, in pieces of any
// size, without copying them.
//
// What it takes for an answer, where that ends and what is none is as net/http has it
// (http.ReadResponse, and the reading of the body to its end), which the tests hold it
// against; where it is stricter stands at [Reader]. A line that the end of the connection
// has cut off is no malformed one here, as there, but the end. It imports nothing else of
// this module.
package http1

import "errors"

// The most that is read of a line, and of all lines before a body, in bytes.
const (
	MaxLine = 64 << 10
	MaxHead = 1 << 20
)

// As net/http has them, in bytes.
const (
	maxChunkLine = 4096
	maxTrailers  = 4096
	maxOver      = 16 << 10
)

// Why what came is no answer.
var (
	errStatusLine = errors.New("the status line is none of HTTP/1.0 or 1.1")
	errStatus     = errors.New("the status is not of three digits, from 100 on")
	errHeader     = errors.New("a header field is malformed")
	errFolded     = errors.New("a header field goes on in the next line")
	errLine       = errors.New("a line is too long")
	errHead       = errors.New("the lines before the body are too many")
	errLength     = errors.New("Content-Length is malformed, or differs from another")
	errEncoding   = errors.New("Transfer-Encoding is not chunked alone")
	errTrailer    = errors.New("a trailer is malformed, or may be none")
	errChunk      = errors.New("a chunk is malformed")
)
