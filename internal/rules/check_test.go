package rules

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

func TestCheckFindsWhatIstioRefuses(t *testing.T) {
	const okRoute = `route: [{destination: {host: ratings}}]`
	vs := func(entry string) string { return ratings("[{" + entry + "}]") }
	dr := func(spec string) string {
		return "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: a}\nspec: {host: ratings, " + spec + "}"
	}
	gw := func(server string) string {
		return "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: a}\nspec: {servers: [" + server + "]}"
	}
	outlier := func(o string) string { return dr(`trafficPolicy: {outlierDetection: {` + o + `}}`) }
	for name, test := range map[string]struct {
		objects string
		want    string // the path, and a part of the message; empty: no problem
	}{
		"a plain route":                  {vs(okRoute), ""},
		"a sole destination of weight 0": {vs(`route: [{destination: {host: ratings}, weight: 0}]`), ""},
		"a full fault":                   {vs(okRoute + `, fault: {abort: {httpStatus: 500, percentage: {value: 100}}}`), ""},
		"a status that is a word":        {vs(okRoute + `, retries: {attempts: 2, retryOn: "503,reset"}`), ""},
		"an endless idle timeout":        {dr(`trafficPolicy: {connectionPool: {tcp: {idleTimeout: 0s}}}`), ""},
		"an empty prefix of a path":      {vs(okRoute + `, match: [{uri: {prefix: ""}}]`), ""},
		"no header, as Istio has it":     {vs(okRoute + `, match: [{withoutHeaders: {a: {regex: "*"}}}]`), ""},
		"a subset in capitals":           {subsets(`[{name: V1}]`), ""},
		"a service of a domain":          {vs(`route: [{destination: {host: "ratings.default.svc.cluster.local."}}]`), ""},
		"a cookie of the session":        {dr(`trafficPolicy: {loadBalancer: {consistentHash: {httpCookie: {name: user, ttl: 0s}}}}`), ""},
		"full ejection":                  {outlier(`maxEjectionPercent: 100`), ""},
		"a tls server":                   {gw(`{port: {number: 443, name: https, protocol: HTTPS}, hosts: ["*"], tls: {mode: PASSTHROUGH}}`), ""},

		"abort of 199":            {vs(okRoute + `, fault: {abort: {httpStatus: 199, percentage: {value: 1}}}`), "spec.http[0].fault.abort.httpStatus 200 to 599"},
		"percentage of 101":       {vs(okRoute + `, fault: {abort: {httpStatus: 500, percentage: {value: 101}}}`), "spec.http[0].fault.abort.percentage 0.0001 to 100"},
		"percentage of 0.00001":   {vs(okRoute + `, fault: {delay: {fixedDelay: 1s, percentage: {value: 0.00001}}}`), "spec.http[0].fault.delay.percentage 0.0001 to 100"},
		"an exponential delay":    {vs(okRoute + `, fault: {delay: {exponentialDelay: 1s, percentage: {value: 1}}}`), "spec.http[0].fault.delay.exponentialDelay fixedDelay"},
		"an http2Error":           {vs(okRoute + `, fault: {abort: {http2Error: x, percentage: {value: 1}}}`), "spec.http[0].fault.abort.http2Error httpStatus"},
		"a wrong grpcStatus":      {vs(okRoute + `, fault: {abort: {grpcStatus: NOTFOUND, percentage: {value: 1}}}`), "spec.http[0].fault.abort.grpcStatus did you mean NOT_FOUND?"},
		"the number of one":       {vs(okRoute + `, fault: {abort: {grpcStatus: "14", percentage: {value: 1}}}`), `spec.http[0].fault.abort.grpcStatus "14" is a number, and codes of gRPC stand by their names; did you mean UNAVAILABLE?`},
		"an empty fault":          {vs(okRoute + `, fault: {}`), "spec.http[0].fault neither"},
		"a delay of microseconds": {vs(okRoute + `, fault: {delay: {fixedDelay: 10us, percentage: {value: 1}}}`), "spec.http[0].fault.delay.fixedDelay the duration is 10µs"},
		"a timeout of 0":          {vs(okRoute + `, timeout: 0s`), "spec.http[0].timeout the duration is 0s"},
		"a timeout of 1.5 ms":     {vs(okRoute + `, timeout: 1500us`), "spec.http[0].timeout whole milliseconds"},
		"fault beside a redirect": {vs(`redirect: {uri: /}, fault: {abort: {httpStatus: 500, percentage: {value: 1}}}`), "spec.http[0].fault cannot stand beside redirect"},
		"fault beside an answer":  {vs(`directResponse: {status: 200}, fault: {abort: {httpStatus: 500, percentage: {value: 1}}}`), "spec.http[0].fault cannot stand beside directResponse"},
		"mirror and mirrors":      {vs(okRoute + `, mirror: {host: a}, mirrors: [{destination: {host: a}}]`), "spec.http[0].mirror cannot stand beside mirrors"},
		"a mirror of 101":         {vs(okRoute + `, mirror: {host: a}, mirrorPercentage: {value: 101}`), "spec.http[0].mirrorPercentage from 0 to 100"},
		"nowhere to go":           {vs(`timeout: 1s`), "spec.http[0] none of route"},
		"a negative weight":       {vs(`route: [{destination: {host: ratings}, weight: -1}]`), "spec.http[0].route[0].weight -1"},
		"weights that sum to 0":   {vs(`route: [{destination: {host: ratings}}, {destination: {host: reviews}}]`), "spec.http[0].route sum to 0"},
		"no destination":          {vs(`route: [{weight: 1}]`), "spec.http[0].route[0].destination missing"},
		"a port of 0":             {vs(`route: [{destination: {host: ratings, port: {}}}]`), "spec.http[0].route[0].destination.port.number 0 is not a port"},
		"a wrong retryOn":         {vs(okRoute + `, retries: {attempts: 1, retryOn: "5xx,gatewayerror"}`), "spec.http[0].retries.retryOn did you mean gateway-error?"},
		"a space in retryOn":      {vs(okRoute + `, retries: {attempts: 1, retryOn: "5xx, reset"}`), `spec.http[0].retries.retryOn " reset"`},
		"retries that are off":    {vs(okRoute + `, retries: {attempts: 0, retryOn: 5xx}`), "spec.http[0].retries.attempts switches retries off"},
		"a wrong regex":           {vs(okRoute + `, match: [{headers: {a: {regex: "("}}}]`), "spec.http[0].match[0].headers.a.regex missing closing"},
		"an empty prefix":         {vs(okRoute + `, match: [{headers: {a: {prefix: ""}}}]`), "spec.http[0].match[0].headers.a.prefix is empty"},
		"a claim in sidecars":     {vs(okRoute + `, match: [{headers: {"@request.auth.claims.sub": {exact: a}}}]`), `spec.http[0].match[0].headers["@request.auth.claims.sub"] gateways alone`},
		"a header of HTTP/2":      {vs(okRoute + `, match: [{headers: {":x": {}}}]`), `spec.http[0].match[0].headers[":x"] not the name of a header`},
		"a label that is none":    {vs(okRoute + `, match: [{sourceLabels: {app: "a b"}}]`), "spec.http[0].match[0].sourceLabels.app cannot be the value"},
		"a gateway that is none":  {vs(okRoute + `, match: [{gateways: ["a b"]}]`), "spec.http[0].match[0].gateways not the name of a gateway"},
		"a value in two lines":    {vs(okRoute + `, headers: {request: {set: {a: "b\nc"}}}`), "spec.http[0].headers.request.set.a control character"},
		"the path, set":           {vs(okRoute + `, headers: {request: {set: {":path": /x}}}`), "spec.http[0].headers.request.set :path is no header that can be changed"},
		"the host, removed":       {vs(okRoute + `, headers: {request: {remove: [host]}}`), "spec.http[0].headers.request.remove a request's alone"},
		"a header without a name": {vs(okRoute + `, headers: {response: {remove: [""]}}`), "spec.http[0].headers.response.remove has no name"},
		"the host of an answer":   {vs(`route: [{destination: {host: ratings}, headers: {response: {set: {host: a}}}}]`), "spec.http[0].route[0].headers.response.set a request's alone"},
		"a host with a blank":     {vs(`route: [{destination: {host: "a b"}}]`), "spec.http[0].route[0].destination.host is no host"},
		"a host that is a number": {vs(`mirror: {host: a.1}, ` + okRoute), "spec.http[0].mirror.host is no host"},
		"a host twice":            {strings.Replace(vs(okRoute), "hosts: [ratings]", `hosts: ["*.a.b", c.a.b]`, 1), "spec.hosts[1] is among *.a.b"},
		"a header that is none":   {vs(okRoute + `, match: [{headers: {"a b": {}}}]`), `spec.http[0].match[0].headers["a b"] not the name of a header`},
		"no http, tcp or tls":     {ratings(`[]`), "spec none of http"},
		"an empty host":           {strings.Replace(vs(okRoute), "hosts: [ratings]", `hosts: [""]`, 1), "spec.hosts[0] is empty"},
		"every host in sidecars":  {strings.Replace(vs(okRoute), "hosts: [ratings]", `hosts: ["*"]`, 1), "spec.hosts[0] gateways alone"},
		"a tcp entry to nowhere":  {strings.Replace(ratings(`[{}]`), "http", "tcp", 1), "spec.tcp[0].route at least one destination"},

		"ejection of 101%":           {outlier(`maxEjectionPercent: 101`), "spec.trafficPolicy.outlierDetection.maxEjectionPercent from 0 to 100"},
		"a limit below 0":            {dr(`trafficPolicy: {connectionPool: {tcp: {maxConnections: -1}}}`), "spec.trafficPolicy.connectionPool.tcp.maxConnections below 0"},
		"an empty pool":              {dr(`trafficPolicy: {connectionPool: {}}`), "spec.trafficPolicy.connectionPool neither tcp nor http"},
		"an empty policy":            {dr(`trafficPolicy: {}`), "spec.trafficPolicy no field"},
		"a subset twice":             {subsets(`[{name: v1}, {name: v1}]`), "spec.subsets[1].name stands twice"},
		"a subset's wrong name":      {subsets(`[{name: v_1}]`), "spec.subsets[0].name letters, digits"},
		"no host of a policy":        {strings.Replace(subsets(`[]`), "host: ratings", "host: ''", 1), "spec.host missing"},
		"an empty gateway":           {gw(``), "spec.servers at least one"},
		"a gateway without hosts":    {gw(`{port: {number: 80, name: http, protocol: HTTP}}`), "spec.servers[0].hosts at least one"},
		"a gateway's wrong protocol": {gw(`{port: {number: 80, name: http, protocol: HTP}, hosts: ["*"]}`), "spec.servers[0].port.protocol did you mean HTTP?"},
		"a server of a short name":   {gw(`{port: {number: 80, name: http, protocol: HTTP}, hosts: [ratings]}`), "spec.servers[0].hosts[0] no host of a gateway"},
		"a gateway's wildcard":       {gw(`{port: {number: 80, name: http, protocol: HTTP}, hosts: ["shop/*-a.b"]}`), "spec.servers[0].hosts[0] no host of a gateway"},
		"https without tls":          {gw(`{port: {number: 443, name: https, protocol: HTTPS}, hosts: ["*"]}`), "spec.servers[0].tls needs it"},
	} {
		t.Run(name, func(t *testing.T) {
			problems := Check(readAll(t, test.objects))
			if test.want == "" {
				for _, p := range problems {
					t.Errorf("unexpected: %s", p)
				}
				return
			}
			cut := strings.Index(test.want, " ")
			if strings.Contains(test.want, `"]`) {
				cut = strings.Index(test.want, `"]`) + len(`"]`)
			}
			path, message := test.want[:cut], test.want[cut+1:]
			for _, p := range problems {
				if p.Path == path && strings.Contains(p.Message, message) {
					return
				}
			}
			t.Errorf("got %v, want %s", problems, test.want)
		})
	}
}

