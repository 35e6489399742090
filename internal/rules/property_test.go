package rules

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	networking "istio.io/api/networking/v1alpha3"
	"pgregory.net/rapid"
)

// request is what the properties send: enough to tell all generated rules
// apart.
type request struct {
	uri     string
	headers map[string]string
	pod     map[string]string // the labels of the pod that sends it
}

// pods are those that requests come from: each app has each version, so that no
// label stands for another.
func pods() []map[string]string {
	return []map[string]string{{"app": "page", "version": "v1"}, {"app": "page", "version": "v2"}, {"app": "reviews", "version": "v1"}, {"app": "reviews", "version": "v2"}, {"app": "client"}}
}

func allRequests() []request {
	var all []request
	for _, uri := range []string{"/a", "/ab", "/b"} {
		for _, user := range []string{"", "jason", "jane", "anna"} {
			for _, test := range []string{"", "1", "2"} {
				headers := map[string]string{"end-user": user, "x-test": test}
				maps.DeleteFunc(headers, func(_, value string) bool { return value == "" })
				for _, pod := range pods() {
					all = append(all, request{uri, headers, pod})
				}
			}
		}
	}
	return all
}

// routed returns the first entry that takes a request, by the words of Istio's
// reference: the fields of a block AND, blocks OR, the first entry wins.
func routed(vs *networking.VirtualService, r request) *networking.HTTPRoute {
	for _, entry := range vs.Http {
		if len(entry.Match) == 0 || slices.ContainsFunc(entry.Match, func(block *networking.HTTPMatchRequest) bool { return takes(block, r) }) {
			return entry
		}
	}
	return nil
}

func takes(block *networking.HTTPMatchRequest, r request) bool {
	if block.Uri != nil && !textTaken(block.Uri, r.uri) {
		return false
	}
	for name, value := range block.SourceLabels {
		if r.pod[name] != value {
			return false
		}
	}
	for name, match := range block.Headers {
		if value, there := r.headers[strings.ToLower(name)]; !there || !textTaken(match, value) {
			return false
		}
	}
	for name, match := range block.WithoutHeaders {
		if value, there := r.headers[name]; there && textTaken(match, value) {
			return false
		}
	}
	return true
}

func textTaken(match *networking.StringMatch, value string) bool {
	switch {
	case match.GetExact() != "":
		return value == match.GetExact()
	case match.GetPrefix() != "":
		return strings.HasPrefix(value, match.GetPrefix())
	case match.GetRegex() != "":
		return regexp.MustCompile(match.GetRegex()).FindString(value) == value
	}
	return true
}

// outcome is what an entry does with a request, whichever entry it is.
func outcome(entry *networking.HTTPRoute) string {
	if entry == nil {
		return "404"
	}
	entry = proto.CloneOf(entry)
	entry.Match, entry.Name = nil, ""
	return fmt.Sprint(entry)
}

func textGen(values ...string) *rapid.Generator[*networking.StringMatch] {
	return rapid.Custom(func(t *rapid.T) *networking.StringMatch {
		value := rapid.SampledFrom(values).Draw(t, "value")
		switch rapid.SampledFrom([]string{"exact", "prefix", "regex", "present"}).Draw(t, "kind") {
		case "exact":
			return exactly(value)
		case "prefix":
			return &networking.StringMatch{MatchType: &networking.StringMatch_Prefix{Prefix: value[:1]}}
		case "regex":
			return &networking.StringMatch{MatchType: &networking.StringMatch_Regex{Regex: value + "|anna"}}
		}
		return &networking.StringMatch{}
	})
}

var blockGen = rapid.Custom(func(t *rapid.T) *networking.HTTPMatchRequest {
	block := &networking.HTTPMatchRequest{}
	headers := func(label string) map[string]*networking.StringMatch {
		out := map[string]*networking.StringMatch{}
		if rapid.Bool().Draw(t, label+" user") {
			out["end-user"] = textGen("jason", "jane", "anna").Draw(t, label+" user")
		}
		if rapid.Bool().Draw(t, label+" test") {
			out["x-test"] = textGen("1", "2").Draw(t, label+" test")
		}
		return out
	}
	if rapid.Bool().Draw(t, "has uri") {
		block.Uri = textGen("/a", "/b").Draw(t, "uri")
	}
	block.Headers = headers("with")
	if rapid.Bool().Draw(t, "has without") {
		block.WithoutHeaders = headers("without")
	}
	block.SourceLabels = sourceGen.Draw(t, "source")
	return block
})

