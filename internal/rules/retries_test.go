package rules

import (
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml/parser"

	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

func retries(set func(*Retries)) *Retries {
	r := &Retries{Service: yamlnode.Names{"ratings"}, Attempts: new(int32(2))}
	set(r)
	return r
}

func TestRetriesAreSetInTheEntriesOfTheirRequests(t *testing.T) {
	whole := retries(func(r *Retries) {
		r.When, r.RetryOn, r.RetryIgnorePreviousHosts = jason, RetryConditions{"5xx", "409"}, new(false)
		r.PerTryTimeout.Duration, r.Backoff.Duration = 500*time.Millisecond, 10*time.Millisecond
	})
	for name, test := range map[string]struct {
		http   string
		intent Intent
		want   string
	}{
		"of all, in the place of others": {
			`[{` + toV1 + `, timeout: 3s, retries: {attempts: 9, retryOn: reset}}]`, retries(func(*Retries) {}),
			`[{` + toV1 + `, timeout: 3s, retries: {attempts: 2}}]`,
		},
		"of some, with all that there is to say": {
			`[{` + toV1 + `}]`, whole,
			`[{` + isJason("") + `, ` + toV1 + `, retries: {attempts: 2, retryOn: "5xx,409", perTryTimeout: 0.5s, backoff: 0.01s, retryIgnorePreviousHosts: false}}, {` + toV1 + `}]`,
		},
		"none": {`[{` + toV1 + `}]`, retries(func(r *Retries) { r.Attempts = new(int32(0)) }), `[{` + toV1 + `, retries: {}}]`},
	} {
		t.Run(name, func(t *testing.T) {
			compareHTTP(t, mergeOne(t, ratings(test.http), test.intent), test.want)
		})
	}
}

func TestRetriesAreRefusedWithTheReason(t *testing.T) {
	for name, test := range map[string]struct {
		objects string
		set     func(*Retries)
		want    string
	}{
		"no number":       {"", func(r *Retries) { r.Attempts = nil }, "write attempts: 2"},
		"fewer than none": {"", func(r *Retries) { r.Attempts = new(int32(-1)) }, "attempts is -1"},
		"none, but when":  {"", func(r *Retries) { r.Attempts, r.RetryOn = new(int32(0)), RetryConditions{"5xx"} }, "switches retries off"},
		"none, but how":   {"", func(r *Retries) { r.Attempts, r.RetryIgnorePreviousHosts = new(int32(0)), new(true) }, "switches retries off"},
		"another word":    {"", func(r *Retries) { r.RetryOn = RetryConditions{"5xx", "resets"} }, "did you mean reset?"},
		"another status":  {"", func(r *Retries) { r.RetryOn = RetryConditions{"799"} }, `retryOn: "799"`},
		"a short attempt": {"", func(r *Retries) { r.PerTryTimeout.Duration = time.Microsecond }, "perTryTimeout is 1µs"},
		"a short pause":   {"", func(r *Retries) { r.Backoff.Duration = 1500 * time.Microsecond }, "backoff is 1.5ms"},
		"on a redirect":   {ratings(`[{redirect: {uri: /}}]`), func(*Retries) {}, "spec.http[0] redirects"},
		"of TCP":          {"", func(r *Retries) { r.Service = yamlnode.Names{"tcp-echo"} }, "opaque TCP"},
	} {
		t.Run(name, func(t *testing.T) {
			mergeRefused(t, test.objects, retries(test.set), test.want)
		})
	}
}

func TestWhatRetriesAreForIsReadInEachForm(t *testing.T) {
	for text, want := range map[string]string{
		`503`:              "503",
		`5xx`:              "5xx",
		`"5xx, reset,503"`: "5xx+reset+503",
		`[5xx, 503]`:       "5xx+503",
		`{5xx: true}`:      "",
		`[[5xx]]`:          "",
	} {
		file, err := parser.ParseBytes([]byte(`{service: a, attempts: 1, retryOn: `+text+`}`), 0)
		if err != nil {
			t.Fatal(err)
		}
		var r Retries
		err = yamlnode.Decode(file.Docs[0].Body, &r, "retries")
		if got := strings.Join(r.RetryOn, "+"); got != want || (err != nil) != (want == "") {
			t.Errorf("%s is read as %s, %v", text, got, err)
		}
	}
}
