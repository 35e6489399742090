package secret

import (
	"reflect"
	"strings"
	"sync"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// words are those that a report has whatever was run, in lower case: the names of its
// fields, what its fields of a few values hold, and what its sentences are made of.
var words = sync.OnceValue(func() []string {
	all := strings.Fields(`
		istio embedded default istio-system localhost cluster namespace mesh stdin
		passed failed failing inconclusive restored created updated deleted
		request requests response connection connections proxy proxies sidecar gateway access
		service services version versions expectation expectations percent pages status
		virtualservice destinationrule serviceentry telemetry envoyfilter configmap deployment
		sha256: windows/amd64 linux/amd64 linux/arm64 darwin/amd64 darwin/arm64`)
	for _, word := range []string{
		report.APIVersion, report.Kind, report.KindList, report.KindComparison, report.KindHistory, report.KindMutation,
		string(report.Pass), string(report.Fail), string(report.Inconclusive), report.Given, report.Baseline, report.During, report.Recovery,
		string(report.Number), string(report.Seconds), string(report.Share), report.WhySlowest, report.WhyAnswer,
		string(report.Regressed), string(report.Improved), string(report.Changed), string(report.Alike),
		string(report.Killed), string(report.Survived), string(report.Excused), string(report.Unknown),
		report.Faults, report.Overflows, report.Ejections, report.Requests, report.RetryOverflows, report.Connections, report.Imbalance,
		loadgen.EngineEpoll, loadgen.EngineNetHTTP, loadgen.EngineFortio, loadgen.ArrivalPoisson, loadgen.Mixed,
		loadgen.ErrorTimeout, loadgen.ErrorRefused, loadgen.ErrorReset, loadgen.ErrorEOF, loadgen.ErrorTLS, loadgen.ErrorCanceled, loadgen.ErrorOther,
	} {
		all = append(all, strings.ToLower(word))
	}
	eachField(reflect.TypeFor[report.Record](), map[reflect.Type]bool{}, func(_ reflect.Type, field reflect.StructField) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		all = append(all, strings.ToLower(name))
	})
	return all
})

// eachField calls each with the fields of a type, and of those that it holds.
func eachField(of reflect.Type, done map[reflect.Type]bool, each func(reflect.Type, reflect.StructField)) {
	switch of.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		eachField(of.Elem(), done, each)
	case reflect.Struct:
		if done[of] {
			return
		}
		done[of] = true
		for i := range of.NumField() {
			if field := of.Field(i); field.IsExported() {
				each(of, field)
				eachField(field.Type, done, each)
			}
		}
	}
}
