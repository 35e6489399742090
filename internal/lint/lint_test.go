package lint

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// readAll decodes the YAML objects of a text, which --- parts, in the namespace
// default.
func readAll(t *testing.T, text string) []*rules.Object {
	t.Helper()
	var all []*rules.Object
	for _, part := range strings.Split(text, "---\n") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		manifest, err := yaml.YAMLToJSON([]byte(part))
		if err != nil {
			t.Fatal(err)
		}
		o, err := rules.DecodeFile(manifest)
		if err != nil {
			t.Fatalf("%v in\n%s", err, part)
		}
		o.Namespace = "default"
		all = append(all, o)
	}
	return all
}

func virtualService(name, spec string) string {
	return "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: " + name + "}\nspec: {" + spec + "}\n---\n"
}

func destinationRule(name, spec string) string {
	return "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: " + name + "}\nspec: {host: ratings, " + spec + "}\n---\n"
}

const toRatings = `route: [{destination: {host: ratings}}]`

// entry is a VirtualService for ratings with one http entry that has a route, and
// more.
func entry(more string) string {
	return virtualService("ratings", "hosts: [ratings], http: [{"+toRatings+", "+more+"}]")
}

// routes is one whose entry has these destinations.
func routes(list string) string {
	return virtualService("ratings", "hosts: [ratings], http: [{route: ["+list+"]}]")
}

func policyOf(block string) string { return destinationRule("ratings", "trafficPolicy: {"+block+"}") }

func outlier(o string) string { return policyOf("outlierDetection: {" + o + "}") }

