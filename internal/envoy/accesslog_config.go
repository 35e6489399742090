package envoy

import (
	"context"
	"encoding/json"
)

// Stdout is where Istio's proxies write their access log by default, so that
// the log of their container holds it.
const Stdout = "/dev/stdout"

// AccessLog is how a connection manager, or a TCP proxy, of a listener logs.
type AccessLog struct {
	Listener string // 0.0.0.0_9080
	TCP      bool   // a TCP proxy's; else a connection manager's
	Path     string // the file; empty: it writes no file
	Format   LogFormat
	Filtered bool // a filter leaves some requests out
	Copies   int  // how many loggers write to Path, each a line of its own
}

// Whole says whether every request has a line where it can be read.
func (l AccessLog) Whole() bool { return l.Path == Stdout && !l.Filtered }

// LogFormat is what a line holds, in Envoy's format operators such as
// %ROUTE_NAME%. One of the two is set; with neither, lines are as Envoy has them
// by default.
type LogFormat struct {
	Text string
	JSON map[string]string // by key; values that hold no operator are left out
}

// AccessLogs returns one entry for each connection manager and TCP proxy of the
// active dynamic listeners whose whole name matches the RE2 expression name; all
// if it is empty. Of several files the one to Stdout is taken, then the first;
// of several loggers to it one that leaves nothing out.
func (a *Admin) AccessLogs(ctx context.Context, name string) ([]AccessLog, error) {
	elements, err := dump[loggingListener](ctx, a, "dynamic_listeners", name, "")
	if err != nil {
		return nil, err
	}
	var logs []AccessLog
	for _, e := range elements {
		if e.Active == nil {
			continue
		}
		for _, chain := range e.Active.Listener.chains() {
			for _, filter := range chain.Filters {
				if filter.Name != connectionManager && filter.Name != tcpProxy {
					continue
				}
				log := filter.Config.file()
				log.Listener, log.TCP = e.Name, filter.Name == tcpProxy
				logs = append(logs, log)
			}
		}
	}
	return logs, nil
}

// The filters that end a stream, and so log it.
const (
	connectionManager = "envoy.filters.network.http_connection_manager"
	tcpProxy          = "envoy.filters.network.tcp_proxy"
)

type loggingListener struct {
	Name   string `json:"name"`
	Active *struct {
		Listener chained `json:"listener"`
	} `json:"active_state"`
}

type chained struct {
	Chains  []filterChain `json:"filter_chains"`
	Default *filterChain  `json:"default_filter_chain"`
}

func (l chained) chains() []filterChain {
	if l.Default == nil {
		return l.Chains
	}
	return append(l.Chains, *l.Default)
}

type filterChain struct {
	Filters []struct {
		Name   string  `json:"name"`
		Config logging `json:"typed_config"`
	} `json:"filters"`
}

type logging struct {
	Logs []logger `json:"access_log"`
}

type logger struct {
	Name   string          `json:"name"`
	Filter json.RawMessage `json:"filter"`
	Config struct {
		Path   string `json:"path"`
		Format struct {
			Text struct {
				Inline string `json:"inline_string"`
			} `json:"text_format_source"`
			Old  string         `json:"text_format"` // of Istio before 1.9
			JSON map[string]any `json:"json_format"`
		} `json:"log_format"`
	} `json:"typed_config"`
}

// file returns the log to a file, Stdout before others.
func (l logging) file() AccessLog {
	var found AccessLog
	for _, each := range l.Logs {
		if each.Name != "envoy.access_loggers.file" && each.Name != "envoy.file_access_log" || found.Path == Stdout && each.Config.Path != Stdout {
			continue
		}
		one := AccessLog{Path: each.Config.Path, Format: each.format(), Filtered: len(each.Filter) > 0, Copies: 1}
		switch {
		case found.Path == "" || found.Path != one.Path && one.Path == Stdout:
			found = one
		case found.Path != one.Path:
		case found.Filtered && !one.Filtered:
			one.Copies += found.Copies
			found = one
		default:
			found.Copies++
		}
	}
	return found
}

func (l logger) format() LogFormat {
	format := LogFormat{Text: l.Config.Format.Text.Inline + l.Config.Format.Old}
	for key, value := range l.Config.Format.JSON {
		text, ok := value.(string)
		if !ok { // a nested object: none of what is read here stands in one
			continue
		}
		if format.JSON == nil {
			format.JSON = map[string]string{}
		}
		format.JSON[key] = text
	}
	return format
}
