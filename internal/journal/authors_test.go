package journal

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/internal/rules"
)

func TestAuthorsAreThoseWhoHaveWrittenSince(t *testing.T) {
	owning := func(manager, time, fields string) string {
		return `{"manager":"` + manager + `","operation":"Update","apiVersion":"networking.istio.io/v1","time":"` + time + `","fieldsV1":{` + fields + `}}`
	}
	entry := func(manager, time string) string { return owning(manager, time, `"f:spec":{}`) }
	object := func(entries string) *rules.Object {
		return decoded(t, object(rules.VirtualService, routes(toA), `,"managedFields":[`+entries+`]`))
	}
	before := object(entry("argocd", "1") + `,` + entry("meshchaos", "2") + `,` + entry("kubectl-edit", "1"))
	for name, test := range map[string]struct {
		after *rules.Object
		want  []string
	}{
		"nobody":               {before, nil},
		"somebody new":         {object(entry("argocd", "1") + `,` + entry("meshchaos", "2") + `,` + entry("kubectl-label", "3")), []string{"kubectl-label"}},
		"who was there before": {object(entry("argocd", "1") + `,` + entry("meshchaos", "2") + `,` + entry("kubectl-edit", "3")), []string{"kubectl-edit"}},
		"gone":                 {nil, nil},
	} {
		if diff := cmp.Diff(test.want, Authors(before, test.after)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestAnObjectIsSignedThatIsNotYetItsOwnersAgain(t *testing.T) {
	owning := func(manager, time, fields string) string {
		return `{"manager":"` + manager + `","operation":"Update","apiVersion":"networking.istio.io/v1","time":"` + time + `","fieldsV1":{` + fields + `}}`
	}
	entry := func(manager, time string) string { return owning(manager, time, `"f:spec":{}`) }
	object := func(entries string) *rules.Object {
		return decoded(t, object(rules.VirtualService, routes(toA), `,"managedFields":[`+entries+`]`))
	}
	theirs, older := entry("argocd", "1"), entry("meshchaos", "1")
	for name, test := range map[string]struct {
		was, is *rules.Object
		want    bool
	}{
		"as it was":              {object(theirs), object(theirs), false},
		"the run's":              {object(theirs), object(theirs + "," + entry("meshchaos", "2")), true},
		"somebody else's now":    {object(theirs), object(theirs + "," + entry("kubectl-edit", "2")), false},
		"ours before":            {object(theirs + "," + older), object(theirs + "," + older), false},
		"ours before, and again": {object(theirs + "," + older), object(theirs + "," + entry("meshchaos", "2")), false},
		"more of it ours":        {object(theirs + "," + older), object(theirs + "," + owning("meshchaos", "2", `"f:metadata":{},"f:spec":{}`)), true},
		"nobody's":               {object(""), object(entry("meshchaos", "2")), false},
		"not there":              {nil, object(entry("meshchaos", "2")), false},
		"gone":                   {object(theirs), nil, false},
	} {
		if is := Signed(test.was, test.is); is != test.want {
			t.Errorf("%s: signed is %v", name, is)
		}
	}
}
