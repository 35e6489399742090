package summary

import (
	"fmt"
	"strings"

	"github.com/meshchaos/meshchaos/loadgen"
)

// Sends words what a plan sends: GET http://productpage:9080/productpage, by HTTP/2 where
// it is so; WebSocket ws://echo:8080/; gRPC echo:7070/proto.EchoTestService/Echo; TCP
// tcp-echo:9000; of a list each request by its name, and with its weight.
func Sends(p loadgen.Plan) string {
	words := calls(p)
	if p.Values != nil {
		words += ", with values of " + values(*p.Values)
	}
	if p.Think != nil {
		words += ", thinking " + think(*p.Think)
	}
	return words
}

func calls(p loadgen.Plan) string {
	switch {
	case p.HTTP != nil:
		return call(*p.HTTP)
	case p.GRPC != nil:
		return "gRPC " + p.GRPC.Address + "/" + p.GRPC.Method
	case len(p.Send) > 0:
		var all []string
		for _, r := range p.Send {
			words := r.Name + ": " + call(r.HTTP)
			if r.Weight > 0 {
				words += fmt.Sprintf(" (%d)", r.Weight)
			}
			all = append(all, words)
		}
		return strings.Join(all, "; ")
	case p.TCP != nil:
		return "TCP " + p.TCP.Address
	}
	return ""
}

func call(h loadgen.HTTP) string {
	switch {
	case h.HTTP2:
		return h.Method + " " + h.URL + " by HTTP/2"
	case len(h.Messages) > 0:
		return "WebSocket " + h.URL
	}
	return h.Method + " " + h.URL
}

// values words what a file of values is: users.csv, 3 rows of name, age.
func values(v loadgen.Values) string {
	return fmt.Sprintf("%s, %s of %s", v.File, Plural(int64(v.Count), "row"), strings.Join(v.Columns, ", "))
}

// think words how long is thought: 1s; 500ms to 2s.
func think(t loadgen.Think) string {
	if t.From == t.To {
		return t.From.String()
	}
	return fmt.Sprintf("%s to %s", t.From, t.To)
}

// Rate words a rate that changes: 10 qps at 0s, 200 at 30s; empty: it does not.
func Rate(p loadgen.Plan) string {
	var all []string
	for i, point := range p.Rate {
		unit := ""
		if i == 0 {
			unit = " qps"
		}
		all = append(all, fmt.Sprintf("%s%s at %s", Number(point.QPS), unit, point.At))
	}
	return strings.Join(all, ", ")
}
