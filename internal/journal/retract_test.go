package journal

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/internal/rules"
)

func decoded(t *testing.T, text string) *rules.Object {
	t.Helper()
	o, err := rules.Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// object is a manifest of a kind with a spec and further metadata, as a mesh returns
// it.
func object(kind, spec, metadata string) string {
	return `{"apiVersion":"networking.istio.io/v1","kind":"` + kind + `","metadata":{"name":"x","namespace":"book","resourceVersion":"1"` + metadata + `},"spec":` + spec + `}`
}

const (
	toA = `{"match":[{"uri":{"prefix":"/a"}}],"timeout":"1m30s","route":[{"destination":{"host":"a"}}]}`
	toB = `{"route":[{"destination":{"host":"b"}}]}`
	toC = `{"route":[{"destination":{"host":"c"}}]}`
)

func named(name, entry string) string { return `{"name":"` + name + `",` + entry[1:] }

func faulty(entry string) string {
	return `{"fault":{"delay":{"fixedDelay":"7s","percentage":{"value":100}}},` + entry[1:]
}

func routes(entries ...string) string {
	return `{"hosts":["x"],"http":[` + strings.Join(entries, ",") + `]}`
}

func TestWhatARunWroteIsTakenOutOfWhatSomebodyElseMadeOfIt(t *testing.T) {
	marked := []string{named("meshchaos-1-0", faulty(toA)), named("meshchaos-1-1", toA), named("meshchaos-1-2", toB)}
	inB := strings.Replace(toB, `{"route"`, `{"timeout":"5s","route"`, 1)
	policy := func(fields string) string { return `{"host":"x","trafficPolicy":{` + fields + `}}` }
	breaker, balancer := `"connectionPool":{"tcp":{"maxConnections":1}}`, `"loadBalancer":{"simple":"RANDOM"}`
	subsets := func(all ...string) string { return `{"host":"x","subsets":[` + strings.Join(all, ",") + `]}` }
	v1, v2, mark := `{"name":"v1","labels":{"version":"v1"}}`, `{"name":"v2","labels":{"version":"v2"}}`, `{"name":"meshchaos-1-0"}`
	for name, test := range map[string]struct {
		kind, was, ours, theirs, want string
		overlap                       string
	}{
		"another entry is changed": {
			was: routes(toA, toB), ours: routes(marked...),
			theirs: routes(marked[0], marked[1], named("meshchaos-1-2", inB)), want: routes(toA, inB),
		},
		"others are added before and behind": {
			was: routes(toA, toB), ours: routes(marked...),
			theirs: routes(append([]string{toC}, append(marked, toC)...)...), want: routes(toC, toA, toB, toC),
		},
		"another entry is deleted": {
			was: routes(toA, toB), ours: routes(marked...),
			theirs: routes(marked[:2]...), want: routes(toA),
		},
		"another entry is renamed": {
			was: routes(toA, toB), ours: routes(marked...),
			theirs: routes(marked[0], marked[1], named("beta", toB)), want: routes(toA, named("beta", toB)),
		},
		"the run's entry is changed": {
			was: routes(toA, toB), ours: routes(marked...),
			theirs:  routes(strings.Replace(marked[0], "7s", "3s", 1), marked[1], marked[2]),
			overlap: "spec.http[0]",
		},
		"the run's entry is deleted": {
			was: routes(toA, toB), ours: routes(marked...),
			theirs: routes(marked[1], named("meshchaos-1-2", inB)), want: routes(toA, inB),
		},
		"the entry that the run has changed is changed": {
			was: routes(toA, toB), ours: routes(named("meshchaos-1-0", faulty(toA)), marked[2]),
			theirs:  routes(named("meshchaos-1-0", strings.Replace(faulty(toA), "1m30s", "5s", 1)), marked[2]),
			overlap: "spec.http[0]",
		},
		"the entry that the run has changed stands elsewhere": {
			was: routes(toA, toB), ours: routes(named("meshchaos-1-0", faulty(toA)), marked[2]),
			theirs: routes(toC, named("meshchaos-1-0", faulty(toA)), named("meshchaos-1-2", inB)), want: routes(toC, toA, inB),
		},
		"the entry that the run has changed is deleted": {
			was: routes(toA, toB), ours: routes(named("meshchaos-1-0", faulty(toA)), marked[2]),
			theirs: routes(marked[2]), overlap: "spec.http",
		},
		"something is put between what stands for one entry": {
			was: routes(toA, toB), ours: routes(named("meshchaos-1-0", toC), named("meshchaos-1-1", faulty(toA)), marked[2]),
			theirs:  routes(named("meshchaos-1-0", toC), toC, named("meshchaos-1-1", faulty(toA)), marked[2]),
			overlap: "spec.http[0]",
		},
		"the run's entry is put elsewhere": {
			was: routes(toA, toB), ours: routes(marked[0], marked[1], named("meshchaos-1-3", faulty(toB)), marked[2]),
			theirs: routes(named("meshchaos-1-3", faulty(toB)), marked[0], marked[1], marked[2]), want: routes(toA, toB),
		},
		"the run's entry is put elsewhere and renamed": {
			was: routes(toA, toB), ours: routes(marked[0], marked[1], named("meshchaos-1-3", faulty(toB)), marked[2]),
			theirs: routes(named("late", faulty(toB)), marked[0], marked[1], marked[2]), want: routes(toA, toB),
		},
		"the run's entry is put elsewhere and changed": {
			was: routes(toA, toB), ours: routes(marked[0], marked[1], named("meshchaos-1-3", faulty(toB)), marked[2]),
			theirs:  routes(strings.Replace(named("meshchaos-1-3", faulty(toB)), "7s", "3s", 1), marked[0], marked[1], marked[2]),
			overlap: "spec.http[0]",
		},
		"the run's entry is doubled": {
			was: routes(toA, toB), ours: routes(marked...),
			theirs: routes(marked[0], marked[0], marked[1], marked[2]), want: routes(toA, toB),
		},
		"an entry that the run has changed is doubled": {
			was: routes(toA, toB), ours: routes(named("meshchaos-1-0", faulty(toA)), marked[2]),
			theirs:  routes(named("meshchaos-1-0", faulty(toA)), toC, named("meshchaos-1-0", faulty(toA)), marked[2]),
			overlap: "spec.http[2]",
		},
		"another entry is put elsewhere": {
			was: routes(toA, toB), ours: routes(marked...),
			theirs: routes(marked[0], marked[2], marked[1]), want: routes(toB, toA),
		},
		"an entry that the run took away": {
			was: routes(toA, toB), ours: routes(named("meshchaos-1-0", toA)),
			theirs: routes(named("meshchaos-1-0", toA), toC), want: routes(toA, toB, toC),
		},
		"the first entry that the run took away": {
			was: routes(toA, toB), ours: routes(named("meshchaos-1-0", toB)),
			theirs: routes(named("meshchaos-1-0", inB)), want: routes(toA, inB),
		},
		"what was there is there again, beside something else": {
			was: routes(toA, toB), ours: routes(marked...),
			theirs: routes(toA, toB, toC), want: routes(toA, toB, toC),
		},
		"another field of a policy": {
			kind: rules.DestinationRule, was: policy(""), ours: policy(breaker),
			theirs: policy(breaker + `,` + balancer), want: policy(balancer),
		},
		"another field of a policy that the run has made": {
			kind: rules.DestinationRule, was: `{"host":"x"}`, ours: policy(breaker),
			theirs: policy(breaker + `,` + balancer), want: policy(balancer),
		},
		"the same field of a policy": {
			kind: rules.DestinationRule, was: policy(""), ours: policy(breaker),
			theirs:  policy(strings.Replace(breaker, "1}", "5}", 1)),
			overlap: "spec.trafficPolicy.connectionPool.tcp.maxConnections",
		},
		"another subset": {
			kind: rules.DestinationRule, was: subsets(v1), ours: subsets(v1, mark),
			theirs: subsets(v1, mark, v2), want: subsets(v1, v2),
		},
		"all subsets are the run's": {
			kind: rules.DestinationRule, was: `{"host":"x"}`, ours: subsets(v1, mark),
			theirs: `{"host":"x","exportTo":["."],"subsets":[` + v1 + `,` + mark + `]}`, want: `{"host":"x","exportTo":["."]}`,
		},
		"labels of a subset with the run's policy": {
			kind: rules.DestinationRule, was: subsets(v1, v2), ours: subsets(strings.Replace(v1, `"}}`, `"},"trafficPolicy":{`+breaker+`}}`, 1), v2, mark),
			theirs: subsets(v2, strings.Replace(v1, `"}}`, `","tier":"gold"},"trafficPolicy":{`+breaker+`}}`, 1), mark),
			want:   subsets(v2, strings.Replace(v1, `"}}`, `","tier":"gold"}}`, 1)),
		},
		"what the run has spelt in another way": {
			was: routes(toA, toB), ours: strings.ReplaceAll(routes(marked...), "1m30s", "90s"),
			theirs: strings.Replace(strings.ReplaceAll(routes(marked...), "1m30s", "90s"), `"timeout":"90s","route":[{"destination":{"host":"a"}}]},{"name":"meshchaos-1-2"`, `"timeout":"5s","route":[{"destination":{"host":"a"}}]},{"name":"meshchaos-1-2"`, 1),
			want:   strings.Replace(routes(toA, toB), "1m30s", "5s", 1),
		},
		"a field that the run has spelt in another way": {
			kind:   rules.DestinationRule,
			was:    policy(`"connectionPool":{"tcp":{"connectTimeout":"1m30s"}}`),
			ours:   policy(`"connectionPool":{"tcp":{"connectTimeout":"90s","maxConnections":1}}`),
			theirs: policy(`"connectionPool":{"tcp":{"connectTimeout":"5s","maxConnections":1}}`),
			want:   policy(`"connectionPool":{"tcp":{"connectTimeout":"5s"}}`),
		},
		"a host": {
			was: routes(toA), ours: routes(named("meshchaos-1-0", faulty(toA))),
			theirs: strings.Replace(routes(named("meshchaos-1-0", faulty(toA))), `["x"]`, `["x","y"]`, 1),
			want:   strings.Replace(routes(toA), `["x"]`, `["x","y"]`, 1),
		},
	} {
		t.Run(name, func(t *testing.T) {
			kind := test.kind
			if kind == "" {
				kind = rules.VirtualService
			}
			read := func(spec string) *rules.Object { return decoded(t, object(kind, spec, "")) }
			got, err := Retract(read(test.was), read(test.ours), read(test.theirs))
			var overlap *OverlapError
			if errors.As(err, &overlap) {
				if test.overlap == "" || len(overlap.Paths) != 1 || overlap.Paths[0] != test.overlap {
					t.Errorf("both have changed %q, want %q", overlap.Paths, test.overlap)
				}
				return
			}
			if err != nil || test.overlap != "" {
				t.Fatalf("the error is %v, want an overlap of %q", err, test.overlap)
			}
			compareManifests(t, object(kind, test.want, ""), got)
		})
	}
}

func compareManifests(t *testing.T, want string, got *rules.Object) {
	t.Helper()
	var w, g any
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(got.Manifest, &g); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(w, g); diff != "" {
		t.Errorf("the manifest (-want +got):\n%s", diff)
	}
}

func TestLabelsAndOwnersOfSomebodyElseAreLeft(t *testing.T) {
	owner := func(name, at string) string {
		return `{"manager":"` + name + `","operation":"Update","apiVersion":"networking.istio.io/v1","time":"` + at + `"}`
	}
	object := func(spec, metadata string) *rules.Object {
		return decoded(t, object(rules.VirtualService, spec, metadata))
	}
	was := object(routes(toA), `,"labels":{"team":"a"},"managedFields":[`+owner("argocd", "1")+`]`)
	ours := object(routes(faulty(toA)), `,"labels":{"team":"a","run":"1"},"annotations":{"note":"n"},"managedFields":[`+owner("argocd", "2")+`,`+owner("us", "2")+`]`)
	theirs := object(routes(faulty(toA)), `,"labels":{"run":"1","tier":"gold"},"annotations":{"note":"n","by":"me"},"managedFields":[`+owner("argocd", "2")+`,`+owner("us", "3")+`,`+owner("kubectl", "3")+`]`)
	got, err := Retract(was, ours, theirs)
	if err != nil {
		t.Fatal(err)
	}
	want := object(routes(toA), `,"labels":{"tier":"gold"},"annotations":{"by":"me"},"managedFields":[`+owner("argocd", "1")+`,`+owner("kubectl", "3")+`]`)
	compareManifests(t, string(want.Manifest), got)
}

func TestWhatSomebodyElseDeletedOrMadeAgainIsTheirs(t *testing.T) {
	read := func(spec, metadata string) *rules.Object {
		return decoded(t, object(rules.VirtualService, spec, metadata))
	}
	was, ours := read(routes(toA), `,"uid":"1"`), read(routes(faulty(toA)), `,"uid":"1"`)
	for name, test := range map[string]struct {
		was, ours, theirs, want *rules.Object
		overlap                 bool
	}{
		"deleted":                       {was, ours, nil, nil, false},
		"deleted, of the run's own":     {nil, ours, nil, nil, false},
		"made again as it was":          {was, ours, read(routes(toA), `,"uid":"2"`), was, false},
		"labelled, of the run's own":    {nil, ours, read(routes(faulty(toA)), `,"uid":"1","labels":{"a":"b"}`), nil, false},
		"changed, of the run's own":     {nil, ours, read(routes(faulty(toA), toB), `,"uid":"1"`), nil, true},
		"made again, of the run's name": {nil, ours, read(routes(faulty(toA)), `,"uid":"2"`), nil, true},
		"made by somebody else":         {was, nil, ours, nil, true},
		"made where there was none":     {nil, nil, ours, ours, false},
	} {
		got, err := Retract(test.was, test.ours, test.theirs)
		var overlap *OverlapError
		if errors.As(err, &overlap) != test.overlap || err == nil && !rules.Equal(got, test.want) {
			t.Errorf("%s: it becomes %v, %v, want %v", name, got, err, test.want)
		}
	}
}
