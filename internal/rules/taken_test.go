package rules

import (
	"fmt"
	"strings"
	"testing"
)

func TestWhatAChangeTakesAway(t *testing.T) {
	jasons, annas := `match: [{headers: {end-user: {exact: jason}}}], `, `match: [{headers: {end-user: {exact: anna}}}], `
	below := `match: [{uri: {prefix: /a}}], `
	policy := func(spec string) string {
		return "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: ratings}\nspec: {host: ratings, " + spec + "}\n"
	}
	const pool, outlier = `connectionPool: {http: {http1MaxPendingRequests: 1}}`, `outlierDetection: {consecutive5xxErrors: 1}`
	byFront := func(gateways string) string {
		return "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: ratings}\nspec: {hosts: [ratings], gateways: [" + gateways + "], http: [{" + abort + ", " + toV1 + "}]}\n"
	}
	for name, test := range map[string]struct{ before, after, want string }{
		"nothing of what is new":         {"", ratings(`[{` + toV1 + `}]`), ""},
		"nothing of what stays":          {ratings(`[{` + toV1 + `}]`), ratings(`[{` + toV1 + `}]`), ""},
		"nothing of what is edited":      {ratings(`[{` + toV1 + `}]`), ratings(`[{` + toV2 + `}]`), ""},
		"nothing of what is narrowed":    {ratings(`[{` + toV1 + `}]`), ratings(`[{` + jasons + toV2 + `}, {` + toV1 + `}]`), ""},
		"nothing that others do as well": {ratings(`[{` + jasons + toV1 + `}, {` + toV1 + `}]`), ratings(`[{` + toV1 + `}]`), ""},
		"what stood behind a delegate": {
			ratings(`[{delegate: {name: other}}, {` + jasons + toV2 + `}, {` + toV1 + `}]`), ratings(`[{delegate: {name: other}}, {` + toV1 + `}]`), "spec.http[1] to spec.http[1]",
		},
		"nothing of what was hidden": {ratings(`[{` + toV1 + `}, {` + jasons + toV2 + `}]`), ratings(`[{` + toV1 + `}]`), ""},
		"an entry whose requests others take": {
			ratings(`[{` + jasons + toV2 + `}, {` + toV1 + `}]`), ratings(`[{` + toV1 + `}]`), "spec.http[0] to spec.http[0]",
		},
		"an entry that something wider hides now": {
			ratings(`[{` + jasons + toV2 + `}, {` + toV1 + `}]`), ratings(`[{` + toV1 + `, ` + abort + `}, {` + jasons + toV2 + `}]`), "spec.http[0] to spec.http[0]",
		},
		"an entry whose requests nobody takes": {ratings(`[{` + toV1 + `}]`), ratings(`[{` + jasons + toV2 + `}]`), "spec.http[0] to all of nobody"},
		"a part of whose requests meet the same": {
			ratings(`[{` + toV1 + `}]`), ratings(`[{` + jasons + toV1 + `}, {` + annas + toV2 + `}]`), "spec.http[0] to all of nobody",
		},
		"an entry behind one that it stood before": {
			ratings(`[{` + below + toV1 + `}, {` + jasons + toV2 + `}, {` + toV1 + `}]`), ratings(`[{` + jasons + toV2 + `}, {` + below + toV1 + `}, {` + toV1 + `}]`),
			"spec.http[0] to spec.http[0]",
		},
		"a wide one behind a narrow one, all of whose requests were its own": {
			ratings(`[{` + toV1 + `}, {` + jasons + toV2 + `}]`), ratings(`[{` + jasons + toV2 + `}, {` + toV1 + `}]`), "spec.http[0] to all of spec.http[0]",
		},
		"nothing of two that have nothing in common": {
			ratings(`[{` + annas + toV1 + `}, {` + jasons + toV2 + `}]`), ratings(`[{` + jasons + toV2 + `}, {` + annas + toV1 + `}]`), "",
		},
		"what another one stood before": {
			ratings(`[{` + annas + toV1 + `}, {` + below + toV2 + `}]`), ratings(`[{` + annas + toV1 + `}, {` + toV1 + `}]`), "spec.http[1] to spec.http[1]",
		},
		"what a host more shares": {
			strings.Replace(ratings(`[{`+toV1+`}]`), "[ratings]", "[ratings, details]", 1), ratings(`[{` + toV1 + `}]`), "spec.http[0] to all of nobody",
		},
		"a policy that is gone":      {policy(`trafficPolicy: {` + pool + `, ` + outlier + `}`), policy(`trafficPolicy: {` + pool + `}`), "spec.trafficPolicy.outlierDetection"},
		"nothing of one that is new": {policy(`trafficPolicy: {` + pool + `}`), policy(`trafficPolicy: {connectionPool: {tcp: {maxConnections: 1}}}`), ""},
		"a policy of a subset": {
			policy(`subsets: [{name: v1, trafficPolicy: {` + pool + `}}]`), policy(`subsets: [{name: v1}]`), "spec.subsets[0].trafficPolicy.connectionPool",
		},
		"nothing of one that the whole host has": {
			policy(`subsets: [{name: v1, trafficPolicy: {` + pool + `}}]`), policy(`trafficPolicy: {` + pool + `}, subsets: [{name: v1}]`), "",
		},
		"a server": {
			servers(`{port: {number: 80, name: http, protocol: HTTP}, hosts: [a, b]}, {port: {number: 81, name: two, protocol: HTTP}, hosts: [a]}`),
			servers(`{port: {number: 80, name: http, protocol: HTTP}, hosts: [a]}`), "spec.servers[0], spec.servers[1]",
		},
		"what sidecars follow no more": {
			byFront("front, mesh"), byFront("front"), "spec.http[0] to all of nobody",
		},
		"what gateways follow no more": {
			byFront("front, mesh"), byFront("mesh"), "spec.http[0] to all of nobody",
		},
		"what sidecars follow from now on": {byFront("front"), byFront("front, mesh"), ""},
		"those whom entries of a port lock out": {
			"", ratings(`[{match: [{port: 9080, headers: {end-user: {exact: jason}}}], ` + toV2 + `}]`), "spec.http to all of nobody",
		},
		"those whom entries of a workload lock out": {
			"", ratings(`[{match: [{sourceLabels: {app: web}, headers: {end-user: {exact: jason}}}], ` + toV2 + `}]`), "spec.http to all of nobody",
		},
		"nobody, where a workload has an entry for all": {"", ratings(`[{match: [{sourceLabels: {app: web}}], ` + toV2 + `}]`), ""},
		"those whom entries of a workload did not lock out": {
			ratings(`[{match: [{sourceLabels: {app: web}}], ` + toV2 + `}]`),
			ratings(`[{match: [{sourceLabels: {app: web}}], ` + toV2 + `}, {` + jasons + toV2 + `}]`), "spec.http to all of nobody",
		},
		"nothing of one for fewer": {
			servers(`{port: {number: 80, name: http, protocol: HTTP}, hosts: [a]}`), servers(`{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}`), "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			before, after := onlyObject(t, test.before), onlyObject(t, test.after)
			var words []string
			for _, p := range takenAway(before, after) {
				words = append(words, p.Path+wordTakers(p))
			}
			if got := strings.Join(words, ", "); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if want := test.want != "" || len(Parts(before, after)) > 0; Alters(Change{Before: before, After: after}) != want {
				t.Errorf("that it alters something is %v", !want)
			}
		})
	}
}

