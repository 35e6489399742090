package http1

import (
	"bytes"
	"io"
)

// state is what comes next.
type state uint8

const (
	statusLine state = iota
	headerLine
	sizedBody
	endlessBody // until the connection ends
	chunkLine
	chunkBody
	chunkEnd
	trailerLine
	done
)

// Reader reads one answer after the other; Begin readies it for each.
//
// It refuses what net/http does, and beside that: a line longer than MaxLine, and lines
// before the body of more than MaxHead, which net/http reads until the memory ends;
// versions other than HTTP/1.0 and 1.1; a status below 100; a Content-Length of more than
// 20 digits; a header field that goes on in the next line (RFC 9112, 5.2, has a server
// send none); and a trailer that ends in a bare LF.
type Reader struct {
	state state
	err   error
	head  head
	left  uint64 // of the body, or of the chunk
	over  int64  // what chunks have beside what they carry
	lines int    // bytes of lines, of the head or of the trailers
	held  []byte // the begin of a line that is not whole
}

// Begin readies the Reader for the answer to a request. Of HEAD, answers have no body.
func (r *Reader) Begin(isHead bool) {
	*r = Reader{held: r.held[:0], head: head{noBody: isHead, length: unsaid}}
}

// Status is that of the answer whose head was read, 101 to 999: of interim ones (100, 102
// to 199) it tells nothing, and reads on.
func (r *Reader) Status() int { return r.head.status }

// Done says whether the answer was read to its end.
func (r *Reader) Done() bool { return r.state == done }

// Last says of an answer that was read whether it is the last of its connection.
func (r *Reader) Last() bool { return r.head.closes }

// Read reads from data until a part of the body, the end of the answer or that of data,
// whichever is first. It returns the part, which lies in data, and how many bytes it
// read. After an error, which says why it is no answer, it reads nothing more.
func (r *Reader) Read(data []byte) (body []byte, n int, err error) {
	for r.err == nil && n < len(data) && r.state != done {
		switch r.state {
		case sizedBody, chunkBody:
			body = data[n:]
			if uint64(len(body)) > r.left {
				body = body[:r.left]
			}
			r.took(len(body))
			return body, n + len(body), nil
		case endlessBody:
			return data[n:], len(data), nil
		default:
			var took int
			took, r.err = r.next(data[n:])
			n += took
		}
	}
	return nil, n, r.err
}

// took is that so many bytes of a body were read, or of a chunk.
func (r *Reader) took(n int) {
	switch r.left -= uint64(n); {
	case r.left > 0:
	case r.state == sizedBody:
		r.state = done
	default:
		r.state = chunkEnd
	}
}

// End says that the connection has ended, and returns io.ErrUnexpectedEOF if the answer
// had not.
func (r *Reader) End() error {
	switch {
	case r.err != nil || r.state == done:
		return r.err
	case r.state == endlessBody:
		r.state = done
		return nil
	}
	r.err = io.ErrUnexpectedEOF
	return r.err
}

// next reads a line, or holds the begin of one.
func (r *Reader) next(data []byte) (n int, err error) {
	end := r.ends(data)
	if end == 0 {
		if len(r.held)+len(data) > r.longest() {
			return 0, r.tooLong()
		}
		r.held = append(r.held, data...)
		return len(data), nil
	}
	text := data[:end]
	if len(r.held) > 0 {
		r.held = append(r.held, text...)
		text = r.held
	}
	if len(text) > r.longest() {
		return 0, r.tooLong()
	}
	err = r.line(text)
	r.held = r.held[:0]
	return end, err
}

// ends is where the line that data goes on with ends; 0: not in data.
func (r *Reader) ends(data []byte) int {
	if r.state != chunkEnd {
		return bytes.IndexByte(data, '\n') + 1
	}
	if lacks := 2 - len(r.held); lacks <= len(data) { // two bytes, whatever they are
		return lacks
	}
	return 0
}

// longest is how long what comes next may be.
func (r *Reader) longest() int {
	switch r.state {
	case chunkLine:
		return maxChunkLine
	case trailerLine:
		return maxTrailers
	default:
		return MaxLine
	}
}

func (r *Reader) tooLong() error {
	if r.state == chunkLine {
		return errChunk
	}
	return errLine
}

// line reads one line, with what ends it.
func (r *Reader) line(text []byte) error {
	switch r.state {
	case statusLine:
		r.state, r.lines = headerLine, len(text)
		return r.head.begin(withoutEnd(text))
	case headerLine:
		if r.lines += len(text); r.lines > MaxHead {
			return errHead
		}
		if text = withoutEnd(text); len(text) > 0 {
			return r.head.field(text)
		}
		return r.endHead()
	case chunkLine:
		return r.chunk(text)
	case chunkEnd:
		if text[0] != '\r' || text[1] != '\n' {
			return errChunk
		}
		r.state = chunkLine
		return nil
	default:
		return r.trailer(text)
	}
}

// withoutEnd is a line without the LF or CR LF that ends it.
func withoutEnd(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\n' {
		line = line[:n-1]
		if n > 1 && line[n-2] == '\r' {
			line = line[:n-2]
		}
	}
	return line
}

// endHead finds out how the body ends.
func (r *Reader) endHead() error {
	body, length, err := r.head.body()
	if err != nil {
		return err
	}
	if status := r.head.status; status < 200 && status != switchingProtocols {
		isHead := r.head.noBody
		r.head = head{noBody: isHead, length: unsaid}
		r.state = statusLine
		return nil
	}
	r.state, r.left, r.lines = body, uint64(max(length, 0)), 0
	return nil
}

// chunk reads the line before a chunk, which has its size.
func (r *Reader) chunk(text []byte) error {
	n := len(text)
	if n < 2 || bytes.IndexByte(text, '\r') != n-2 {
		return errChunk
	}
	size, ok := chunkSize(text[:n-2])
	if !ok {
		return errChunk
	}
	// net/http gives up on a server that sends more lines than chunks.
	if r.over = max(r.over+int64(n)-16-2*int64(size), 0); r.over > maxOver {
		return errChunk
	}
	r.state, r.left = chunkBody, size
	if size == 0 {
		r.state = trailerLine
	}
	return nil
}

// trailer reads a line behind the last chunk.
func (r *Reader) trailer(text []byte) error {
	n := len(text)
	if r.lines += n; r.lines > maxTrailers || n < 2 || text[n-2] != '\r' {
		return errTrailer
	}
	if n == 2 {
		r.state = done
		return nil
	}
	var ignored head
	return ignored.field(text[:n-2])
}
