package rules

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	networking "istio.io/api/networking/v1alpha3"
)

func TestDiffWordsEveryFieldThatDiffers(t *testing.T) {
	want := read(t, ratings(`[{name: a, route: [{destination: {host: ratings}, weight: 90}, {destination: {host: ratings, subset: v2}, weight: 10}], timeout: 1s}]`))
	have := read(t, ratings(`[{name: a.meshchaos-1-0, route: [{destination: {host: ratings}, weight: 80}, {destination: {host: ratings, subset: v2}, weight: 10}], match: [{}]}]`))
	have.Labels = map[string]string{"a/b": "c"}
	if diff := cmp.Diff([]string{
		`metadata.labels["a/b"] is "c", and should not be there`,
		`spec.http[0].match[0] is {}, and should not be there`,
		`spec.http[0].name is "a.meshchaos-1-0", and should be "a"`,
		`spec.http[0].route[0].weight is 80, and should be 90`,
		`spec.http[0].timeout is gone, and should be "1s"`,
	}, Diff(want, have)); diff != "" {
		t.Error(diff)
	}
	labelled, annotated := want.Clone(), want.Clone()
	labelled.Labels, annotated.Annotations = map[string]string{"a": "b"}, map[string]string{"a": "b"}
	for _, test := range []struct {
		want, have *Object
		words      string
	}{
		{labelled, want, `metadata.labels.a is gone, and should be "b"`},
		{want, annotated, `metadata.annotations.a is "b", and should not be there`},
		{want, nil, "VirtualService/default/ratings is gone"},
		{nil, have, "VirtualService/default/ratings is there, and should not be"},
		{want, want.Clone(), ""},
		{nil, nil, ""},
	} {
		if got := strings.Join(Diff(test.want, test.have), "\n"); got != test.words {
			t.Errorf("got %q, want %q", got, test.words)
		}
		if Equal(test.want, test.have) != (test.words == "") {
			t.Errorf("Equal disagrees with %q", test.words)
		}
	}
}

func TestCloneSharesNothing(t *testing.T) {
	o := read(t, ratings(`[{`+toV1+`}]`))
	o.Labels, o.Annotations, o.Manifest = map[string]string{"a": "b"}, map[string]string{"a": "b"}, []byte("{}")
	c := o.Clone()
	if diff := Diff(o, c); diff != nil {
		t.Error(diff)
	}
	c.Labels["a"], c.Annotations["a"], c.Manifest[0] = "x", "x", 'x'
	c.Spec.(*networking.VirtualService).Hosts[0] = "x"
	if o.Labels["a"] != "b" || o.Annotations["a"] != "b" || o.Manifest[0] != '{' || Hosts(o)[0] != "ratings.default.svc.cluster.local" {
		t.Errorf("changing the clone changed the object: %+v", o)
	}
}

func TestMarkTakesThePlaceOfAnEarlierMark(t *testing.T) {
	o := read(t, ratings(`[{name: a.b, `+toV1+`}, {`+toV1+`}, {name: meshchaos-like.c, `+toV1+`}]`))
	for _, mark := range []string{"meshchaos-7f3a-1", "meshchaos-7f3a-2"} {
		Mark(o, mark)
		var got []string
		for _, entry := range o.Spec.(*networking.VirtualService).Http {
			got = append(got, entry.Name)
		}
		if want := []string{"a.b." + mark + "-0", mark + "-1", "meshchaos-like.c." + mark + "-2"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	for _, other := range sample(t, "tcp-echo-20-v2.yaml") {
		was := other.Clone()
		if Mark(other, "meshchaos-1"); other.Kind != DestinationRule && !Equal(was, other) {
			t.Errorf("%s has no http entries and was marked", other.Ref)
		}
	}
}

func TestAMarkedDestinationRuleHasOneMoreSubset(t *testing.T) {
	o := read(t, subsets(`[{name: v1, labels: {version: v1}}, {name: meshchaos-like, labels: {version: v1}}, {name: meshchaos-1-1, labels: {version: v1}}]`))
	for _, mark := range []string{"meshchaos-7f3a-0-1", "meshchaos-7f3a-1-0"} {
		Mark(o, mark)
		var got []string
		for _, subset := range o.Spec.(*networking.DestinationRule).Subsets {
			got = append(got, subset.Name)
		}
		if want := []string{"v1", "meshchaos-like", "meshchaos-1-1", mark}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if problems := Check([]*Object{o}); len(problems) > 0 {
			t.Errorf("a marked rule has the problems %v", problems)
		}
	}
}

func TestHostsAreFullyQualified(t *testing.T) {
	o := read(t, strings.Replace(ratings(`[]`), "hosts: [ratings]", `hosts: [ratings, ratings.default.svc.cluster.local, "*", a.com]`, 1))
	if got, want := Hosts(o), []string{"ratings.default.svc.cluster.local", "*", "a.com"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Hosts(read(t, subsets(`[]`))); !slices.Equal(got, []string{"ratings.default.svc.cluster.local"}) {
		t.Errorf("got %q", got)
	}
	if got := Hosts(sample(t, "tcp-echo-20-v2.yaml")[0]); got != nil {
		t.Errorf("a Gateway has rules for %q", got)
	}
}

func TestFaultedAreServicesWhoseFaultCanBite(t *testing.T) {
	fault := func(service, fault string) string {
		return strings.ReplaceAll(ratings(`[{`+toV1+`, fault: `+fault+`}]`), "ratings", service)
	}
	got := Faulted(readAll(t, fault("reviews", `{abort: {httpStatus: 500, percentage: {value: 1}}}`)+
		fault("details.other.svc.cluster.local", `{delay: {fixedDelay: 1s, percent: 1}}`)+
		fault("ratings", `{delay: {fixedDelay: 1s, percentage: {value: 100}}}`)+
		fault("omitted", `{delay: {fixedDelay: 1s}}`)+
		fault("zero", `{abort: {httpStatus: 500, percentage: {value: 0}}}`)+subsets(`[]`)))
	if want := []string{"details.other.svc.cluster.local", "ratings.default.svc.cluster.local", "reviews.default.svc.cluster.local"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPutReplacesTheObjectOfTheRefOrAddsIt(t *testing.T) {
	vs, dr := read(t, ratings(`[{`+toV1+`}]`)), read(t, subsets(`[]`))
	other := read(t, ratings(`[{`+toV2+`}]`))
	objects := []*Object{vs}
	both := Put(objects, dr)
	if got := Put(both, other); !slices.Equal(got, []*Object{other, dr}) || Find(got, vs.Ref) != other || Find(got, dr.Ref) != dr {
		t.Errorf("got %v", got)
	}
	if !slices.Equal(objects, []*Object{vs}) || !slices.Equal(both, []*Object{vs, dr}) || Find(objects, dr.Ref) != nil {
		t.Errorf("what was given is now %v and %v", objects, both)
	}
}