func TestEachTrapIsFoundAndItsNeighbourIsNot(t *testing.T) {
	pods := func(versions ...string) map[string][]map[string]string {
		var all []map[string]string
		for _, version := range versions {
			all = append(all, map[string]string{"app": "ratings", "version": version})
		}
		return map[string][]map[string]string{"ratings.default.svc.cluster.local": all}
	}
	const delay, abort = `fault: {delay: {fixedDelay: 1s, percentage: {value: 50}}}`, `fault: {abort: {httpStatus: 500, percentage: {value: 50}}}`
	v1 := destinationRule("ratings", "subsets: [{name: v1}]")
	wildcard := strings.Replace(policyOf("tls: {mode: ISTIO_MUTUAL}"), "host: ratings", `host: "*.local"`, 1)
	all, closed := Around{All: true}, Around{All: true, Closed: true}
	for name, test := range map[string]struct {
		objects string
		around  Around
		want    string // the trap, the path and a part of the message; empty: no warning
	}{
		"delay beside a timeout":                 {objects: entry(`timeout: 1s, ` + delay), want: "fault-beside-timeout spec.http[0].fault not charged to the timeout"},
		"delay beside a timeout of each try":     {objects: entry(`retries: {attempts: 1, perTryTimeout: 1s, retryOn: 5xx}, ` + delay), want: "fault-beside-timeout spec.http[0].fault not charged"},
		"abort beside retries":                   {objects: entry(`retries: {attempts: 1}, ` + abort), want: "fault-beside-timeout spec.http[0].fault never retried"},
		"abort beside a timeout":                 {objects: entry(`timeout: 1s, ` + abort)},
		"abort where retries are off":            {objects: entry(`retries: {attempts: 0}, ` + abort)},
		"delay beside retries without a timeout": {objects: entry(`retries: {attempts: 1}, ` + delay)},

		"no percentage":     {objects: entry(`fault: {delay: {fixedDelay: 1s}}`), want: "fault-without-percentage spec.http[0].fault.delay means 0%"},
		"percentage of 0":   {objects: entry(`fault: {abort: {httpStatus: 500, percentage: {value: 0}}}`), want: "fault-of-zero-percent spec.http[0].fault.abort.percentage never bites"},
		"an empty one":      {objects: entry(`fault: {abort: {httpStatus: 500, percentage: {}}}`), want: "fault-of-zero-percent spec.http[0].fault.abort.percentage never bites"},
		"percentage of 0.5": {objects: entry(`fault: {delay: {fixedDelay: 1s, percentage: {value: 0.5}}}`), want: "fault-below-one-percent spec.http[0].fault.delay.percentage 0.5% of the requests"},
		"percentage of 1":   {objects: entry(`fault: {delay: {fixedDelay: 1s, percentage: {value: 1}}}`)},
		"the old percent":   {objects: entry(`fault: {delay: {fixedDelay: 1s, percent: 50}}`), want: "fault-with-old-percent spec.http[0].fault.delay.percent write percentage: {value: 50}"},
		"both percents":     {objects: entry(`fault: {delay: {fixedDelay: 1s, percent: 50, percentage: {value: 50}}}`)},
		"no delay":          {objects: entry(`fault: {delay: {percentage: {value: 50}}}`), want: "fault-without-effect spec.http[0].fault.delay no fixedDelay"},
		"no status":         {objects: entry(`fault: {abort: {percentage: {value: 50}}}`), want: "fault-without-effect spec.http[0].fault.abort no httpStatus"},

		"a mirror of nothing":               {objects: entry(`mirror: {host: reviews}, mirrorPercentage: {value: 0}`), want: "mirror-of-zero-percent spec.http[0].mirrorPercentage nothing is mirrored"},
		"a mirror of an empty percentage":   {objects: entry(`mirror: {host: reviews}, mirrorPercentage: {}`), want: "mirror-of-zero-percent spec.http[0].mirrorPercentage nothing is mirrored"},
		"a mirror of the old percent":       {objects: entry(`mirror: {host: reviews}, mirrorPercent: 0`), want: "mirror-of-zero-percent spec.http[0].mirrorPercent nothing is mirrored"},
		"one of several mirrors":            {objects: entry(`mirrors: [{destination: {host: reviews}}, {destination: {host: details}, percentage: {value: 0}}]`), want: "mirror-of-zero-percent spec.http[0].mirrors[1].percentage nothing is mirrored"},
		"a mirror of all":                   {objects: entry(`mirror: {host: reviews}`)},
		"a mirror of some":                  {objects: entry(`mirror: {host: reviews}, mirrorPercentage: {value: 0.1}`)},
		"a mirror whose old percent is old": {objects: entry(`mirror: {host: reviews}, mirrorPercentage: {value: 5}, mirrorPercent: 0`)},

		"perTryTimeout of no use":         {objects: entry(`retries: {attempts: 1, perTryTimeout: 1s, retryOn: connect-failure}`), want: "per-try-timeout-without-retry spec.http[0].retries.perTryTimeout only with 5xx"},
		"perTryTimeout and the default":   {objects: entry(`retries: {attempts: 1, perTryTimeout: 1s}`), want: "per-try-timeout-without-retry spec.http[0].retries.perTryTimeout only with 5xx"},
		"perTryTimeout and gateway-error": {objects: entry(`retries: {attempts: 1, perTryTimeout: 1s, retryOn: "connect-failure,gateway-error"}`)},
		"perTryTimeout too long":          {objects: entry(`timeout: 1s, retries: {attempts: 1, perTryTimeout: 1s, retryOn: 5xx}`), want: "per-try-timeout-too-long spec.http[0].retries.perTryTimeout below the timeout"},
		"perTryTimeout short enough":      {objects: entry(`timeout: 1s, retries: {attempts: 1, perTryTimeout: 999ms, retryOn: 5xx}`)},

		"consecutiveErrors":              {objects: outlier(`consecutiveErrors: 5, maxEjectionPercent: 100`), want: "consecutive-errors spec.trafficPolicy.outlierDetection.consecutiveErrors ignores it"},
		"consecutiveErrors of a subset":  {objects: destinationRule("ratings", `subsets: [{name: v1, trafficPolicy: {outlierDetection: {consecutiveErrors: 5, maxEjectionPercent: 100}}}]`), want: "consecutive-errors spec.subsets[0].trafficPolicy.outlierDetection.consecutiveErrors ignores it"},
		"ejection by default":            {objects: outlier(`consecutive5xxErrors: 1`), want: "ejects-nobody spec.trafficPolicy.outlierDetection.maxEjectionPercent with 10% (the default) nothing is ejected from a service of fewer than 10"},
		"ejection of a third":            {objects: outlier(`maxEjectionPercent: 33`)},
		"ejection of a third of three":   {objects: outlier(`maxEjectionPercent: 33`), around: Around{Ready: pods("v1", "v1", "v2")}, want: "ejects-nobody spec.trafficPolicy.outlierDetection.maxEjectionPercent fewer than 4 endpoints, and ratings.default.svc.cluster.local has 3"},
		"ejection of 34% of three":       {objects: outlier(`maxEjectionPercent: 34`), around: Around{Ready: pods("v1", "v1", "v2")}},
		"ejection of the default of ten": {objects: outlier(`consecutive5xxErrors: 1`), around: Around{Ready: pods(strings.Split(strings.Repeat("v1 ", 10)[:29], " ")...)}},
		"ejection of half of a subset":   {objects: destinationRule("ratings", `subsets: [{name: v2, labels: {version: v2}, trafficPolicy: {outlierDetection: {maxEjectionPercent: 50}}}]`), around: Around{Ready: pods("v1", "v1", "v2")}, want: "ejects-nobody spec.subsets[0].trafficPolicy.outlierDetection.maxEjectionPercent fewer than 2 endpoints"},
		"an ejection for nothing":        {objects: outlier(`consecutive5xxErrors: 0, maxEjectionPercent: 100`), want: "ejects-nobody spec.trafficPolicy.outlierDetection.consecutive5xxErrors nothing is ever ejected"},
		"an ejection for timeouts":       {objects: outlier(`consecutive5xxErrors: 0, consecutiveGatewayErrors: 3, maxEjectionPercent: 100`)},
		"an ejection for lost endpoints": {objects: outlier(`consecutive5xxErrors: 0, splitExternalLocalOriginErrors: true, maxEjectionPercent: 100`)},
		"gateway errors above others":    {objects: outlier(`consecutive5xxErrors: 3, consecutiveGatewayErrors: 4, maxEjectionPercent: 100`), want: "gateway-errors-without-effect spec.trafficPolicy.outlierDetection.consecutiveGatewayErrors of which 3 are enough"},
		"as many gateway errors":         {objects: outlier(`consecutive5xxErrors: 3, consecutiveGatewayErrors: 3, maxEjectionPercent: 100`), want: "gateway-errors-without-effect spec.trafficPolicy.outlierDetection.consecutiveGatewayErrors of which 3 are enough"},
		"gateway errors beside five":     {objects: outlier(`consecutiveGatewayErrors: 5, maxEjectionPercent: 100`), want: "gateway-errors-without-effect spec.trafficPolicy.outlierDetection.consecutiveGatewayErrors of which 5 (the default) are enough"},
		"fewer gateway errors":           {objects: outlier(`consecutive5xxErrors: 3, consecutiveGatewayErrors: 2, maxEjectionPercent: 100`)},
		"fewer of them than five":        {objects: outlier(`consecutiveGatewayErrors: 4, maxEjectionPercent: 100`)},
		"gateway errors switched off":    {objects: outlier(`consecutive5xxErrors: 3, consecutiveGatewayErrors: 0, maxEjectionPercent: 100`)},
		"full ejection":                  {objects: outlier(`maxEjectionPercent: 100`), around: Around{Ready: pods("v1")}},

		"a limit of 0":                {objects: policyOf(`connectionPool: {http: {http1MaxPendingRequests: 0, http2MaxRequests: 1}}`), want: "zero-limit spec.trafficPolicy.connectionPool.http.http1MaxPendingRequests no limit"},
		"a pool that only queues":     {objects: policyOf(`connectionPool: {tcp: {maxConnections: 1}, http: {maxRequestsPerConnection: 1}}`), want: "pool-that-queues spec.trafficPolicy.connectionPool.tcp.maxConnections turns no request away"},
		"a pool of TCP":               {objects: policyOf(`connectionPool: {tcp: {maxConnections: 1}}`)},
		"a pool that limits":          {objects: policyOf(`connectionPool: {tcp: {maxConnections: 1}, http: {http1MaxPendingRequests: 1}}`)},
		"a pool that limits requests": {objects: policyOf(`connectionPool: {tcp: {maxConnections: 1}, http: {http2MaxRequests: 1}}`)},
		"a pool that sets nothing":    {objects: policyOf(`connectionPool: {tcp: {}}`), want: "policy-without-effect spec.trafficPolicy.connectionPool sets nothing"},
		"a balancer that is nothing":  {objects: policyOf(`portLevelSettings: [{port: {number: 80}, loadBalancer: {}}]`), want: "policy-without-effect spec.trafficPolicy.portLevelSettings[0].loadBalancer sets nothing"},
		"a balancer that is set":      {objects: policyOf(`loadBalancer: {simple: RANDOM}`)},

		"a subset of nobody":               {objects: routes(`{destination: {host: ratings, subset: v9}}`) + v1, want: "missing-subset spec.http[0].route[0].destination.subset subset v9"},
		"a subset that is there":           {objects: routes(`{destination: {host: ratings, subset: v1}}`) + v1},
		"a subset that may be elsewhere":   {objects: routes(`{destination: {host: ratings, subset: v9}}`)},
		"a subset beside a wildcard":       {objects: routes(`{destination: {host: ratings, subset: v9}}`) + wildcard},
		"a subset of a wildcard, and all":  {objects: routes(`{destination: {host: ratings, subset: v9}}`) + wildcard, around: all, want: "missing-subset spec.http[0].route[0].destination.subset subset v9"},
		"a subset that is nowhere":         {objects: routes(`{destination: {host: ratings, subset: v9}}`), around: all, want: "missing-subset spec.http[0].route[0].destination.subset subset v9"},
		"a subset that nothing is sent to": {objects: routes(`{destination: {host: ratings, subset: v1}, weight: 100}, {destination: {host: ratings, subset: v9}, weight: 0}`) + v1},
		"a missing weight":                 {objects: routes(`{destination: {host: ratings}, weight: 90}, {destination: {host: reviews}}`), want: "missing-weight spec.http[0].route[1] weight: 10 for the rest"},
		"a missing weight of TCP":          {objects: virtualService("ratings", `hosts: [ratings], tcp: [{route: [{destination: {host: ratings}}, {destination: {host: reviews}, weight: 20}]}]`), want: "missing-weight spec.tcp[0].route[0] weight: 80 for the rest"},
		"all or nothing":                   {objects: routes(`{destination: {host: ratings}, weight: 100}, {destination: {host: reviews}, weight: 0}`)},
		"weights of thirds":                {objects: routes(`{destination: {host: ratings}, weight: 1}, {destination: {host: reviews}, weight: 2}`)},
		"a sole destination":               {objects: routes(`{destination: {host: ratings}}`)},

		"an entry behind another":    {objects: virtualService("ratings", `hosts: [ratings], http: [{`+toRatings+`}, {match: [{uri: {prefix: /a}}], `+toRatings+`}]`), want: "unreachable-entry spec.http[1] since spec.http[0] before it"},
		"an entry before another":    {objects: virtualService("ratings", `hosts: [ratings], http: [{match: [{uri: {prefix: /a}}], `+toRatings+`}, {`+toRatings+`}]`)},
		"a gateway that is not ours": {objects: entry(`match: [{gateways: [g]}]`), want: "unbound-gateway spec.http[0].match[0].gateways not bound to default/g"},
		"sourceLabels and gateways":  {objects: entry(`match: [{gateways: [mesh], sourceLabels: {a: b}}]`), want: "source-beside-gateways spec.http[0].match[0].gateways ignores"},
		"sourceLabels":               {objects: entry(`match: [{sourceLabels: {a: b}}]`)},
		"no host and no delegate":    {objects: virtualService("ratings", "http: [{"+toRatings+"}]"), around: closed, want: "missing-host spec.hosts nothing follows it"},
		"no host, and others around": {objects: virtualService("ratings", "http: [{"+toRatings+"}]"), around: all},
		"a delegate":                 {objects: virtualService("root", "hosts: [ratings], http: [{delegate: {name: part}}]") + virtualService("part", "http: [{"+toRatings+"}]"), around: closed},
	} {
		t.Run(name, func(t *testing.T) {
			objects := readAll(t, test.objects)
			test.around.Objects = objects
			found := Find(objects, test.around)
			if test.want == "" {
				for _, w := range found {
					t.Errorf("unexpected: %+v", w)
				}
				return
			}
			words := strings.SplitN(test.want, " ", 3)
			if len(found) != 1 || found[0].Trap != words[0] || found[0].Path != words[1] || !strings.Contains(found[0].Message, words[2]) {
				t.Errorf("got %+v, want %s", found, test.want)
			}
		})
	}
}

