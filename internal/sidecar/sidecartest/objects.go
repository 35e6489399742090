// Package sidecartest is what the tests of the embedded proxies have in common:
// Istio's objects, services that really answer, and calls of them. Only tests
// import it.
//
// The package may import internal/rules, internal/credential and internal/sidecar/config.
package sidecartest

import (
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// Spec decodes the spec of an object, in JSON.
func Spec[T proto.Message](t testing.TB, into T, text string) T {
	t.Helper()
	if err := protojson.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("decoding %s: %v", text, err)
	}
	return into
}

// VirtualService is one in default with the spec, in JSON.
func VirtualService(t testing.TB, name, text string) *rules.Object {
	return &rules.Object{Ref: rules.Ref{Kind: rules.VirtualService, Namespace: "default", Name: name}, Spec: Spec(t, &networking.VirtualService{}, text)}
}

// DestinationRule is one in default with the spec, in JSON.
func DestinationRule(t testing.TB, name, text string) *rules.Object {
	return &rules.Object{Ref: rules.Ref{Kind: rules.DestinationRule, Namespace: "default", Name: name}, Spec: Spec(t, &networking.DestinationRule{}, text)}
}

// Gateway is one in default with the spec, in JSON.
func Gateway(t testing.TB, name, text string) *rules.Object {
	return &rules.Object{Ref: rules.Ref{Kind: rules.Gateway, Namespace: "default", Name: name}, Spec: Spec(t, &networking.Gateway{}, text)}
}

// Subsets is a DestinationRule with the subsets v1 and v2.
func Subsets(t testing.TB, service string) *rules.Object {
	return DestinationRule(t, service, `{"host": "`+service+`", "subsets": [
		{"name": "v1", "labels": {"version": "v1"}}, {"name": "v2", "labels": {"version": "v2"}}]}`)
}

// HTTPRoute is an http entry of a VirtualService, in JSON.
func HTTPRoute(t testing.TB, text string) *networking.HTTPRoute {
	return Spec(t, &networking.HTTPRoute{}, text)
}
