package rules

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	networking "istio.io/api/networking/v1alpha3"
)

// mergeOne returns the one change that an intent makes to objects.
func mergeOne(t *testing.T, objects string, intents ...Intent) Change {
	t.Helper()
	changes, err := Merge(readAll(t, objects), bookinfo, "default", intents)
	if err != nil || len(changes) != 1 {
		t.Fatalf("%d changes, %v, want one", len(changes), err)
	}
	return changes[0]
}

// compareHTTP fails where the HTTP entries of a change are others than these, in
// the VirtualService of ratings.
func compareHTTP(t *testing.T, change Change, want string) {
	t.Helper()
	got := change.After.Spec.(*networking.VirtualService).Http
	if diff := cmp.Diff(read(t, ratings(want)).Spec.(*networking.VirtualService).Http, got, protocmp.Transform()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// mergeRefused fails where an intent is taken, or refused for another reason.
func mergeRefused(t *testing.T, objects string, intent Intent, reason string) {
	t.Helper()
	if _, err := Merge(readAll(t, objects), bookinfo, "default", []Intent{intent}); err == nil || !strings.Contains(err.Error(), reason) {
		t.Errorf("got %v, want something with %q", err, reason)
	}
}
