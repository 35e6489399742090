package rules

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Intent is one thing to do to the traffic of services. It is a struct whose
// fields, with their yaml tags, are its form in a scenario, and the whole of it
// stands in one file of this package.
type Intent interface {
	// String says what the intent does, and to which services.
	fmt.Stringer

	// Services returns the services that it is for, as the file names them:
	// short or fully qualified.
	Services() []string

	// Versions returns the versions of these services that it names.
	Versions() []string

	// Check says what is wrong with the intent in itself, before any object is
	// looked at. The error names the field, not the intent.
	Check() error

	// scope returns which requests are met by it.
	scope() scope

	// merge works it into the objects of a draft, for one service that is there.
	merge(d *draft, service Service) error
}

// form is the word that an intent goes by, an empty one to be read into, and
// what it puts into an http entry that is to be seen to bite by itself.
type form struct {
	name  string
	make  func() Intent
	parts []entryPart
}

// forms are the known intents, in the order in which they are listed.
func forms() []form {
	return []form{
		{"route", func() Intent { return &Route{} }, nil},
		{"fault", func() Intent { return &Fault{} }, faultParts()},
		{"breaker", func() Intent { return &Breaker{} }, nil},
		{"timeout", func() Intent { return &Timeout{} }, timeoutParts()},
		{"mirror", func() Intent { return &Mirror{} }, mirrorParts()},
		{"retries", func() Intent { return &Retries{} }, retriesParts()},
		{"headers", func() Intent { return &Headers{} }, headersParts()},
		{"rewrite", func() Intent { return &Rewrite{} }, rewriteParts()},
		{"redirect", func() Intent { return &Redirect{} }, redirectParts()},
	}
}

// IntentNames returns the words that intents go by in a scenario.
func IntentNames() []string {
	var names []string
	for _, f := range forms() {
		names = append(names, f.name)
	}
	return names
}

// NewIntent returns an empty intent to be read from the form in YAML that goes
// by a name, nil if there is none of that name.
func NewIntent(name string) Intent {
	for _, f := range forms() {
		if f.name == name {
			return f.make()
		}
	}
	return nil
}

// KeyError is what is wrong with one key of an intent.
type KeyError struct {
	Key string // delay; of a header in when: when.end-user
	err error
}

// Error implements error.
func (e *KeyError) Error() string { return e.err.Error() }

// Unwrap returns the reason.
func (e *KeyError) Unwrap() error { return e.err }

func wrongKey(key, format string, args ...any) error {
	return &KeyError{key, fmt.Errorf(format, args...)}
}

// checkScope takes services, each named once, and what Envoy can match.
func checkScope(services []string, s scope) error {
	if len(services) == 0 {
		return wrongKey("service", "it names no service; write service: with its name")
	}
	for i, service := range services {
		switch {
		case service == "":
			return wrongKey("service", "it names a service without a name; leave it out")
		case slices.Contains(services[:i], service):
			return wrongKey("service", "the service %s stands twice", service)
		}
	}
	return s.check()
}

// Replaces says whether, in one list, the later of two intents would take the
// place of the earlier: whether both are of one kind and for one service, and
// the later is for every request that the earlier is for. Merge edits the
// entries that it finds, so nothing would be left of the earlier.
func Replaces(later, earlier Intent) bool {
	if reflect.TypeOf(later) != reflect.TypeOf(earlier) {
		return false
	}
	common := slices.ContainsFunc(later.Services(), func(service string) bool {
		return slices.ContainsFunc(earlier.Services(), func(other string) bool { return sameService(service, other) })
	})
	return common && later.scope().includes(earlier.scope())
}

// sameService says whether two names are of one service, as far as a file alone can tell:
// one without a namespace is of the run's, which is taken to be default, as on the
// embedded mesh.
func sameService(a, b string) bool {
	short, namespace := splitName(a)
	other, elsewhere := splitName(b)
	return short == other && cmp.Or(namespace, "default") == cmp.Or(elsewhere, "default")
}

// NamespacesOf are those that the names of an intent's services have.
func NamespacesOf(intent Intent) []string {
	var all []string
	for _, service := range intent.Services() {
		if _, namespace := splitName(service); namespace != "" {
			all = append(all, namespace)
		}
	}
	return all
}

// splitName splits the name of a service into the short one and its namespace, empty
// where it has none.
func splitName(name string) (short, namespace string) {
	short, namespace, _ = strings.Cut(strings.TrimSuffix(strings.TrimSuffix(name, ".cluster.local"), ".svc"), ".")
	return short, namespace
}

// When returns the headers that a request must have to be met by an intent; nil:
// it is for all requests.
func When(intent Intent) map[string]string { return intent.scope().when }