func TestCheckTakesADelegateThatIsUsed(t *testing.T) {
	root := ratings(`[{delegate: {name: part}}]`)
	part := strings.NewReplacer("name: ratings", "name: part", "hosts: [ratings], ", "").Replace(ratings(`[{route: [{destination: {host: ratings}}]}]`))
	if problems := Check(readAll(t, root+part)); len(problems) > 0 {
		t.Error(problems)
	}
}

func TestCheckIsContentWithWhatMergeMakes(t *testing.T) {
	limit := func(n int32) *int32 { return &n }
	once := uint32(1)
	intents := []Intent{
		route("productpage", nil, Share{"v1", 0}),
		route("details", nil, Share{"v1", 0}),
		route("reviews", nil, Share{"v1", 90}, Share{"v2", 10}),
		route("reviews", jason, Share{"v2", 0}),
		route("ratings", nil, Share{"v1", 0}),
		fault("ratings", jason, 7*time.Second, 0, 100),
		fault("details", nil, time.Second, 503, 12.5),
		&Breaker{Service: yamlnode.Names{"details"}, MaxConnections: limit(1), HTTP1MaxPendingRequests: limit(1), HTTP2MaxRequests: limit(1), MaxRequestsPerConnection: limit(1)},
		&Breaker{
			Service: yamlnode.Names{"ratings"}, ConsecutiveGatewayErrors: &once, MaxEjectionPercent: limit(100),
			Interval: yamlnode.Duration{Duration: time.Second}, BaseEjectionTime: yamlnode.Duration{Duration: 3 * time.Minute},
		},
	}
	for name, objects := range map[string][]*Object{
		"beside no object":          nil,
		"beside Bookinfo's objects": append(sample(t, "virtual-service-all-v1.yaml"), sample(t, "destination-rule-all.yaml")...),
	} {
		changes, err := Merge(objects, bookinfo, "default", intents)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(changes) < 5 || !slices.IsSortedFunc(changes, InWritingOrder) || changes[0].Ref().Kind != DestinationRule {
			t.Errorf("%s: the changes are %v", name, changes)
		}
		for _, c := range changes {
			objects = Put(objects, c.After)
		}
		for _, p := range Check(objects) {
			t.Errorf("%s: %s", name, p)
		}
	}
}