func TestTwoRulesOfOneHost(t *testing.T) {
	toV1 := virtualService("one", "hosts: [ratings], http: [{"+toRatings+"}]")
	for name, test := range map[string]struct {
		objects string
		want    string // the trap, of each of the two; empty: none
	}{
		"of sidecars":             {toV1 + strings.Replace(toV1, "one", "two", 1), "two-virtual-services"},
		"of two spellings":        {toV1 + virtualService("two", "hosts: [ratings.default.svc.cluster.local], http: [{"+toRatings+"}]"), "two-virtual-services"},
		"of a gateway":            {toV1 + virtualService("two", "hosts: [ratings], gateways: [g], http: [{"+toRatings+"}]"), ""},
		"two policies":            {policyOf("loadBalancer: {simple: RANDOM}") + destinationRule("two", "trafficPolicy: {loadBalancer: {simple: RANDOM}}"), "two-destination-rules"},
		"a policy and subsets":    {policyOf("loadBalancer: {simple: RANDOM}") + destinationRule("two", "subsets: [{name: v1}]"), ""},
		"the same subset":         {destinationRule("one", "subsets: [{name: v1}]") + destinationRule("two", "subsets: [{name: v1}]"), "two-destination-rules"},
		"subsets beside others":   {destinationRule("one", "subsets: [{name: v1}]") + destinationRule("two", "subsets: [{name: v2}]"), ""},
		"for different workloads": {policyOf("loadBalancer: {simple: RANDOM}") + destinationRule("two", "workloadSelector: {matchLabels: {app: a}}, trafficPolicy: {loadBalancer: {simple: RANDOM}}"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			objects := readAll(t, test.objects)
			found := Find(objects, Around{Objects: objects})
			if test.want == "" && len(found) > 0 || test.want != "" && len(found) != 2 {
				t.Fatalf("got %+v, want %q of each", found, test.want)
			}
			for _, w := range found {
				if w.Trap != test.want {
					t.Errorf("%+v", w)
				}
			}
		})
	}
}