var entryGen = rapid.Custom(func(t *rapid.T) *networking.HTTPRoute {
	entry := &networking.HTTPRoute{Match: rapid.SliceOfN(blockGen, 0, 2).Draw(t, "match")}
	subset := rapid.SampledFrom([]string{"v1", "v2"}).Draw(t, "subset")
	entry.Route = []*networking.HTTPRouteDestination{{Destination: &networking.Destination{Host: "ratings", Subset: subset}}}
	entry.Timeout = durationpb.New(time.Duration(rapid.IntRange(1, 5).Draw(t, "timeout")) * time.Second)
	return entry
})

// sourceGen is the labels of some pods, or none.
var sourceGen = rapid.Custom(func(t *rapid.T) map[string]string {
	source := map[string]string{}
	for _, name := range []string{"app", "version"} {
		if rapid.IntRange(0, 2).Draw(t, name) == 0 {
			source[name] = rapid.SampledFrom(pods()[:4]).Draw(t, "pod")[name]
		}
	}
	if len(source) == 0 {
		return nil
	}
	return source
})

var intentGen = rapid.Custom(func(t *rapid.T) Intent {
	when := map[string]string{}
	if rapid.Bool().Draw(t, "when user") {
		when["end-user"] = rapid.SampledFrom([]string{"jason", "anna"}).Draw(t, "user")
	}
	if rapid.Bool().Draw(t, "when test") {
		when["x-test"] = "1"
	}
	if len(when) == 0 {
		when = nil // all requests
	}
	if rapid.Bool().Draw(t, "is route") {
		of := route("ratings", when, Share{rapid.SampledFrom([]string{"v1", "v2", "v3"}).Draw(t, "version"), 0}).(*Route)
		of.SourceLabels = sourceGen.Draw(t, "source")
		return of
	}
	of := fault("ratings", when, 0, int32(rapid.IntRange(500, 504).Draw(t, "abort")), 50)
	if rapid.Bool().Draw(t, "is delay") {
		of = fault("ratings", when, time.Duration(rapid.IntRange(1, 9).Draw(t, "delay"))*time.Second, 0, 100)
	}
	of.(*Fault).SourceLabels = sourceGen.Draw(t, "source")
	return of
})

// asked returns what an intent asks to become of an entry.
func asked(entry *networking.HTTPRoute, intent Intent) *networking.HTTPRoute {
	entry = proto.CloneOf(entry)
	switch intent := intent.(type) {
	case *Route:
		entry.Route[0].Destination.Subset = intent.To[0].Version
	case *Fault:
		if entry.Fault == nil {
			entry.Fault = &networking.HTTPFaultInjection{}
		}
		if intent.Delay.Duration > 0 {
			entry.Fault.Delay = &networking.HTTPFaultInjection_Delay{
				HttpDelayType: &networking.HTTPFaultInjection_Delay_FixedDelay{FixedDelay: durationpb.New(intent.Delay.Duration)}, Percentage: &networking.Percent{Value: *intent.Percent.Value},
			}
		} else {
			entry.Fault.Abort = &networking.HTTPFaultInjection_Abort{
				ErrorType: &networking.HTTPFaultInjection_Abort_HttpStatus{HttpStatus: *intent.Abort}, Percentage: &networking.Percent{Value: *intent.Percent.Value},
			}
		}
	}
	return entry
}

func (r request) in(s scope) bool { return s.includes(scope{when: r.headers, source: r.pod}) }

func generated(t *rapid.T) []*Object {
	vs := read(t, ratings("[{}]"))
	vs.Spec.(*networking.VirtualService).Http = rapid.SliceOfN(entryGen, 1, 4).Draw(t, "http")
	return []*Object{vs, read(t, subsets(`[{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]`))}
}

