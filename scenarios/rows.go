package scenarios

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"

	"github.com/meshchaos/meshchaos/internal/secret"
	"github.com/meshchaos/meshchaos/internal/yamlnode"
	"github.com/meshchaos/meshchaos/loadgen"
)

// The bounds of a file of values, which goes to whoever makes the load.
const (
	maxValues = 256 << 10
	maxRows   = 10_000
)

// valuesOf are those of the text of a file.
func valuesOf(name, text string) (*loadgen.Values, error) {
	v := &loadgen.Values{File: name, Digest: digest(text)}
	var err error
	switch {
	case len(text) > maxValues:
		return nil, fmt.Errorf("%s is larger than %d KiB; take a part of it", name, maxValues>>10)
	case !utf8.ValidString(text):
		return nil, fmt.Errorf("%s is not text in UTF-8; convert it", name)
	}
	switch strings.ToLower(filepath.Ext(name)) {
	case ".csv":
		v.Columns, v.Rows, err = rowsOfCSV(text)
	case ".json":
		v.Columns, v.Rows, err = rowsOfJSON(text)
	default:
		err = errors.New("it is neither .csv nor .json by its name; name one that is")
	}
	if v.Count = len(v.Rows); err == nil && v.Count > maxRows {
		err = fmt.Errorf("it has %d rows, and at most %d are taken; take a part of it", v.Count, maxRows)
	}
	if err == nil && v.Count == 0 {
		err = errors.New("it has no row of values; write one at least")
	}
	if err != nil {
		return nil, fmt.Errorf("reading values from %s: %w", name, err)
	}
	return v, nil
}

// rowsOfCSV are the rows of a text of CSV (RFC 4180), of which the first names the columns.
func rowsOfCSV(text string) (columns []string, rows [][]string, err error) {
	all, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		return nil, nil, fmt.Errorf("%w; write each row with a value for each column, those with a comma or a quote in quotes", err)
	}
	if len(all) == 0 {
		return nil, nil, errors.New("it is empty; its first row names the columns")
	}
	return all[0], all[1:], nil
}

// rowsOfJSON are the rows of a list of mappings that have the same names, each with a text,
// a number or a truth.
func rowsOfJSON(text string) (columns []string, rows [][]string, err error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var list []map[string]any
	if err := decoder.Decode(&list); err != nil {
		return nil, nil, noList(text, err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, nil, errors.New("something follows its list; write one list, and nothing else")
	}
	for i, entry := range list {
		names := slices.Sorted(maps.Keys(entry))
		if i == 0 {
			columns = names
		}
		if !slices.Equal(names, columns) {
			return nil, nil, fmt.Errorf("its entry %d has %s, and the first %s; each has the same names", i+1, strings.Join(names, ", "), strings.Join(columns, ", "))
		}
		var row []string
		for _, name := range names {
			switch value := entry[name].(type) {
			case string:
				row = append(row, value)
			case json.Number, bool:
				row = append(row, fmt.Sprint(value))
			default:
				return nil, nil, fmt.Errorf("%s of its entry %d is no text, number or truth; write one of these", name, i+1)
			}
		}
		rows = append(rows, row)
	}
	return columns, rows, nil
}

// noList says where a text is no list of mappings, and why.
func noList(text string, err error) error {
	const how = "write a list of mappings, as in [{\"name\": \"ann\"}]"
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return fmt.Errorf("it is no list of mappings, or does not end; %s", how)
	}
	before := text[:max(syntax.Offset-1, 0)]
	line := before[strings.LastIndexByte(before, '\n')+1:]
	return fmt.Errorf("line %d, column %d: %w; %s", 1+strings.Count(before, "\n"), 1+utf8.RuneCountInString(line), err, how)
}

// valuesFor are those that a load names, read once.
func (r *reader) valuesFor(node ast.Node, load fileLoad) (*loadgen.Values, error) {
	if load.Values == "" {
		return nil, nil
	}
	values := r.values[load.Values]
	if values == nil {
		text, err := r.open(load.Values, maxValues)
		var read *loadgen.Values
		if err == nil {
			read, err = valuesOf(load.Values, text)
		}
		if err != nil {
			return nil, yamlnode.At(yamlnode.Follow(node, "values"), "", "%v", err)
		}
		values, r.values[load.Values] = read, read
	}
	for i, name := range values.Columns {
		if !secret.Name(name) && !slices.ContainsFunc(load.Secret, func(mark string) bool { return strings.EqualFold(mark, name) }) {
			continue
		}
		for _, row := range values.Rows {
			if row[i] != "" {
				r.hiding.values.Add(row[i])
			}
		}
	}
	return values, nil
}
