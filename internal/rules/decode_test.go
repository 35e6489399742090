package rules

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	networking "istio.io/api/networking/v1alpha3"
)

// failer is a *testing.T, *testing.F or *rapid.T.
type failer interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// read decodes one YAML object as a user's file, in the namespace default.
func read(t failer, text string) *Object {
	t.Helper()
	manifest, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	o, err := DecodeFile(manifest)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if o.Namespace == "" {
		o.Namespace = "default"
	}
	return o
}

// readAll decodes the YAML objects of a file, which --- parts.
func readAll(t failer, text string) []*Object {
	t.Helper()
	var all []*Object
	for _, part := range strings.Split(text, "---\n") {
		if strings.TrimSpace(part) != "" {
			all = append(all, read(t, part))
		}
	}
	return all
}

func sample(t failer, name string) []*Object {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return readAll(t, string(text))
}

func TestDecodeFilePointsAtWhatIsWrong(t *testing.T) {
	vs := func(spec string) string {
		return "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\nspec: {hosts: [a], http: [" + spec + "]}"
	}
	dr := func(policy string) string {
		return "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: a}\nspec: {host: a, trafficPolicy: " + policy + "}"
	}
	for name, test := range map[string]struct {
		yaml string
		want FieldError
	}{
		"misspelt key":          {vs(`{fault: {delay: {fixedDelai: 7s}}}`), FieldError{"spec.http[0].fault.delay.fixedDelai", "unknown key", "fixedDelay"}},
		"beginning of a key":    {vs(`{fault: {delay: {percentag: {value: 1}}}}`), FieldError{"spec.http[0].fault.delay.percentag", "unknown key", "percentage"}},
		"proto name":            {vs(`{fault: {delay: {fixed_delay: 7s}}}`), FieldError{"spec.http[0].fault.delay.fixed_delay", "unknown key", "fixedDelay"}},
		"key far from all":      {vs(`{fault: {banana: 1}}`), FieldError{"spec.http[0].fault.banana", "unknown key; known are abort, delay", ""}},
		"key in a map's value":  {vs(`{match: [{headers: {"x.y": {exakt: a}}}]}`), FieldError{`spec.http[0].match[0].headers["x.y"].exakt`, "unknown key", "exact"}},
		"number for a duration": {vs(`{timeout: 7}`), FieldError{"spec.http[0].timeout", "a duration needs a unit", `"7s"`}},
		"duration without unit": {vs(`{timeout: "7"}`), FieldError{"spec.http[0].timeout", `"7" is not a duration; write a number and one of ms, s, m, h`, `"7s"`}},
		"duration with a space": {vs(`{timeout: 7 s}`), FieldError{"spec.http[0].timeout", `"7 s" is not a duration; write a number and one of ms, s, m, h`, `"7s"`}},
		"number for a string":   {vs(`{match: [{headers: {end-user: {exact: 7}}}]}`), FieldError{"spec.http[0].match[0].headers.end-user.exact", "is a number; it must be a string", `"7"`}},
		"string for a number":   {vs(`{route: [{weight: "7"}]}`), FieldError{"spec.http[0].route[0].weight", "is a string; it must be a number", ""}},
		"fraction for a whole":  {vs(`{route: [{weight: 0.5}]}`), FieldError{"spec.http[0].route[0].weight", "0.5 is not a whole number", ""}},
		"number out of range":   {vs(`{route: [{weight: 3000000000}]}`), FieldError{"spec.http[0].route[0].weight", "3000000000 is beyond what the field holds", ""}},
		"object for a list":     {vs(`{route: {destination: {host: a}}}`), FieldError{"spec.http[0].route", "is an object; it must be a list", ""}},
		"string for an object":  {vs(`{fault: yes}`), FieldError{"spec.http[0].fault", "is a string; it must be an object with any of delay, abort", ""}},
		"null in a list":        {vs(`null`), FieldError{"spec.http[0]", "", ""}},
		"two of a oneof":        {vs(`{match: [{uri: {exact: /a, prefix: /b}}]}`), FieldError{"spec.http[0].match[0].uri.prefix", "cannot stand beside exact: take one of them", ""}},
		"wrong enum word":       {dr(`{loadBalancer: {simple: ROUNDROBIN}}`), FieldError{"spec.trafficPolicy.loadBalancer.simple", `"ROUNDROBIN" is not one of UNSPECIFIED, LEAST_CONN, RANDOM, PASSTHROUGH, ROUND_ROBIN, LEAST_REQUEST`, "ROUND_ROBIN"}},
		"negative wrapper":      {dr(`{outlierDetection: {consecutive5xxErrors: -1}}`), FieldError{"spec.trafficPolicy.outlierDetection.consecutive5xxErrors", "-1 is not a whole number, not below 0", ""}},
		"unknown metadata":      {"apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {nam: a}", FieldError{"metadata.nam", "unknown key", "name"}},
		"label that is no text": {"apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: a, labels: {a/b: 1}}", FieldError{`metadata.labels["a/b"]`, "is a number; it must be a string", `"1"`}},
		"no name":               {"apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {}", FieldError{"metadata.name", `"" is not a name: it takes lower-case letters, digits, - and .`, ""}},
		"no spec":               {"apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: a}", FieldError{"spec", "missing", ""}},
		"unsupported kind":      {"apiVersion: networking.istio.io/v1\nkind: ServiceEntry", FieldError{"kind", `"ServiceEntry" is not one of Gateway, DestinationRule, VirtualService`, ""}},
		"a Sidecar":             {"apiVersion: networking.istio.io/v1\nkind: Sidecar\nspec: {inboundConnectionPool: {http: {http1MaxPendingRequests: 1}}}", FieldError{"kind", "a scenario may write no Sidecar; what its inboundConnectionPool limits, trafficPolicy.connectionPool of the service's DestinationRule limits too, at the callers and at the service's own sidecar", ""}},
		"misspelt kind":         {"apiVersion: networking.istio.io/v1\nkind: Virtualservice", FieldError{"kind", `"Virtualservice" is not one of Gateway, DestinationRule, VirtualService`, "VirtualService"}},
		"other API":             {"apiVersion: v1\nkind: Service", FieldError{"apiVersion", `"v1" is not one of networking.istio.io/v1, networking.istio.io/v1beta1, networking.istio.io/v1alpha3`, ""}},
		"unknown top key":       {"apiVersion: networking.istio.io/v1\nspeck: {}", FieldError{"speck", "unknown key", "spec"}},
	} {
		t.Run(name, func(t *testing.T) {
			manifest, err := yaml.YAMLToJSON([]byte(test.yaml))
			if err != nil {
				t.Fatal(err)
			}
			_, err = DecodeFile(manifest)
			var got *FieldError
			if !errors.As(err, &got) {
				t.Fatalf("got %v, want a *FieldError", err)
			}
			if test.want.Message == "" {
				test.want.Message = got.Message
			}
			if diff := cmp.Diff(test.want, *got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestDecodeRefusesWhatIsNoManifestAtOnce(t *testing.T) {
	for name, manifest := range map[string][]byte{
		"empty":           nil,
		"binary":          {0x7f, 'E', 'L', 'F', 0xff, 0xfe},
		"text":            []byte("kind: Gateway"),
		"list":            []byte("[]"),
		"null":            []byte("null"),
		"cut off":         []byte(`{"apiVersion": "networking.istio.io/v1", "spec": {"a": [`),
		"two objects":     []byte(`{} {}`),
		"a key twice":     []byte(`{"kind": "Gateway", "kind": "VirtualService"}`),
		"12 MB":           append([]byte(`{"a":"`), bytes.Repeat([]byte("a"), 12<<20)...),
		"deep":            []byte(`{"a":` + strings.Repeat("[", 1<<20)),
		"deep objects":    []byte(strings.Repeat(`{"a":`, 1<<19)),
		"not an object's": []byte(`{"apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": [], "spec": {}}`),
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, err := Decode(manifest)
			var field *FieldError
			if !errors.As(err, &field) || len(err.Error()) > 500 {
				t.Errorf("got %v, want a short *FieldError", err)
			}
			if took := time.Since(start); took > 20*time.Second { // what grows with the square takes minutes
				t.Errorf("it took %s", took)
			}
		})
	}
}

func TestDecodeTakesWhatAClusterReturns(t *testing.T) {
	manifest := []byte(`{"apiVersion": "networking.istio.io/v1beta1", "kind": "DestinationRule",
		"metadata": {"name": "ratings", "namespace": "book", "uid": "1", "generation": 3, "resourceVersion": "42",
			"labels": {"app": "ratings"}, "annotations": {"a/b": "c"}, "managedFields": [{"fieldsV1": {"f:spec": {}}}]},
		"spec": {"host": "ratings", "trafficPolicy": {"outlierDetection": {"baseEjectionTime": "3m", "interval": "1.5s", "consecutive5xxErrors": null},
			"loadBalancer": {"consistentHash": {"useSourceIp": true, "ringHash": {"minimumRingSize": 1024}}}}},
		"status": {"anything": 1}}`)
	o, err := Decode(manifest)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := o.String(), "DestinationRule/book/ratings"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if o.ResourceVersion != "42" || o.APIVersion != "networking.istio.io/v1beta1" || o.Labels["app"] != "ratings" || o.Annotations["a/b"] != "c" {
		t.Errorf("metadata was not kept: %+v", o)
	}
	if !bytes.Equal(o.Manifest, manifest) {
		t.Error("the manifest was not kept to the letter")
	}
	outlier := o.Spec.(*networking.DestinationRule).TrafficPolicy.OutlierDetection
	if got := outlier.BaseEjectionTime.AsDuration(); got != 3*time.Minute {
		t.Errorf("3m was read as %s", got)
	}
	if outlier.Consecutive_5XxErrors != nil {
		t.Error("null was read as a value")
	}
	encoded, err := o.Encode()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"apiVersion":"networking.istio.io/v1beta1","kind":"DestinationRule","metadata":{"name":"ratings","namespace":"book","labels":{"app":"ratings"},"annotations":{"a/b":"c"}},` +
		`"spec":{"host":"ratings","trafficPolicy":{"loadBalancer":{"consistentHash":{"ringHash":{"minimumRingSize":1024},"useSourceIp":true}},"outlierDetection":{"baseEjectionTime":"180s","interval":"1.500s"}}}}`
	if string(encoded) != want {
		t.Errorf("encoded as\n%s\nwant\n%s", encoded, want)
	}
}

func TestDecodeFileTakesFilesExportedFromACluster(t *testing.T) {
	o := read(t, `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: a, namespace: book, uid: "1", resourceVersion: "42", generation: 1, creationTimestamp: null, managedFields: []}
spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
status: {}
`)
	if o.ResourceVersion != "" || o.Manifest != nil {
		t.Error("the file passes for an object that was read from a mesh")
	}
}

// The samples are Istio's Bookinfo rules in their known shape.
func TestSamplesSurviveEncoding(t *testing.T) {
	for _, name := range []string{"virtual-service-all-v1.yaml", "destination-rule-all.yaml", "virtual-service-reviews-test-v2.yaml", "virtual-service-ratings-test-delay.yaml", "tcp-echo-20-v2.yaml"} {
		for _, o := range sample(t, name) {
			encoded, err := o.Encode()
			if err != nil {
				t.Fatal(err)
			}
			back, err := Decode(encoded)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if diff := Diff(o, back); diff != nil {
				t.Errorf("%s changed: %s", name, diff)
			}
		}
		for _, p := range Check(sample(t, name)) {
			t.Errorf("%s: %s", name, p)
		}
	}
}

func FuzzDecode(f *testing.F) {
	files, err := os.ReadDir("testdata")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), ".yaml") {
			continue
		}
		for _, o := range sample(f, file.Name()) {
			manifest, err := o.Encode()
			if err != nil {
				f.Fatal(err)
			}
			f.Add(manifest)
		}
	}
	f.Add([]byte(`{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"a"},"spec":{"http":[{"timeout":"-1h","mirror_percent":7,"corsPolicy":{"maxAge":"1ns"}}]}}`))
	f.Fuzz(func(t *testing.T, manifest []byte) {
		o, err := Decode(manifest)
		if err != nil {
			var field *FieldError
			if !errors.As(err, &field) {
				t.Fatalf("%T is no *FieldError", err)
			}
			return
		}
		for _, p := range Check([]*Object{o}) {
			_ = fmt.Sprint(p)
		}
		encoded, err := o.Encode()
		if err != nil {
			t.Fatal(err)
		}
		back, err := Decode(encoded)
		if err != nil {
			t.Fatalf("decoding what was encoded, %s: %v", encoded, err)
		}
		if diff := Diff(o, back); diff != nil {
			t.Fatalf("encoding changed it: %s", diff)
		}
	})
}
