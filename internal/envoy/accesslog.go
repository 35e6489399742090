package envoy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// LogEntry is one line of a proxy's access log: one request, written when its
// stream has ended, or one TCP connection. What a line does not have is zero.
type LogEntry struct {
	Started   time.Time // of the request, by the proxy's clock, in ms
	Duration  time.Duration
	Method    string // empty for TCP
	Path      string // with its query
	Authority string
	Status    int      // 0: the caller went away before it was answered, or TCP
	Flags     []string // Envoy's response flags: DI, FI, UO, UT, DC and so on
	Details   string   // response code details: via_upstream, fault_filter_abort
	RequestID string   // x-request-id
	From      string   // ip:port that it came from
	Upstream  string   // ip:port of the endpoint that got it; empty: none did
	Cluster   string   // upstream cluster: outbound|9080|v1|ratings.default.svc.cluster.local
	Route     string   // http[].name of the VirtualService, or default
}

// DetailsPerTryTimeout are the response code details of a request whose last
// attempt took too long, which the flag UT does not tell from a whole request that
// did.
const DetailsPerTryTimeout = "upstream_per_try_timeout"

// LogReader reads the lines of one format.
type LogReader struct {
	segments []segment         // of a text format
	keys     map[string]string // of JSON: the operator by key
}

// segment is an operator of a text format with the text that stands before it.
type segment struct {
	before   string
	operator string // empty: the text behind the last operator
}

// The operators that are read. Istio's default format has them all.
const (
	opStart     = "START_TIME"
	opDuration  = "DURATION"
	opMethod    = "REQ(:METHOD)"
	opPath      = "REQ(X-ENVOY-ORIGINAL-PATH?:PATH)"
	opAuthority = "REQ(:AUTHORITY)"
	opStatus    = "RESPONSE_CODE"
	opFlags     = "RESPONSE_FLAGS"
	opDetails   = "RESPONSE_CODE_DETAILS"
	opRequestID = "REQ(X-REQUEST-ID)"
	opFrom      = "DOWNSTREAM_REMOTE_ADDRESS"
	opUpstream  = "UPSTREAM_HOST"
	opCluster   = "UPSTREAM_CLUSTER"
	opRoute     = "ROUTE_NAME"
)

// needed are the operators without which a log is no evidence.
func needed() []string { return []string{opStart, opDuration, opStatus, opFlags, opCluster, opRoute} }

// NewLogReader prepares the reading of a format. Its error names the operators
// that the format lacks and that the log is no evidence without.
func NewLogReader(format LogFormat) (*LogReader, error) {
	r := &LogReader{}
	has := map[string]bool{}
	if format.JSON != nil {
		r.keys = map[string]string{}
		for key, text := range format.JSON {
			if s := segments(text); len(s) == 2 && s[0].before == "" && s[1].before == "" {
				r.keys[key] = s[0].operator
				has[s[0].operator] = true
			}
		}
	} else {
		r.segments = segments(format.Text)
		for _, s := range r.segments {
			has[s.operator] = true
		}
	}
	var lacks []string
	for _, operator := range needed() {
		if !has[operator] {
			lacks = append(lacks, "%"+operator+"%")
		}
	}
	if len(lacks) > 0 {
		return nil, fmt.Errorf("the access log's format lacks %s", strings.Join(lacks, ", "))
	}
	return r, nil
}

// segments cuts a format at its operators. The last segment has none.
func segments(format string) []segment {
	var all []segment
	rest := strings.TrimSuffix(format, "\n")
	before := ""
	for {
		text, behind, found := strings.Cut(rest, "%")
		before += text
		if !found {
			return append(all, segment{before: before})
		}
		operator, after, closed := cutOperator(behind)
		switch {
		case !closed:
			return append(all, segment{before: before + "%" + behind})
		case operator == "": // %% is a percent sign
			before += "%"
		default:
			all = append(all, segment{before: before, operator: plainOperator(operator)})
			before = ""
		}
		rest = after
	}
}

// cutOperator cuts behind the % that closes an operator; one in brackets, as of
// a time's format, does not.
func cutOperator(text string) (operator, after string, closed bool) {
	depth := 0
	for i, c := range text {
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == '%' && depth == 0:
			return text[:i], text[i+1:], true
		}
	}
	return "", text, false
}

