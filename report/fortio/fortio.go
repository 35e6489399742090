// Package fortio is the face of reports for fortio: the load of each cohort and window as
// a result of fortio, which fortio report shows beside those of its own runs. A load that
// is no scenario's is told in the words of fortio load, too. The package may import report,
// report/summary, loadgen and internal/plural.
package fortio

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"fortio.org/fortio/fhttp"
	"fortio.org/fortio/jrpc"
	"fortio.org/fortio/periodic"
	"fortio.org/fortio/stats"
	"fortio.org/fortio/tcprunner"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
)

// resolution is that of fortio's buckets, in seconds, as fortio has it by default.
const resolution = 0.001

// failed is fortio's code of a request without an answer.
const failed = -1

// Results are the results of a run by the names of their files: during-jason.json.
func Results(r *report.Record) (map[string][]byte, error) {
	r = summary.Clean(r)
	files := map[string][]byte{}
	for _, load := range summary.Loads(r) {
		name := fileOf(load)
		for n := 2; files[name+".json"] != nil; n++ {
			name = fmt.Sprintf("%s-%d", fileOf(load), n)
		}
		text, err := json.MarshalIndent(result(r, load, name), "", "  ")
		if err != nil {
			return nil, fmt.Errorf("the load of %s, %s: %w", load.Cohort, summary.When(load.Window), err)
		}
		files[name+".json"] = append(text, '\n')
	}
	return files, nil
}

// IsResult says whether a file is a result as Results writes one. Where it has another name
// somebody has put it there, as beside those of other runs.
func IsResult(name string, text []byte) bool {
	var of struct{ RunType, Version, ID string }
	if json.Unmarshal(text, &of) != nil {
		return false
	}
	_, load, _ := strings.Cut(of.ID, "_")
	return of.RunType != "" && strings.HasPrefix(of.Version, program) && load+".json" == name
}

// program is what writes them, before its version.
const program = "meshchaos "

// fileOf is the name of a file, without its end: baseline-jason, during-one-in-ten-pages.
func fileOf(load summary.Load) string {
	parts := []string{load.Window.Name, load.Window.Step, load.Cohort}
	if load.Window.Step == "" {
		parts = []string{load.Window.Name, load.Cohort}
	}
	return strings.Map(func(c rune) rune {
		if c < 0x80 && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
			return c
		}
		return '_'
	}, strings.Join(parts, "-"))
}

// calls is the result of a load of gRPC. Fortio's own, of its ping or of health, has other
// words for how they ended: here they are codes.
type calls struct {
	periodic.RunnerResults
	Destination string
	RetCodes    map[string]int64
	SocketCount int
}

func callsOf(common periodic.RunnerResults, load summary.Load, plan loadgen.Plan) *calls {
	of := &calls{RunnerResults: common, Destination: plan.GRPC.Address + "/" + plan.GRPC.Method, RetCodes: map[string]int64{}, SocketCount: int(load.Result.Dialed)}
	for _, o := range load.Result.Outcomes {
		of.RetCodes[cmp.Or(o.GRPC, o.Error)] += o.Count
	}
	return of
}

// result is the result that fortio would have of a load: of HTTP, gRPC or TCP.
func result(r *report.Record, load summary.Load, name string) any {
	plan := planOf(r, load)
	common := common(r, load, plan, name)
	if plan.GRPC != nil {
		return callsOf(common, load, plan)
	}
	if plan.TCP != nil {
		codes := tcprunner.TCPResultMap{}
		for _, o := range load.Result.Outcomes {
			code := o.Error
			if code == "" {
				code = tcprunner.TCPStatusOK
			}
			codes[code] += o.Count
		}
		return &tcprunner.RunnerResults{
			RunnerResults: common, RetCodes: codes, SocketCount: int(load.Result.Dialed),
			TCPOptions: tcprunner.TCPOptions{Destination: plan.TCP.Address, ReqTimeout: plan.Timeout.Duration},
		}
	}
	codes := map[int]int64{}
	for _, o := range load.Result.Outcomes {
		codes[codeOf(o)] += o.Count
	}
	of := &fhttp.HTTPRunnerResults{RunnerResults: common, RetCodes: codes, SocketCount: load.Result.Dialed}
	of.HTTPReqTimeOut, of.NumConnections = plan.Timeout.Duration, plan.Connections
	if list := plan.OfHTTP(); len(list) > 0 { // fortio knows of one
		of.URL, of.MethodOverride = list[0].HTTP.URL, list[0].HTTP.Method
	}
	return of
}

