package yamlnode

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"pgregory.net/rapid"
)

func TestANumberIsWhatAReaderTakesItFor(t *testing.T) {
	for text, want := range map[string]string{
		"{a: 010}":                `{"a":10}`,
		"{a: 08}":                 `{"a":8}`,
		"a: [-010, +010, 0, 09]":  `{"a":[-10,10,0,9]}`,
		"a: 010.50":               `{"a":10.5}`,
		"a: '010'":                `{"a":"010"}`,
		`a: "0x10"`:               `{"a":"0x10"}`,
		"a: 010s":                 `{"a":"010s"}`,
		"a:\n  - b: 0600":         `{"a":[{"b":600}]}`,
		"a: 18446744073709551615": `{"a":18446744073709551615}`,
		"v1: 010":                 `{"v1":10}`,
		"010":                     "10",
		"- 08":                    "[8]",
	} {
		root, err := Decimal(node(t, text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := asJSON(t, root); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
}

func TestANumberInAnotherNotationIsRefusedWhereItStands(t *testing.T) {
	for text, column := range map[string]int{
		"a: 0x10": 4, "a: 0o10": 4, "a: 0b10": 4, "a: 1_000": 4, "a: [1, 0x10]": 8, "a: 1.5e3": 4, "a: .5": 4,
		"a: 99999999999999999999": 4, "{010: a}": 2, "{0x1: a}": 2,
	} {
		var own *Error
		if _, err := Decimal(node(t, text)); !errors.As(err, &own) || own.Column != column {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestLeadingZerosChangeNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.Int64Range(-math.MaxInt64, math.MaxInt64).Draw(t, "number")
		text := rapid.StringMatching("0{0,5}").Draw(t, "zeros") + strconv.FormatInt(max(want, -want), 10)
		if want < 0 {
			text = "-" + text
		}
		root, err := Decimal(node(t, "a: "+text))
		if err != nil {
			t.Fatal(err)
		}
		var in struct {
			A int64 `yaml:"a"`
		}
		if err := Decode(root, &in, "the form"); err != nil || in.A != want {
			t.Fatalf("%s is read as %d: %v", text, in.A, err)
		}
	})
}

func asJSON(t interface{ Fatal(...any) }, root ast.Node) string {
	var tree any
	if err := yaml.NodeToValue(root, &tree); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
