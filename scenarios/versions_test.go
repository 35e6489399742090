package scenarios

import (
	"fmt"
	"strings"
	"testing"
)

func TestVersionsThatAreNotToldApartAreNamedWithTheirLine(t *testing.T) {
	const file = `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: alike}
spec:
  app: httpbin
  apply:
    - fault: {service: httpbin, delay: 10ms}
  versions:
    v1: {%s}
    v2: {%s}
  load:
    client: {get: "http://httpbin:8000/get", connections: 1, requests: 2}
  expect:
    - client.status[200] == client.sent
`
	for _, test := range []struct {
		v1, v2 string
		line   int // of the warning; 0: there is none
	}{
		{"body: black", "body: black and red", 9},
		{"body: black and red", "body: red", 10},
		{"match: bl.ck", "body: black and red", 9},
		{"match: (?i)BLACK", "body: black and red", 9},
		{"body: black", "match: black and red", 9},
		{"body: black", "match: black", 10}, // each of the other
		{"body: black", "body: red", 0},
		{"match: ^black", "body: black and red", 0}, // which need not stand at the begin
		{"match: black$", "body: red and black", 0},
		{"body: black", "match: black.*red", 0},
		{"body: black", "match: (?i)black", 10},
		{"body: reviews-v1", "body: reviews-v2", 0},
	} {
		s, err := parse("alike.yaml", fmt.Sprintf(file, test.v1, test.v2), nil, nil)
		if err != nil {
			t.Errorf("%+v: %v", test, err)
			continue
		}
		named := 0
		for _, w := range s.Warnings {
			if strings.Contains(w.Message, "it is mixed") {
				named = w.Line
			}
		}
		if named != test.line {
			t.Errorf("%+v: %+v", test, s.Warnings)
		}
		if err := s.Override(Override{}); err != nil || len(s.Warnings) > 0 != (test.line > 0) {
			t.Errorf("%+v, with options: %v %+v", test, err, s.Warnings)
		}
	}
}

func TestAChecksTextWithinAnothersDecidesALine(t *testing.T) {
	const file = `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: alike}
spec:
  app: httpbin
  apply:
    - fault: {service: httpbin, delay: 10ms}
  checks:
    short: {%s}
    long: {%s}
  versions:
    v1: {%s}
  load:
    client: {get: "http://httpbin:8000/get", connections: 1, requests: 2}
  expect:
    - %s
`
	const checks, version = `client.count("short") >= client.count("long")`, `client.answered(v1) <= client.count("short")`
	for _, test := range []struct {
		short, long, v1, line string
		always                bool
	}{
		{"body: header", "body: headers", "body: x", checks, true},
		{"match: header", "match: headers", "body: x", checks, true},
		{"match: (?i)HEADER", "body: headers", "body: x", checks, true},
		{"match: head.*s", "match: head.*s", "body: x", checks, true},
		{"body: header", `match: "(a|b)+.*(headers){2}"`, "body: x", checks, true},
		{"body: header", `match: "(headers)?.*b"`, "body: x", checks, false},
		{"body: header", `match: "headers|b"`, "body: x", checks, false},
		{"body: header", "match: (?i)headers", "body: x", checks, false},
		{"body: headers", "body: header", "body: x", checks, false},
		{"match: ^header", "body: headers", "body: x", checks, false},
		{"body: header", "match: headers?", "body: x", checks, true},
		{"body: header", "body: other", "body: headers", version, true},
		{"body: header", "body: other", "body: header", version, true},
		{"body: headers", "body: other", "body: header", version, false},
	} {
		_, err := parse("alike.yaml", fmt.Sprintf(file, test.short, test.long, test.v1, test.line), nil, nil)
		if always := err != nil && strings.Contains(err.Error(), "always true") && strings.Contains(err.Error(), "a part of that"); always != test.always || err != nil && !always {
			t.Errorf("%+v: %v", test, err)
		}
	}
}
