package check

import (
	"errors"
	"testing"

	"github.com/meshchaos/meshchaos/report"
)

// FuzzCompile establishes that no text makes the compiler or the judge panic,
// that an error points into the text, and that nothing passes without
// evidence.
func FuzzCompile(f *testing.F) {
	for _, line := range []string{
		"5.9s <= jason.p50 <= 6.6s",
		`others.max < 1m30s && others.share("reviews-lost") == 0%`,
		"5% < jason.share(503) <= 60%",
		"overflows(httpbin) / client.sent <= 12.5%",
		"split(reviews).is(v1 == 90%, v2 == 10%).detecting(5%)",
		"recovery.jason.p99 <= 120% * baseline.tcp-client.p99-5ms",
		`!(jason.count("stars") == 1 || requests(tcp-echo, v1) != -3)`,
		"jason.status[503] in [1, 2] ? 1 : 2",
		"jason.p50 < 300µs // x",
		"a.b[c].d(e)(f)",
		"((1.5.5s)) <= \"a' %",
		"!!(-jason.sent - -1 == 0) && 1 > jason.share('stars') >= 0%",
		"(jason.p50) < (1s) || ((others.max >= 1m30.5s))",
		"f(,) [] {} = ? : ≤ µ & | .5 5. in",
		"split(recovery.tcp-client).is(\"v1\" == 0.1%, v2==99.9%).detecting(0.1%)",
		"1s <= jason.service.mean <= 2s <= 3s",
		"jason.p50 < 1h || jason.p99 >= 1h && !(jason.status[200] + jason.errors != jason.sent)",
		"jason.share(503) * jason.sent / (jason.sent - others.sent) <= jason.answered(v1) / jason.status[200]",
		"connections(reviews, v1) >= jason.connections",
		"requests(reviews, v1) / requests(reviews) * 50% + jason.share(503) != 1",
	} {
		f.Add(line)
	}
	scope, full := shop(), observed()
	f.Fuzz(func(t *testing.T, line string) {
		e, err := Compile(scope, line)
		if err != nil {
			var wrong *Error
			if !errors.As(err, &wrong) || wrong.Offset < 0 || wrong.Offset > len(line) || wrong.Message == "" {
				t.Fatalf("%q: %#v", line, err)
			}
			return
		}
		e.Judge(full)
		rows := e.Judge(Windows{})
		if Overall(rows) != report.Inconclusive {
			t.Fatalf("%q without evidence: %+v", line, rows)
		}
	})
}