// plainOperator makes operators that say the same the same.
func plainOperator(operator string) string {
	switch operator = strings.ToUpper(operator); operator {
	case "UPSTREAM_CLUSTER_RAW":
		return opCluster
	case "REQ(:PATH)", "PATH", "PATH(WQ)":
		return opPath
	case "REQ(HOST)":
		return opAuthority
	}
	return operator
}

// Read reads one line. Ours is false for a line that some other writer of the
// container put there; the error is that of a line which begins as one of this
// format and goes on otherwise.
func (r *LogReader) Read(line []byte) (entry LogEntry, ours bool, err error) {
	if r.keys != nil {
		return r.readJSON(line)
	}
	return r.readText(string(bytes.TrimRight(line, "\r\n")))
}

func (r *LogReader) readText(line string) (LogEntry, bool, error) {
	var e LogEntry
	rest, ok := strings.CutPrefix(line, r.segments[0].before)
	if !ok {
		return e, false, nil
	}
	for i, s := range r.segments[:len(r.segments)-1] {
		end := len(rest)
		if next := r.segments[i+1].before; next != "" {
			if end = strings.Index(rest, next); end < 0 {
				return e, e.begun(), fmt.Errorf("reading a line of the access log: it ends before %%%s%%", s.operator)
			}
		}
		if err := e.set(s.operator, rest[:end]); err != nil {
			return e, e.begun(), fmt.Errorf("reading a line of the access log: %w", err)
		}
		rest = rest[end+len(r.segments[i+1].before):]
	}
	switch {
	case rest != "":
		return e, e.begun(), fmt.Errorf("reading a line of the access log: it goes on with %.40q", rest)
	case strings.ContainsAny(e.Cluster+e.Upstream, " \""): // a header that has a separator in it shifts what is behind it
		return e, e.begun(), fmt.Errorf("reading a line of the access log: its upstream cluster is %.40q", e.Cluster)
	}
	return e, true, nil
}

// begun says whether a line was so far read as one of the access log.
func (e *LogEntry) begun() bool { return !e.Started.IsZero() }

func (r *LogReader) readJSON(line []byte) (LogEntry, bool, error) {
	var e LogEntry
	if !bytes.HasPrefix(bytes.TrimSpace(line), []byte("{")) {
		return e, false, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.UseNumber()
	values := map[string]any{}
	if err := decoder.Decode(&values); err != nil {
		return e, true, fmt.Errorf("reading a line of the access log: it begins as JSON: %w", err)
	}
	for key, operator := range r.keys {
		value, there := values[key]
		if !there { // Envoy may leave out what has no value
			continue
		}
		text := "-"
		if value != nil {
			text = fmt.Sprint(value)
		}
		if err := e.set(operator, text); err != nil {
			return e, e.begun(), fmt.Errorf("reading a line of the access log: %w", err)
		}
	}
	return e, e.begun(), nil
}

// set takes over the value of an operator; "-" stands for none.
func (e *LogEntry) set(operator, text string) (err error) {
	if text == "-" {
		text = ""
	}
	switch operator {
	case opStart:
		e.Started, err = time.Parse(time.RFC3339Nano, text)
	case opDuration:
		var ms int64
		ms, err = number(text)
		e.Duration = time.Duration(ms) * time.Millisecond
	case opStatus:
		var status int64
		status, err = number(text)
		e.Status = int(status)
	case opMethod:
		e.Method = text
	case opPath:
		e.Path = text
	case opAuthority:
		e.Authority = text
	case opFlags:
		if text != "" {
			e.Flags = strings.Split(text, ",")
		}
	case opDetails:
		e.Details = text
	case opRequestID:
		e.RequestID = text
	case opFrom:
		e.From = text
	case opUpstream:
		e.Upstream = text
	case opCluster:
		e.Cluster = text
	case opRoute:
		e.Route = text
	}
	if err != nil {
		return fmt.Errorf("its %%%s%% is %.40q: %w", operator, text, err)
	}
	return nil
}

// maxBits bounds a number of a line, so that milliseconds fit into a Duration.
const maxBits = 40

func number(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, maxBits)
	return int64(n), err
}
