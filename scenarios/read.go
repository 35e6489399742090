package scenarios

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/meshchaos/meshchaos/internal/secret"
	"github.com/meshchaos/meshchaos/internal/yamlnode"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// maxSize and maxDepth bound a file: the library's largest is a hundredth of
// this, and the parser's time grows faster than a file does.
const (
	maxSize  = 64 << 10
	maxDepth = 100
)

// reader reads one file. It adds the file's name and lines to what is wrong.
type reader struct {
	file  string
	lines []string
	open  beside            // reads a file that this one names
	files map[string]string // those that were opened

	values      map[string]*loadgen.Values      // of files of values that it names
	descriptors map[string]*loadgen.Descriptors // of files of those

	hiding *hiding
	inner  map[string]map[secret.Place]secret.Form // where secrets stand in the files of rules
	bare   bool                                    // of certificates and keys there is no more than their names: they are in no report

	params  map[string]*param
	uses    map[string]bearing        // what they bear upon
	times   map[string]bool           // those that say how long a load lasts
	set     []setting                 // what stands in the place of the file's own
	own     int                       // how many lines are the file's; in the others stand options
	stands  map[int]int               // the line of the file in whose place an option's stands
	notes   map[token.Position]string // what the parameters are that stand there
	written map[*token.Token]written  // texts with references in them
}

// newReader returns a reader of a text, with the options that change it.
func newReader(file, text string, set []string, open beside) *reader {
	r := &reader{
		file: file, lines: strings.Split(text, "\n"), open: open, values: map[string]*loadgen.Values{}, descriptors: map[string]*loadgen.Descriptors{}, files: map[string]string{}, hiding: newHiding(), inner: map[string]map[secret.Place]secret.Form{}, uses: map[string]bearing{}, times: map[string]bool{},
		stands: map[int]int{}, notes: map[token.Position]string{}, written: map[*token.Token]written{},
	}
	r.own = len(r.lines)
	for _, one := range set {
		r.lines = append(r.lines, "--set "+one)
	}
	return r
}

// Read reads and compiles a scenario. What is wrong in it is an *Error, or
// several joined. Each of set is PATH=VALUE: the value, in YAML, is to stand where
// the path into spec leads.
func Read(path string, set ...string) (*Scenario, error) {
	text, err := readFile(path, maxSize)
	if err != nil {
		return nil, err
	}
	return parse(path, text, set, openBeside(filepath.Dir(path)))
}

func open(path string) (*os.File, error) {
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("reading %q: %w; is it in another folder?", path, errors.Unwrap(err))
	case err != nil:
		return nil, fmt.Errorf("reading %q: %w; may you read it?", path, errors.Unwrap(err))
	}
	return f, nil
}

// beside reads so many bytes of a file that another names, and one more if there is one.
type beside func(name string, most int64) (string, error)

// readFile returns the text of a file, without the byte order mark that some
// editors put before it.
func readFile(path string, most int64) (string, error) {
	f, err := open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return "", fmt.Errorf("reading %q: it is a folder; name a file in it", path)
	}
	return readText(f, most)
}

// readText reads so many bytes, and one more if there is one.
func readText(r io.Reader, most int64) (string, error) {
	text, err := io.ReadAll(io.LimitReader(r, most+1))
	return strings.TrimPrefix(string(text), "\ufeff"), err
}

// parse reads the text of a scenario that was named file, and works out what of it a
// report has.
func parse(file, text string, set []string, open beside) (*Scenario, error) {
	r := newReader(file, text, set, open)
	s, err := r.read(text, set)
	if err != nil {
		return nil, err
	}
	if err := r.show(s); err != nil {
		return nil, err
	}
	return s, nil
}