// planOf is what was asked of a load; that of a step it has no other of.
func planOf(r *report.Record, load summary.Load) loadgen.Plan {
	var plan loadgen.Plan
	for _, asked := range r.Asked {
		if asked.Cohort == load.Cohort && (asked.Step == load.Window.Step || plan.Connections == 0) {
			plan = asked.Plan
		}
	}
	return plan
}

func common(r *report.Record, load summary.Load, plan loadgen.Plan, name string) periodic.RunnerResults {
	of := periodic.RunnerResults{
		RunType: "HTTP", Labels: fmt.Sprintf("%s: %s, %s", r.Scenario.Name, load.Cohort, summary.When(load.Window)),
		StartTime: load.Result.Started, RequestedQPS: "max", RequestedDuration: lasting(load, plan),
		ActualQPS: load.Rate, ActualDuration: load.Result.Elapsed.Duration, NumThreads: load.Result.Connections,
		Version: program + r.Tool.Version, Exactly: load.Planned, ID: r.Run + "_" + name,
		DurationHistogram: histogram(load.Result.Response),
	}
	switch {
	case plan.GRPC != nil:
		of.RunType = "GRPC"
	case plan.TCP != nil:
		of.RunType = "TCP"
	}
	if load.Asked > 0 {
		of.RequestedQPS = fmt.Sprintf("%.9g", load.Asked)
	}
	if load.Result.Failure != "" {
		of.ServerReply = jrpc.ServerReply{Error: true, Message: "the load could not be carried out", Exception: load.Result.Failure}
	}
	of.ErrorsDurationHistogram = errors(load, of.DurationHistogram)
	return of
}

// lasting words how long the load was to last, as fortio does.
func lasting(load summary.Load, plan loadgen.Plan) string {
	switch {
	case load.Planned > 0:
		return fmt.Sprintf("exactly %d calls", load.Planned)
	case load.Window.Name == report.During && plan.Duration.Duration > 0:
		return plan.Duration.String()
	case plan.While != "":
		return "until " + plan.While + " ended"
	}
	return "until stop"
}

// histogram is one of fortio's, with the percentiles of the record.
func histogram(of *loadgen.Histogram) *stats.HistogramData {
	return histogramOf(of, 0, resolution, []float64{50, 75, 90, 99, 99.9})
}

// histogramOf is one whose buckets begin at an offset and are so many seconds wide, the
// first of them. Its percentiles are those of the load generator, which has finer ones.
func histogramOf(of *loadgen.Histogram, offset time.Duration, width float64, percentiles []float64) *stats.HistogramData {
	made := stats.NewHistogram(offset.Seconds(), width)
	of.Each(func(latency time.Duration, count int64) { made.RecordN(latency.Seconds(), int(count)) })
	shortest, _ := of.Min()
	longest, _ := of.Max()
	mean, _ := of.Mean()
	made.Min, made.Max = shortest.Seconds(), longest.Seconds() // exactly
	data := made.Export()
	data.Avg, data.Sum = mean.Seconds(), mean.Seconds()*float64(data.Count)
	data.StdDev = deviation(of, data.Avg)
	for _, percent := range percentiles {
		if latency, ok := of.Quantile(percent / 100); ok {
			data.Percentiles = append(data.Percentiles, stats.Percentile{Percentile: percent, Value: latency.Seconds()})
		}
	}
	return data
}

// deviation is the standard deviation, in seconds. Of values that are recorded several at
// once, fortio reckons one that is too large.
func deviation(of *loadgen.Histogram, mean float64) float64 {
	squares := 0.0
	of.Each(func(latency time.Duration, count int64) {
		squares += float64(count) * math.Pow(latency.Seconds()-mean, 2)
	})
	return math.Sqrt(squares / max(float64(of.Count()), 1))
}

// errors is how long requests took that failed; nil: the record does not tell, and
// fortio's page takes all for failures whose status is not 200, which is right.
//
// How long those took is known of all requests together alone. Where others than those
// failed, it is somewhere between the shortest and the longest.
func errors(load summary.Load, all *stats.HistogramData) *stats.HistogramData {
	var bad, fine int64
	for _, o := range load.Result.Outcomes {
		switch {
		case o.Error == loadgen.ErrorCanceled: // which no histogram has
		case o.Failed():
			bad += o.Count
		case o.Status == http.StatusOK || o.Status == 0:
			fine += o.Count
		}
	}
	switch {
	case bad == 0:
		return stats.NewHistogram(0, resolution).Export()
	case bad == all.Count:
		return all
	case bad+fine == all.Count:
		return nil
	}
	return &stats.HistogramData{
		Count: bad, Min: all.Min, Max: all.Max,
		Data: []stats.Bucket{{Interval: stats.Interval{Start: all.Min, End: all.Max}, Percent: 100, Count: bad}},
	}
}
