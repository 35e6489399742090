package scenarios

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/meshchaos/meshchaos/internal/lint"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

// maxManifests bounds a file of manifests; a document of it is bounded as a
// scenario is.
const maxManifests = 4 << 20

// Manifests are Istio's objects in files that are no scenarios, such as kubectl
// applies. Objects of other kinds are passed over.
type Manifests struct {
	Objects []*rules.Object // where a file names no namespace, it is empty
	sources []source        // of each
}

// ReadManifests adds the objects of a file, - for stdin. The error joins all that
// is wrong in it; the objects that can be read are there all the same.
func (m *Manifests) ReadManifests(name string, stdin io.Reader) error {
	in, file := stdin, "stdin"
	if name != Stdin {
		opened, err := open(name)
		if err != nil {
			return err
		}
		defer opened.Close()
		in, file = opened, name
	}
	text, err := io.ReadAll(io.LimitReader(in, maxManifests+1))
	if err != nil || len(text) > maxManifests {
		return errors.Join(err, fmt.Errorf("reading %q: a file of manifests has at most %d MiB; split it", name, maxManifests>>20))
	}
	lines := strings.SplitAfter(strings.TrimPrefix(string(text), "\ufeff"), "\n")
	var wrong []error
	for begin := 0; begin < len(lines); {
		end := begin + 1
		for end < len(lines) && !separates(strings.TrimRight(lines[end], "\n")) {
			end++
		}
		wrong = append(wrong, m.document(newReader(file, strings.Join(lines[begin:end], ""), nil, nil), begin))
		begin = end
	}
	return errors.Join(wrong...)
}

// document adds the objects of one document, before which so many lines stand.
func (m *Manifests) document(r *reader, before int) error {
	text := strings.Join(r.lines, "\n")
	if strings.TrimSpace(strings.TrimPrefix(text, "---")) == "" {
		return nil
	}
	if err := r.guard(text); err != nil {
		return shifted(err, r, before)
	}
	nodes, err := documents(text)
	if err != nil {
		return shifted(err, r, before)
	}
	var wrong []error
	for _, node := range nodes {
		wrong = append(wrong, m.add(source{node: node, in: r, before: before}))
	}
	return errors.Join(wrong...)
}

// add adds what a node holds: an object, or a list of them as kubectl prints it.
func (m *Manifests) add(s source) error {
	api, kind := wordAt(s.node, "apiVersion"), wordAt(s.node, "kind")
	switch {
	case api == "" || kind == "":
		return shifted(yamlnode.At(s.node, "write apiVersion and kind", "this is no object of Kubernetes"), s.in, s.before)
	case api == scenarioAPI:
		return shifted(yamlnode.At(s.node, "meshchaos validate checks it", "this is a scenario"), s.in, s.before)
	case isList(api, kind):
		return m.list(s)
	case strings.HasPrefix(api, "networking.istio.io/") && respelt(kind) != "":
		return shifted(yamlnode.At(yamlnode.Pair(s.node, "kind").Value, "write "+respelt(kind), "%s has no kind %q", api, kind), s.in, s.before)
	case !strings.HasPrefix(api, "networking.istio.io/") || !slices.Contains(linted, kind):
		return nil
	}
	object, err := decodeObject(s.node, rules.Decode)
	if err != nil {
		return shifted(err, s.in, s.before)
	}
	m.Objects, m.sources = append(m.Objects, object), append(m.sources, s)
	return nil
}

// isList says whether an object holds others: one of kubectl's, or one of a kind that
// is linted, as the API server answers for it.
func isList(api, kind string) bool {
	of, ok := strings.CutSuffix(kind, "List")
	return ok && (api == "v1" || strings.HasPrefix(api, "networking.istio.io/") && slices.Contains(linted, of))
}

// list adds what a list of objects holds.
func (m *Manifests) list(s source) error {
	items := yamlnode.Pair(s.node, "items")
	if items == nil || items.Value.Type() == ast.NullType {
		return nil
	}
	sequence, ok := items.Value.(*ast.SequenceNode)
	if !ok {
		return shifted(yamlnode.At(items.Value, "write the objects one below another, each after a -", "items takes a list of objects, not %s", yamlnode.Kind(items.Value)), s.in, s.before)
	}
	var wrong []error
	for i := range sequence.Values {
		wrong = append(wrong, m.add(source{sequence.Values[i], s.in, s.before}))
	}
	return errors.Join(wrong...)
}

// linted are the kinds that are.
var linted = []string{rules.VirtualService, rules.DestinationRule, rules.Gateway}

// respelt is the kind that somebody meant who wrote it in other letters, empty if
// it is one.
func respelt(kind string) string {
	for _, known := range linted {
		if kind != known && strings.EqualFold(kind, known) {
			return known
		}
	}
	return ""
}

func wordAt(node ast.Node, key string) string {
	pair := yamlnode.Pair(node, key)
	if pair == nil {
		return ""
	}
	text, _ := yamlnode.Scalar(pair.Value)
	return text
}

// shifted places an error of a document in its file.
func shifted(err error, r *reader, before int) error {
	placed := r.place(err)
	if placed.Line > 0 {
		placed.Line += before
	}
	return placed
}

// Lint returns the traps that the objects are caught in and do not silence, taken
// together.
func (m *Manifests) Lint() []Warning {
	var all []Warning
	for i, o := range m.Objects {
		for _, w := range lint.Find([]*rules.Object{o}, lint.Around{Objects: m.Objects}) {
			if !lint.Silenced(o, w.Trap) {
				all = append(all, warningAt(m.sources[i].at(w.Path), w.Trap, fmt.Sprintf("%s %s: %s: %s", o.Kind, o.Name, w.Path, w.Message)))
			}
		}
	}
	return all
}