func (r *reader) read(text string, set []string) (*Scenario, error) {
	if err := r.guard(text); err != nil {
		return nil, err
	}
	body, err := r.document(text)
	if err != nil {
		return nil, r.place(err)
	}
	if err := noObject(body); err != nil {
		return nil, r.place(err)
	}
	r.hiding.find(body)
	given, err := r.fill(body, set)
	if err != nil {
		return nil, r.place(err)
	}
	var f fileScenario
	if err := yamlnode.Decode(body, &f.file, "the scenario"); err != nil {
		return nil, r.place(err)
	}
	r.hiding.find(body)
	f.body = body
	s, err := r.compile(&f)
	if err != nil {
		return nil, err
	}
	s.File, s.Text, s.Set, s.Files, s.Params = r.file, text, set, r.files, given
	for name, values := range r.values {
		if s.Values == nil {
			s.Values = map[string]loadgen.Values{}
		}
		s.Values[name] = *loadgen.Plan{Values: values}.AsRecorded().Values
	}
	for name, file := range r.descriptors {
		if s.Descriptors == nil {
			s.Descriptors = map[string]loadgen.Descriptors{}
		}
		s.Descriptors[name] = loadgen.Descriptors{File: file.File, Digest: file.Digest}
	}
	return s, nil
}

// noObject tells who names a manifest, such as the rules of a scenario, what is for it,
// rather than which of its keys a scenario does not have.
func noObject(body ast.Node) error {
	api, kind := wordAt(body, "apiVersion"), wordAt(body, "kind")
	switch {
	case api == report.APIVersion && slices.Contains([]string{report.Kind, report.KindList, report.KindNotRun}, kind):
		return yamlnode.At(yamlnode.Follow(body, "kind"), "meshchaos judge judges it again, and meshchaos report makes its files", "this is a report of a run, and no scenario")
	case api == "" || kind == "" || strings.HasPrefix(api, "meshchaos/"):
		return nil
	case strings.HasPrefix(api, "networking.istio.io/"):
		return yamlnode.At(yamlnode.Follow(body, "kind"), "meshchaos lint checks it, and a scenario names its file under given or apply", "this is a %s, and no scenario", kind)
	}
	return yamlnode.At(yamlnode.Follow(body, "kind"), "a scenario has apiVersion: "+scenarioAPI+" and kind: "+scenarioKind, "this is a %s of %s, and no scenario", kind, api)
}

// fill lets settings stand where they are for, and parameters where a reference
// to them does. It returns the text of each parameter.
func (r *reader) fill(body ast.Node, set []string) (map[string]string, error) {
	settings, err := r.settings(set)
	if err != nil {
		return nil, err
	}
	r.set = settings
	params, err := r.paramsOf(body)
	if err != nil {
		return nil, err
	}
	r.params = params
	found := &substitution{params: params, reader: r, dry: true}
	if err := found.below(body); err != nil { // before a setting takes a reference's place
		return nil, err
	}
	for i := range settings {
		s := &settings[i]
		if s.isParam() {
			err = s.give(params)
		} else {
			err = r.apply(body, s)
		}
		if err != nil {
			return nil, err
		}
	}
	r.hiding.find(body)
	r.hiding.settings(settings)
	if err := r.hiding.checkParams(body, params); err != nil {
		return nil, err
	}
	if err := r.hiding.checkShort(body, nil, params); err != nil {
		return nil, err
	}
	if spec := yamlnode.Pair(body, "spec"); spec != nil {
		pairs, _ := yamlnode.Entries(spec.Value)
		for _, pair := range pairs {
			r.findUses(pair.Value, []string{yamlnode.Key(pair)})
		}
	}
	if err := (&substitution{params: params, reader: r}).below(body); err != nil {
		return nil, err
	}
	given := map[string]string{}
	for name, p := range params {
		given[name] = p.text()
		if r.hiding.params[name] {
			r.hiding.values.Add(p.text())
		}
	}
	return given, unused(params)
}

// fileScenario is a decoded file with the node it was read from.
type fileScenario struct {
	file
	body ast.Node
}

// guard refuses what is no scenario before the parser sees it.
func (r *reader) guard(text string) error {
	if strings.TrimSpace(text) == "" {
		return &Error{File: r.file, Message: "the file is empty; see meshchaos list for scenarios to begin with"}
	}
	if wrong := unreadable(text); wrong != "" {
		return &Error{File: r.file, Message: "the file " + wrong}
	}
	return nil
}

// unreadable says why the parser had better not see a text; empty: it may.
func unreadable(text string) string {
	switch {
	case len(text) > maxSize:
		return fmt.Sprintf("is larger than %d KiB; a scenario is a few dozen lines", maxSize>>10)
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return "is not text in UTF-8"
	case depth(text) > maxDepth:
		return fmt.Sprintf("is nested more than %d deep", maxDepth)
	}
	return ""
}