func TestADelegateLeavesTheRestToThoseBehindIt(t *testing.T) {
	o := onlyObject(t, ratings(`[{delegate: {name: other}}, {`+toV1+`}, {`+isJason("")+`, `+toV2+`}]`))
	if got := HiddenEntries(o); len(got) != 1 || got[0] != (Hidden{Path: "spec.http[2]", By: "spec.http[1]"}) {
		t.Errorf("hidden are %v", got)
	}
}

func wordTakers(p Part) string {
	var words []string
	for _, taker := range p.Takers() {
		word := taker.Path
		if word == "" {
			word = "nobody"
		}
		if taker.All {
			word = "all of " + word
		}
		words = append(words, word)
	}
	if len(words) == 0 {
		return ""
	}
	return " to " + strings.Join(words, " and ")
}

func TestWhatALoadWouldHaveMet(t *testing.T) {
	const rest = `{` + toV1 + `}`
	host := FQDN("ratings", "default")
	get := func(path string, header map[string]string) Request {
		return Request{Host: host, Port: 9080, Method: "GET", Path: path, Header: header}
	}
	from := func(app string) Request {
		r := get("/", nil)
		r.Source = map[string]string{"app": app, "version": "v1"}
		return r
	}
	for name, test := range map[string]struct {
		entry   string // that is taken away before the rest
		request Request
		want    string
	}{
		"its header":                        {isJason(""), get("/", jason), "met"},
		"another's":                         {isJason(""), get("/", map[string]string{"end-user": "anna"}), "not met"},
		"none":                              {isJason(""), get("/", nil), "not met"},
		"one in another case":               {isJason(""), get("/", map[string]string{"End-User": "jason"}), "met"},
		"one that a proxy may add":          {`match: [{headers: {x-request-id: {regex: ".*"}}}]`, get("/", nil), "not known"},
		"another host":                      {isJason(""), Request{Host: FQDN("details", "default"), Method: "GET", Header: jason}, "not met"},
		"a gateway, which does not have it": {isJason(""), Request{Host: host, Gateway: true, Method: "GET", Header: jason}, "not met"},
		"a connection":                      {isJason(""), Request{Host: host, Port: 9080}, "not met"},
		"its path":                          {`match: [{uri: {prefix: /a}}]`, get("/a/b", nil), "met"},
		"another path":                      {`match: [{uri: {exact: /a}}]`, get("/a/b", nil), "not met"},
		"a path in another case":            {`match: [{uri: {exact: /A}, ignoreUriCase: true}]`, get("/a", nil), "met"},
		"a path that a proxy makes plain":   {`match: [{uri: {exact: /a}}]`, get("/b/../a", nil), "not known"},
		"its method":                        {`match: [{method: {exact: GET}}]`, get("/", nil), "met"},
		"another port":                      {`match: [{port: 81}]`, get("/", nil), "not met"},
		"one of two matches":                {`match: [{port: 81}, {port: 9080}]`, get("/", nil), "met"},
		"what is not known of it":           {`match: [{sourceLabels: {app: web}}]`, get("/", nil), "not known"},
		"its sender":                        {`match: [{sourceLabels: {app: web}}]`, from("web"), "met"},
		"another's sender":                  {`match: [{sourceLabels: {app: web, version: v2}}]`, from("web"), "not met"},
		"a sender that nobody asks for":     {`match: [{sourceLabels: {app: other}, gateways: [mesh]}]`, from("web"), "met"},
		"what fails for another reason":     {`match: [{sourceLabels: {app: web}, port: 81}]`, get("/", nil), "not met"},
	} {
		t.Run(name, func(t *testing.T) {
			before, after := onlyObject(t, ratings(`[{`+test.entry+`, `+toV2+`}, `+rest+`]`)), onlyObject(t, ratings(`[`+rest+`]`))
			parts := takenAway(before, after)
			if len(parts) != 1 {
				t.Fatalf("it takes %v away", parts)
			}
			met, known := parts[0].Meets(test.request)
			got := map[string]bool{"met": met && known, "not met": !met && known, "not known": !known}
			if !got[test.want] {
				t.Errorf("met is %v, known %v; want %s", met, known, test.want)
			}
		})
	}
}

func TestWhatWasTakenAwayIsFollowedUntilItIsBack(t *testing.T) {
	first, second := onlyObject(t, ratings(`[{`+isJason("")+`, `+toV2+`}, {`+toV1+`}]`)), onlyObject(t, ratings(`[{`+toV1+`}]`))
	third := onlyObject(t, ratings(`[{`+toV1+`, timeout: 3s}]`))
	taken := func(parts []Part) string {
		var words []string
		for _, p := range parts {
			if p.gone {
				words = append(words, fmt.Sprint(p.Stage, " ", p.Path))
			}
		}
		return strings.Join(words, ", ")
	}
	known := Follow(nil, "given", Change{Before: first, After: second})
	later := Follow(known, "one", Change{Before: second, After: third})
	if got := taken(later); got != "given spec.http[0]" {
		t.Errorf("after another change of its object: %s", got)
	}
	if got := taken(Follow(later, "two", Change{Before: third, After: first})); got != "" {
		t.Errorf("when it is back: %s", got)
	}
	if got := taken(InLoadOf(later, "one")) + taken(InLoadOf(later, "given", "one")); got != "given spec.http[0]" {
		t.Errorf("in the loads of the stages: %s", got)
	}
}
