package rules

import "testing"

func virtual(t *testing.T, spec string) *Object {
	t.Helper()
	return read(t, `{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"web","namespace":"shop"},"spec":{"hosts":["web"],`+spec+`}}`)
}

const (
	twoPaths = `"http":[{"name":"own","match":[{"uri":{"prefix":"/a"}},{"uri":{"prefix":"/a/b"}},{"uri":{"prefix":"/c"}}],"timeout":"1s","route":[{"destination":{"host":"web"}}]},
		{"name":"rest","route":[{"destination":{"host":"web"}}]}]`
	narrowed = `"http":[{"match":[{"uri":{"prefix":"/a"},"headers":{"who":{"exact":"x"}}},{"uri":{"prefix":"/c"},"headers":{"who":{"exact":"x"}}}],"route":[{"destination":{"host":"web"}}]},
		{"route":[{"destination":{"host":"web"}}]}]`
)

func matchesOf(before, after *Object) []Part {
	var all []Part
	for _, p := range Parts(before, after) {
		if p.Kind == PartMatch {
			all = append(all, p)
		}
	}
	return all
}

func TestEachMatchIsForRequestsOfItsOwn(t *testing.T) {
	o := virtual(t, twoPaths)
	matches := matchesOf(nil, o)
	if len(matches) != 3 {
		t.Fatalf("%d matches", len(matches))
	}
	for path, want := range map[string]int{"/a": 0, "/a/b": 0, "/c": 2, "/d": -1} {
		for i, p := range matches {
			is, known := p.Takes(Request{Host: "web.shop.svc.cluster.local", Method: "GET", Path: path}, []*Object{o})
			if is != (i == want) || !known {
				t.Errorf("%s by %s: %v, %v", path, p.Path, is, known)
			}
		}
	}
	if is, known := matches[0].Takes(Request{Host: "web.shop.svc.cluster.local", Method: "GET", Path: "/a%2F"}, []*Object{o}); is || known {
		t.Error("a path that a proxy writes otherwise is told")
	}
	if is, known := matches[0].Takes(Request{Host: "web.shop.svc.cluster.local", Method: "GET", Path: "/a", Gateway: true}, []*Object{o}); is || !known {
		t.Error("an entry of sidecars takes what a gateway takes")
	}
}

func TestAMatchThatNarrowsDownWhatWasThereIsNobodysChoice(t *testing.T) {
	before, one := virtual(t, twoPaths), virtual(t, `"http":[{"match":[{"uri":{"prefix":"/"}}],"route":[{"destination":{"host":"web"}}]}]`)
	for _, test := range []struct {
		before *Object
		want   int
	}{{before, 0}, {one, 2}, {nil, 2}} {
		if got := matchesOf(test.before, virtual(t, narrowed)); len(got) != test.want {
			t.Errorf("%d matches are asked for, want %d", len(got), test.want)
		}
	}
}

func TestAnEntryIsSeenAtThoseWhoFollowItFromNowOn(t *testing.T) {
	const list = `"http":[{"route":[{"destination":{"host":"web"}}]}]`
	by := func(gateways string) *Object { return virtual(t, `"gateways":[`+gateways+`],`+list) }
	for _, test := range []struct {
		before             *Object
		sidecars, gateways bool
	}{
		{by(`"front"`), true, false},
		{by(`"mesh"`), false, true},
		{by(`"mesh","back"`), true, true},
		{nil, true, true},
	} {
		route := Parts(test.before, by(`"front","mesh"`))[0]
		if route.Kind != PartRoute || route.Followed(false) != test.sidecars || route.Followed(true) != test.gateways {
			t.Errorf("%s at sidecars %v, at gateways %v; want %v and %v", route.Path, route.Followed(false), route.Followed(true), test.sidecars, test.gateways)
		}
		if kept := Follow([]Part{route}, "next", Change{Before: by(`"front","mesh"`), After: by(`"front","mesh"`)}); len(kept) != 1 || kept[0].Where() != route.Where() {
			t.Errorf("in the next step it is %+v", kept)
		}
	}
}
