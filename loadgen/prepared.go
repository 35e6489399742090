package loadgen

import (
	"bytes"
	"errors"
	"maps"
	"net/http"
	"strconv"
	"strings"
)

// prepared is a request of a plan, as the bytes that are sent of it, made once.
type prepared struct {
	at     int // in the list
	isHead bool
	take   *taker        // nil: nothing is taken from its answer
	asked  *http.Request // what net/http has to know to read its answer
	ours   bool          // its id is

	stands  *HTTP // with stand-ins in its gaps
	gaps    []gap
	cookies string // beside its own

	wire []byte // all of it, where nothing varies
	idAt int    // where its id stands in wire; -1: the plan sets the id itself, or something varies

	parts []part // where something varies
	body  int    // of parts, the first of the body
}

// part is one of a request of which something varies: a text, or a value.
type part struct {
	text []byte
	idAt int  // where an id stands in text; -1: nowhere
	slot int  // of a value among those of a user; -1: it is none
	as   form // of a value
	long bool // it is how long the body is
}

// prepareRequest makes the bytes of a request. Cookies are sent beside the plan's own; slots says
// where the value of a name is.
func prepareRequest(h *HTTP, cookies string, slots map[string]int) (*prepared, error) {
	stands, gaps, err := filled("http.", h)
	if err != nil {
		return nil, err
	}
	req, err := newHTTPRequest(stands, cookies)
	if err != nil {
		return nil, err
	}
	ours := setRequestID(req)
	p := &prepared{
		asked: req, ours: ours, isHead: req.Method == http.MethodHead, idAt: -1,
		stands: stands, gaps: gaps, cookies: cookies,
	}
	if p.wire, err = wireOf(req); err != nil {
		return nil, err
	}
	if ours {
		p.idAt = requestIDIn(p.wire)
	}
	if len(gaps) > 0 {
		err = p.split(gaps, slots)
	}
	return p, err
}

// split makes parts of the bytes of a request with stand-ins.
func (p *prepared) split(gaps []gap, slots map[string]int) error {
	end := bytes.Index(p.wire, headersEnd) + len(headersEnd)
	head, body := p.wire[:end], p.wire[end:]
	p.text(head, p.idAt)
	for _, g := range gaps {
		if g.inHead && !p.cut(0, g, slots) {
			return errors.New("a value stands where none is sent, such as behind a #")
		}
	}
	if len(body) > 0 {
		p.cutLength(len(body))
	}
	p.body = len(p.parts)
	p.text(body, -1)
	for _, g := range gaps {
		if !g.inHead {
			p.cut(p.body, g, slots)
		}
	}
	p.wire, p.idAt = nil, -1
	return nil
}

// text adds a part that is one.
func (p *prepared) text(text []byte, idAt int) {
	p.parts = append(p.parts, part{text: text, idAt: idAt, slot: -1})
}

// cut puts a value in the place of its stand-in, which is in a text from a part on.
func (p *prepared) cut(from int, g gap, slots map[string]int) (found bool) {
	return p.replace(from, []byte(g.mark), part{idAt: -1, slot: slots[g.name], as: g.as})
}

// cutLength has the length of the body reckoned each time.
func (p *prepared) cutLength(length int) {
	line := []byte("\r\nContent-Length: " + strconv.Itoa(length) + "\r\n")
	name, end := len("\r\nContent-Length: "), len("\r\n")
	for i := range p.parts {
		if at := bytes.Index(p.parts[i].text, line); at >= 0 {
			p.insert(i, at+name, at+len(line)-end, part{idAt: -1, slot: -1, long: true})
			return
		}
	}
}

// replace puts a part in the place of a text.
func (p *prepared) replace(from int, text []byte, by part) (found bool) {
	for i := from; i < len(p.parts); i++ {
		if at := bytes.Index(p.parts[i].text, text); at >= 0 {
			p.insert(i, at, at+len(text), by)
			return true
		}
	}
	return false
}

// insert puts a part in the place of what stands in another from one byte to another.
func (p *prepared) insert(in, from, to int, by part) {
	before, after := p.parts[in], p.parts[in]
	before.text, after.text = before.text[:from:from], after.text[to:]
	if before.idAt >= to {
		before.idAt, after.idAt = -1, after.idAt-to
	} else {
		after.idAt = -1
	}
	p.parts = append(p.parts[:in], append([]part{before, by, after}, p.parts[in+1:]...)...)
}

// render appends the bytes of a request of which something varies, and returns where its
// id stands; -1: the plan sets the id itself.
func (p *prepared) render(out []byte, values []string) (wire []byte, idAt int) {
	idAt = -1
	for i := range p.parts {
		switch part := &p.parts[i]; {
		case part.long:
			out = strconv.AppendInt(out, int64(p.bodySize(values)), 10)
		case part.slot >= 0:
			out = appendAs(out, values[part.slot], part.as)
		default:
			if part.idAt >= 0 {
				idAt = len(out) + part.idAt
			}
			out = append(out, part.text...)
		}
	}
	return out, idAt
}

// bodySize is how long the body is, where values stand as they are.
func (p *prepared) bodySize(values []string) (size int) {
	for _, part := range p.parts[p.body:] {
		if size += len(part.text); part.slot >= 0 {
			size += len(values[part.slot])
		}
	}
	return size
}

// request is what render appends the bytes of, for who does not send these bytes.
func (p *prepared) request(slots map[string]int, values []string) (*http.Request, error) {
	if len(p.gaps) == 0 {
		return p.asked, nil
	}
	var pairs []string
	for _, g := range p.gaps {
		pairs = append(pairs, g.mark, string(appendAs(nil, values[slots[g.name]], g.as)))
	}
	filler := strings.NewReplacer(pairs...)
	h := *p.stands
	h.URL, h.Body = filler.Replace(h.URL), filler.Replace(h.Body)
	h.Header = maps.Clone(h.Header)
	for name, value := range h.Header {
		h.Header[name] = filler.Replace(value)
	}
	return newHTTPRequest(&h, p.cookies)
}
