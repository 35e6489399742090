package rules

import (
	"testing"

	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

func headers(request, response HeaderOperations) *Headers {
	return &Headers{Service: yamlnode.Names{"ratings"}, Request: request, Response: response}
}

func TestHeadersAreChangedInTheEntriesOfTheirRequests(t *testing.T) {
	gold := HeaderOperations{Set: map[string]string{"x-tier": "gold"}, Add: map[string]string{"x-via": "mesh"}, Remove: []string{"x-debug"}}
	some := headers(gold, HeaderOperations{})
	some.When = jason
	const golden = `{set: {x-tier: gold}, add: {x-via: mesh}, remove: [x-debug]}`
	for name, test := range map[string]struct {
		http   string
		intent Intent
		want   string
	}{
		"of answers":              {`[{` + toV1 + `}]`, headers(HeaderOperations{}, gold), `[{` + toV1 + `, headers: {response: ` + golden + `}}]`},
		"of some requests":        {`[{` + toV1 + `}]`, some, `[{` + isJason("") + `, ` + toV1 + `, headers: {request: ` + golden + `}}, {` + toV1 + `}]`},
		"beside those of answers": {`[{` + toV1 + `, headers: {response: {set: {a: b}}}}]`, headers(gold, HeaderOperations{}), `[{` + toV1 + `, headers: {request: ` + golden + `, response: {set: {a: b}}}}]`},
		"beside others, and in the place of the same": {
			`[{` + toV1 + `, headers: {request: {set: {X-Tier: iron, X-Debug: "1", a: b}, add: {x-tier: tin, x-via: me, c: d}, remove: [x-debug, X-TIER, e]}}}]`, headers(gold, HeaderOperations{}),
			`[{` + toV1 + `, headers: {request: {set: {x-tier: gold, a: b}, add: {x-via: mesh, c: d}, remove: [e, x-debug]}}}]`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			compareHTTP(t, mergeOne(t, ratings(test.http), test.intent), test.want)
		})
	}
}

func TestHeadersAreRefusedWithTheReason(t *testing.T) {
	set := func(name, value string) HeaderOperations {
		return HeaderOperations{Set: map[string]string{name: value}}
	}
	for name, test := range map[string]struct {
		objects           string
		request, response HeaderOperations
		want              string
	}{
		"nothing":            {"", HeaderOperations{}, HeaderOperations{}, "it changes no header"},
		"no name":            {"", set("", "a"), HeaderOperations{}, `request: "" is not the name of a header`},
		"a space in a name":  {"", HeaderOperations{}, set("x y", "a"), `response: "x y" is not the name`},
		"a pseudo header":    {"", set(":path", "/"), HeaderOperations{}, `":path" is not the name`},
		"the host":           {"", set("Host", "a"), HeaderOperations{}, "take the intent rewrite"},
		"no value":           {"", HeaderOperations{Add: map[string]string{"a": ""}}, HeaderOperations{}, "the header a has no value"},
		"two lines":          {"", set("a", "b\r\nc: d"), HeaderOperations{}, "has a line break"},
		"set and taken away": {"", HeaderOperations{Set: map[string]string{"X-A": "1"}, Remove: []string{"x-a"}}, HeaderOperations{}, "the header x-a stands twice"},
		"on a redirect":      {ratings(`[{redirect: {uri: /}}]`), set("a", "b"), HeaderOperations{}, "spec.http[0] redirects"},
	} {
		t.Run(name, func(t *testing.T) {
			mergeRefused(t, test.objects, headers(test.request, test.response), test.want)
		})
	}
}
