package rules

import "testing"

func TestAnObjectThatWasWrittenAgainIsToldByItsGeneration(t *testing.T) {
	of := func(metadata string) *Object { return &Object{Manifest: []byte(`{"metadata":{` + metadata + `}}`)} }
	first := of(`"uid":"a","generation":1,"resourceVersion":"7"`)
	for name, one := range map[string]struct {
		after *Object
		want  bool
	}{
		"by nobody":                  {of(`"uid":"a","generation":1,"resourceVersion":"7"`), false},
		"its status alone":           {of(`"uid":"a","generation":1,"resourceVersion":"8"`), false},
		"its spec":                   {of(`"uid":"a","generation":3,"resourceVersion":"9"`), true},
		"deleted and created anew":   {of(`"uid":"b","generation":1,"resourceVersion":"9"`), true},
		"a mesh that does not tell":  {of(`"name":"x"`), false},
		"an object without manifest": {&Object{}, false},
		"no JSON":                    {&Object{Manifest: []byte("{")}, false},
		"none":                       {nil, false},
	} {
		if got := Rewritten(first, one.after); got != one.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
