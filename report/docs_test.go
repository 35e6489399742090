package report_test

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/report"
)

// node is a part of a JSON Schema.
type node struct {
	Properties map[string]*node `json:"properties"`
	Items      *node            `json:"items"`
	AnyOf      []*node          `json:"anyOf"`
	Defs       map[string]*node `json:"$defs"`
}

// within are the objects that the schema has in the place of a property, rather than a
// name for them.
func (n *node) within() []*node {
	if n == nil {
		return nil
	}
	var all []*node
	for _, part := range slices.Concat(slices.Collect(maps.Values(n.Properties)), n.AnyOf, []*node{n.Items}) {
		if part == nil {
			continue
		}
		if part.Properties != nil {
			all = append(all, part)
		}
		all = append(all, part.within()...)
	}
	return all
}

func (n *node) names() []string { return slices.Sorted(maps.Keys(n.Properties)) }

// schemaTypes are the properties of each type of the schema. What has no name of its own
// there is a histogram: it is written otherwise than its type has it.
func schemaTypes(t *testing.T) map[string][]string {
	t.Helper()
	text, err := report.Schema()
	if err != nil {
		t.Fatal(err)
	}
	var whole node
	if err := json.Unmarshal(text, &whole); err != nil {
		t.Fatal(err)
	}
	types := map[string][]string{"Record": whole.names()}
	for name, one := range whole.Defs {
		types[name] = one.names()
		for _, inner := range one.within() {
			types["Histogram"] = inner.names()
		}
	}
	return types
}

var (
	headings = regexp.MustCompile(`(?m)^### ([A-Z]\w*)$`)
	fieldRow = regexp.MustCompile("(?m)^\\| (`[^|]+`) \\|")
	keyOfRow = regexp.MustCompile("`([^`]+)`")
)

// explained are the fields that a page explains, by the headings of their types.
func explained(page string) map[string][]string {
	fields := map[string][]string{}
	marks := headings.FindAllStringSubmatchIndex(page, -1)
	for i, mark := range marks {
		end := len(page)
		if i+1 < len(marks) {
			end = marks[i+1][0]
		}
		name := page[mark[2]:mark[3]]
		for _, row := range fieldRow.FindAllStringSubmatch(page[mark[1]:end], -1) {
			for _, key := range keyOfRow.FindAllStringSubmatch(row[1], -1) {
				fields[name] = append(fields[name], key[1])
			}
		}
		slices.Sort(fields[name])
	}
	return fields
}

// TestEachFieldIsExplained: docs/reports.md has each type of the schema, and of each its
// fields and no others.
func TestEachFieldIsExplained(t *testing.T) {
	text, err := os.ReadFile("../docs/reports.md")
	if err != nil {
		t.Fatal(err)
	}
	_, reference, there := strings.Cut(string(text), "\n## Every field\n")
	if !there {
		t.Fatal("docs/reports.md has no section Every field")
	}
	if diff := cmp.Diff(schemaTypes(t), explained(reference)); diff != "" {
		t.Errorf("docs/reports.md, Every field, explains other fields than meshchaos schema report has (-schema +page):\n%s", diff)
	}
}
