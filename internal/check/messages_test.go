package check

import (
	"errors"
	"strings"
	"testing"
)

func TestAWrongLineIsExplainedWhereItIsWrong(t *testing.T) {
	for _, test := range []struct{ line, at, want string }{
		{"jasn.p50 < 6s", "jasn", `unknown load "jasn"; did you mean jason?`},
		{"baselin.jason.p50 < 6s", "baselin", `"baselin.jason" is no load; did you mean baseline?`},
		{"during.jason.p50 < 6s", "during", "a load's name without a window means during"},
		{"jason.share(503) == .5%", ".", "a decimal is written 0.5"},
		{".jason.p50 < 1s", ".", "unexpected"},
		{"jason.5 < 1", "5", "unexpected"},
		{"jason.p50 < 1 s", "s", "a duration is written 6s, without a space"},
		{"jason.p50 < 1 second", "second", "a duration is written 6s, without a space"},
		{"jason.status[5xx] == 0", "5xx", "a status is one number, as in status[503]; add up several"},
		{"jason.errors == 0%", "0%", "they cannot be compared; write a number, or divide the count by .sent"},
		{"jason.p50 between 1s and 2s", "between", "write lo <= x <= hi"},
		{"not (jason.p50 < 1s)", "not", "write !"},
		{"jason.status(503) == 0", "status", "write status[503]"},
		{"baseline.requests(reviews) == 0", "baseline", "write requests(SERVICE)"},
		{"jason.shar(503) == 0%", "shar", "did you mean share?"},
		{"faults == 0", "faults", "write faults(SERVICE)"},
		{"baseline.jasn.p50 < 6s", "jasn", `unknown load "jasn"; did you mean jason?`},
		{"tcp-clent.p50 < 6s", "tcp-clent", `did you mean tcp-client?`},
		{"jason.p51 < 6s", "p51", `unknown quantity of a load "p51"; did you mean p50?`},
		{"jason.service.p9 < 6s", "p9", `unknown service time "p9"; did you mean p90?`},
		{"others.sent > 1 && jason.p50 < 6", "6", `"6" has no unit, and "jason.p50" is a duration; did you mean 6s, or 6ms?`},
		{"jason.p99 < 300", "300", `"300" has no unit, and "jason.p99" is a duration; did you mean 300ms, or 300s?`},
		{"jason.p99 > 0", "0", "; write 0s"},
		{"jason.share(200) == 1", "1", `"1" is a number, and "jason.share(200)" is a share; write 100%`},
		{"share(200) == 1", "share", "share is of a load, and none stands before it; write jason.share(200)"},
		{`count("stars") > 1`, "count", `write jason.count("stars")`},
		{"status(200) == 1", "status", "write jason.status[200]"},
		{"status() == 1", "status", "write jason.status[503]"},
		{"share() == 1", "share", `write jason.share("CHECK") or share(503)`},
		{"answered(v1) > 1", "answered", "write jason.answered(v1)"},
		{"status[200] == 1", "status", "only the status or the code of a load is indexed; write jason.status[503], or jason.grpc[UNAVAILABLE]"},
		{"jason.grpc[503] == 0", "503", "write its name, as in grpc[UNAVAILABLE]"},
		{"jason.grpc[UNAVAILABL] == 0", "UNAVAILABL", "did you mean UNAVAILABLE?"},
		{"jason.grpc[unavailable] == 0", "unavailable", "did you mean UNAVAILABLE?"},
		{"jason.grpc == 0", "grpc", "write grpc[UNAVAILABLE]"},
		{"jason.grpc(OK) == 1", "grpc", "write grpc[UNAVAILABLE]"},
		{"jasn.p99 < 300", "jasn", `unknown load "jasn"; did you mean jason?`},
		{"0.995 <= jason.share(200)", "0.995", "; write 99.5%"},
		{"jason.share(503) == 0", "0", "; write 0%"},
		{"5.9 <= jason.p50 <= 6.6s", "5.9", "did you mean 5.9s, or 5.9ms?"},
		{"jason.share(503) < 5", "5", `"5" is a number, and "jason.share(503)" is a share; write 5%`},
		{"jason.p50 < 5%", "5%", `"jason.p50" is a duration and "5%" is a share: they cannot be compared`},
		{"jason.p50 + 5 < 6s", "5 <", "did you mean 5s, or 5ms?"},
		{"jason.p50 * 1s < 6s", "*", "has no meaning here"},
		{"jason.status[503] * jason.status[503] <= jason.sent * jason.sent", "*", "counts nothing that there is; multiply by a constant"},
		{"jason.p50 < 6sec", "6sec", `"6sec" is neither a number nor a duration; write 6s`},
		{"jason.p50 < 1d", "1d", "the units are h, m, s, ms, µs and ns"},
		{`jason.share("reviews-los") == 0%`, `"reviews-los"`, `unknown check "reviews-los"; did you mean reviews-lost?`},
		{"jason.share(stars) == 0%", "stars", `write share("stars")`},
		{"jason.share(50) == 0%", "50)", "write a code from 100 to 599"},
		{"jason.status[60000] == 0", "60000", "write a code from 100 to 599"},
		{"jason.status == 0", "status", "write status[503]"},
		{"jason.share == 0%", "share", `write share("CHECK") or share(503)`},
		{"jason < 6s", "jason", "jason is a load, not a quantity; write jason.p50"},
		{"baseline.jason < 6s", "jason", "write baseline.jason.p50"},
		{"ratings.p50 < 6s", "ratings", "ratings is a service, not a load; write requests(ratings)"},
		{"fault(ratings) == 1", "fault", `unknown function "fault"; did you mean faults?`},
		{"faults(rating) == 1", "rating)", `unknown service "rating"; did you mean ratings?`},
		{"faults(tcp-ech) == 1", "tcp-ech", "did you mean tcp-echo?"},
		{"faults(ratings, v1) == 1", "faults", "write faults(SERVICE)"},
		{"requests(reviews, v9) == 1", "v9", `unknown version "v9"`},
		{"jason.answered(v4) == 1", "v4", `unknown version "v4"; did you mean v1?`}, // a service has it, answers do not show it
		{"split(jason).is(v1 == 90%, v4 == 10%)", "v4", `unknown version "v4"`},
		{"jason.p50", "jason.p50", `"jason.p50" is a duration, and nothing is asked of it; compare it, as in jason.p50 < 1s`},
		{"1s < 2s", "1s", "neither side is observed"},
		{"jason.p50 in [5.9s, 6.6s]", "in [", "write 5.9s <= jason.p50 <= 6.6s"},
		{"within(jason.p50, 5s, 6s)", "within", "write a range as lo <= x <= hi"},
		{"jason.p50 < 1s ? true : false", "?", "? : has no place here"},
		{"1s < jason.p50 > 2s", "> 2s", "runs one way"},
		{"1s <= jason.p50 <= 2s <= 3s", "<= 3s", "two limits"},
		{"6.6s <= jason.p50 <= 5.9s", "6.6s", "nothing is between 6.6s and 5.9s"},
		{"(jason.p50 < 1s) == true", "jason", "true or false, not a quantity"},
		{"jason.p50 < 1s and others.p50 < 1s", "and", `unexpected "and"; write &&`},
		{"jason.p50 = 1s", "=", "write == to compare"},
		{"jason.p50 ≤ 1s", "≤", "write <="},
		{"jason.share(503) < 5 %", "%", "a percentage is written 5%, without a space"},
		{"jason.p50 <", "", "the line ends too early"},
		{"others.p50 < 1s || (jason.p50 < 1s", "(jason", "a bracket is not closed; write )"},
		{"jason.status[503 == 0", "[503", "a bracket is not closed; write ]"},
		{"faults(ratings == 0", "(ratings", "a bracket is not closed; write )"},
		{"faults(ratings; 1) == 0", ";", "unexpected"},
		{"faults(ratings,) == 0", ") ==", "unexpected"},
		{"[jason.p50] < 1s", "[", "lists and maps have no place here"},
		{"jason.p50 in 5s", "in 5s", "write lo <= x <= hi"},
		{"in < 5s", "in", "unexpected"},
		{"jason.", "", "the line ends too early"},
		{"jason.p50(1) < 1s", "p50", "unknown function of a load"},
		{"\"jason\"(1) < 1s", "(1)", "unexpected"},
		{"jason.p50 < 1s == true", "==", "a range has two limits and runs one way"},
		{"jason.p50 < 1s)", ")", `unexpected ")"`},
		{`jason.share("stars == 1%`, `"`, "this quote is not closed"},
		{"jason.p50 < 6s6", "6s6", "is neither a number nor a duration"},
		{`jason.p50 < 5%"x"`, `"x"`, "unexpected"},
		{"{jason: 1}", "{", "unexpected"},
		{"", "", "the line is empty"},
		{"split(reviews) == 90%", "split", "write split(reviews).is(v1 == 90%, v2 == 10%)"},
		{"split(reviews).is(v1 == 90%, v2 == 20%)", "is", "add up to 110%, not 100%"},
		{"split(reviews).is(v1 == 90, v2 == 10)", "90", "write 90%"},
		{"split(reviews).is(v1 == 90%, v1 == 10%)", "v1 == 10%", `version "v1" is listed twice`},
		{"split(reviews).is(v1 == 99.9999%, v2 == 0.0001%)", "0.0001%", "too small to be seen in a run; the smallest is 0.001%"},
		{"split(reviews).is(v1 == 90%, v2 == -10%)", "-10%", "is no percentage"},
		{"split(review).is(v1 == 100%)", "review)", "did you mean reviews?"},
		{"split(reviews).is(v1 == 100%).detecting(80%)", "detecting", "from 0.1% to 50%"},
		{"split(reviews).is(v1 == 25%, v2 == 75%).detecting(50%) && split(reviews).is(v1 == 100%) > 1", "split(reviews).is(v1 == 100%)", "a split is true or false"},
		{"!split(reviews).is(v1 == 90%, v2 == 10%)", "!", "a split cannot be negated"},
		{strings.Repeat("(", 40) + "jason.p50" + strings.Repeat(")", 40) + " < 1s", "", "too deeply nested"},
		{strings.Repeat("jason.p50 < 1s && ", 100), "", "at most 1000 are read"},
		{"jason.p50 < \xff", "", "not valid UTF-8"},
	} {
		_, err := Compile(shop(), test.line)
		var wrong *Error
		if !errors.As(err, &wrong) {
			t.Errorf("%s: compiled, or a strange error: %v", test.line, err)
			continue
		}
		if !strings.Contains(wrong.Error(), test.want) {
			t.Errorf("%s: says %q, not %q", test.line, wrong, test.want)
		}
		if test.at != "" && !strings.HasPrefix(test.line[wrong.Offset:], test.at) {
			t.Errorf("%s: points at %q, not at %q (%v)", test.line, test.line[wrong.Offset:], test.at, wrong)
		}
	}
}

// TestACheckWhereThereIsNoneIsToBeListed: to be told that there is none would say
// nothing about what to do.
func TestACheckWhereThereIsNoneIsToBeListed(t *testing.T) {
	scope := shop()
	scope.Checks = nil
	if _, err := Compile(scope, `jason.share("stars") == 0%`); err == nil || !strings.Contains(err.Error(), `unknown check "stars"; list checks:`) {
		t.Errorf("the error is %v", err)
	}
}
