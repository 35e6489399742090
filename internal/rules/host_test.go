package rules

import "testing"

func TestAHostIsQualifiedAsItsCallerHasIt(t *testing.T) {
	for _, test := range []struct{ host, namespace, want string }{
		{"ratings", "shop", "ratings.shop.svc.cluster.local"},
		{"ratings", "films", "ratings.films.svc.cluster.local"},
		{"ratings.shop", "shop", "ratings.shop.svc.cluster.local"},
		{"ratings.shop", "films", "ratings.shop.svc.cluster.local"}, // a namespace that is known
		{"ratings.shop.svc", "elsewhere", "ratings.shop.svc.cluster.local"},
		{"ratings.unknown.svc", "shop", "ratings.unknown.svc.cluster.local"},
		{"ratings.shop.svc.cluster.local.", "films", "ratings.shop.svc.cluster.local"},
		{"example.com", "shop", "example.com"}, // may be of the world outside
		{"www.example.svc", "shop", "www.example.svc.cluster.local"},
		{"a.b.shop", "shop", "a.b.shop"}, // no service: a pod of one, or whatever
		{"10.0.0.1", "shop", "10.0.0.1"},
		{"*.shop", "films", "*.shop"},
	} {
		if got := Qualified(test.host, test.namespace, "shop", "films"); got != test.want {
			t.Errorf("%s, asked for in %s, is %s, not %s", test.host, test.namespace, got, test.want)
		}
	}
}

func TestAScenarioCallsAHostByItsNamespaceWhereThatIsNotTheRuns(t *testing.T) {
	for host, want := range map[string]string{
		"ratings.shop.svc.cluster.local": "ratings", "ratings.films.svc.cluster.local": "ratings.films",
		"www.example.com": "www.example.com", "*.films.svc.cluster.local": "*.films.svc.cluster.local", "*": "*",
		"a.b.films.svc.cluster.local": "a.b.films.svc.cluster.local", "svc.cluster.local": "svc.cluster.local",
	} {
		if got := Short(host, "shop"); got != want {
			t.Errorf("in shop %s is %s, not %s", host, got, want)
		}
	}
}

func TestADestinationRuleIsFollowedWhereItOrTheServiceIs(t *testing.T) {
	of := func(kind, namespace string) Ref { return Ref{Kind: kind, Namespace: namespace, Name: "x"} }
	const ratings = "ratings.shop.svc.cluster.local"
	for _, test := range []struct {
		ref             Ref
		host, namespace string
		want            bool
	}{
		{of(DestinationRule, "shop"), ratings, "shop", true},
		{of(DestinationRule, "shop"), ratings, "films", true},
		{of(DestinationRule, "films"), ratings, "films", true},
		{of(DestinationRule, "films"), ratings, "shop", false},
		{of(DestinationRule, "films"), "www.example.com", "shop", true},
		{of(VirtualService, "films"), ratings, "shop", true},
	} {
		if got := FollowedIn(test.ref, test.host, test.namespace); got != test.want {
			t.Errorf("%s for %s is followed in %s: %v", test.ref, test.host, test.namespace, got)
		}
	}
}