func TestAnAnnotationSilencesATrapOfItsObject(t *testing.T) {
	for annotation, want := range map[string]struct{ silenced, idle, wrong string }{
		`lint.meshchaos/fault-beside-timeout: it shows just that`:       {silenced: "fault-beside-timeout"},
		`lint.meshchaos/zero-limit: it is old`:                          {idle: `it silences zero-limit, and the object is not caught in that`},
		`lint.meshchaos/two-virtual-services: another namespace's has`:  {}, // what lies around cannot be known
		`lint.meshchaos/fault-beside-timeouts: it shows just that`:      {wrong: "did you mean fault-beside-timeout?"},
		`lint.meshchaos/fault-beside-timeout: " "`:                      {wrong: "gives no reason", silenced: "fault-beside-timeout"},
		`lint.meshchaos/idle-silence: x, lint.meshchaos/zero-limit: it`: {idle: "zero-limit", silenced: "idle-silence"},
	} {
		text := strings.Replace(entry(`timeout: 1s, fault: {delay: {fixedDelay: 1s, percentage: {value: 50}}}`), "name: ratings", "name: ratings, annotations: {"+annotation+"}", 1)
		o := readAll(t, text)[0]
		found := Find([]*rules.Object{o}, Around{})
		idle := slices.IndexFunc(found, func(w Warning) bool { return w.Trap == IdleSilence })
		if got := idle >= 0; got != (want.idle != "") || got && !strings.Contains(found[idle].Message, want.idle) {
			t.Errorf("%s: found %+v, want of the silence %q", annotation, found, want.idle)
		}
		for _, id := range IDs() {
			if Silenced(o, id) != (id == want.silenced) && id != "zero-limit" && id != "two-virtual-services" {
				t.Errorf("%s: %s is silenced: %v", annotation, id, Silenced(o, id))
			}
		}
		wrong := fmt.Sprint(CheckSilences(o))
		if want.wrong == "" && wrong != "[]" || !strings.Contains(wrong, want.wrong) {
			t.Errorf("%s: wrong is %s, want %q", annotation, wrong, want.wrong)
		}
	}
}

func TestEachTrapIsAFile(t *testing.T) {
	for _, id := range IDs() {
		if _, err := os.Stat(strings.ReplaceAll(id, "-", "_") + ".go"); err != nil {
			t.Error(err)
		}
	}
}