func TestMergedRulesDoWhatTheIntentsAskAndNothingElse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		objects := generated(t)
		intents := rapid.SliceOfN(intentGen, 1, 3).Draw(t, "intents")
		before := objects[0].Spec.(*networking.VirtualService)
		want := make([]*networking.HTTPRoute, len(allRequests()))
		for i, r := range allRequests() {
			want[i] = routed(before, r)
		}
		for n, intent := range intents {
			changes, err := Merge(objects, bookinfo, "default", intents[:n+1])
			for i, r := range allRequests() {
				if want[i] == nil || !r.in(intent.scope()) {
					continue
				}
				if err != nil {
					t.Fatalf("%v, though %v is taken", err, r)
				}
				want[i] = asked(want[i], intent)
			}
			if err != nil { // no request can tell
				return
			}
			after := before
			for _, change := range changes {
				if vs, ok := change.After.Spec.(*networking.VirtualService); ok {
					after = vs
				}
			}
			for i, r := range allRequests() {
				if got := routed(after, r); outcome(got) != outcome(want[i]) {
					t.Fatalf("after %d intents %v\ngot  %s\nwant %s", n+1, r, outcome(got), outcome(want[i]))
				}
			}
		}
	})
}

// perform carries out a change as a mesh does, and returns the object as it now
// stands.
func perform(t *rapid.T, there map[Ref]*Object, c Change) *Object {
	if !Equal(there[c.Ref()], c.Before) {
		t.Fatalf("%s is not what the change begins with: %s", c.Ref(), Diff(c.Before, there[c.Ref()]))
	}
	if c.After == nil {
		delete(there, c.Ref())
		return nil
	}
	there[c.Ref()] = c.After.Clone()
	return there[c.Ref()]
}

func TestUndoneInReverseEverythingIsAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		objects := rapid.SampledFrom([][]*Object{generated(t), nil}).Draw(t, "objects")
		there, were := map[Ref]*Object{}, map[Ref]*Object{}
		for _, o := range objects {
			there[o.Ref], were[o.Ref] = o, o.Clone()
		}
		changes, err := Merge(objects, bookinfo, "default", rapid.SliceOfN(intentGen, 1, 3).Draw(t, "intents"))
		if err != nil {
			return
		}
		var undo []Change
		for _, c := range changes {
			Mark(c.After, "meshchaos-1")
			undo = append(undo, Change{Before: perform(t, there, c), After: c.Before})
		}
		slices.Reverse(undo)
		for _, c := range undo {
			perform(t, there, c)
		}
		if !maps.EqualFunc(there, were, Equal) {
			t.Fatalf("left are %v, there were %v", there, were)
		}
	})
}

func TestWhatALaterIntentReplacesIsAsIfItHadNeverBeen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pair := rapid.SliceOfN(intentGen, 2, 2).Draw(t, "intents")
		earlier, isRoute := pair[0].(*Route)
		later, areRoutes := pair[1].(*Route)
		if !isRoute || !areRoutes {
			return
		}
		earlier.To, later.To = Shares{{"v1", 0}}, Shares{{"v2", 0}}
		after := func(intents ...Intent) *networking.VirtualService {
			changes, err := Merge(nil, bookinfo, "default", intents)
			if err != nil {
				t.Fatal(err)
			}
			return changes[len(changes)-1].After.Spec.(*networking.VirtualService)
		}
		both, alone := after(earlier, later), after(later)
		same := true
		for _, r := range allRequests() {
			same = same && outcome(routed(both, r)) == outcome(routed(alone, r))
		}
		if same != Replaces(later, earlier) {
			t.Fatalf("the earlier shows: %v, and is said to be replaced: %v", !same, Replaces(later, earlier))
		}
	})
}

func TestNoRequestReachesAnEntryThatIsSaidToBeHidden(t *testing.T) {
	found := 0
	rapid.Check(t, func(t *rapid.T) {
		vs := generated(t)[0].Spec.(*networking.VirtualService)
		for _, p := range HiddenEntries(&Object{Spec: vs}) {
			found++
			for i, entry := range vs.Http {
				if p.Path != fmt.Sprintf("spec.http[%d]", i) {
					continue
				}
				for _, r := range allRequests() {
					if routed(vs, r) == entry {
						t.Fatalf("%v reaches %s, which is said to be hidden by %s", r, p.Path, p.By)
					}
				}
			}
		}
	})
	if found == 0 {
		t.Error("no entry was hidden; the property says nothing")
	}
}
