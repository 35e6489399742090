package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// mostRead bounds what is read: a record of a day's load has less than 1 MB.
const mostRead = 256 << 20

// KindList heads several records in one document.
const KindList = "List"

// List is several records in one document, with a NotRun for each scenario that has none.
type List[Item any] struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Items      []Item `json:"items"`
}

// ListOf is a list of what is in it.
func ListOf[Item any](items []Item) List[Item] {
	return List[Item]{APIVersion, KindList, slices.Concat([]Item{}, items)}
}

// Read reads a record as a run writes it. What is no record, is cut off, has anything
// behind it or something that this program does not know, is an error.
func Read(in io.Reader) (*Record, error) {
	all, _, err := ReadAll(in)
	if err != nil {
		return nil, err
	}
	if len(all) != 1 {
		return nil, fmt.Errorf("it has %d reports, where one is to be", len(all))
	}
	return all[0], nil
}

// ReadAll reads records: one, or several as a List or one behind the other, and what
// stands among them for scenarios that were not run. The errors are those of Read;
// without any record it is one too.
func ReadAll(in io.Reader) ([]*Record, []NotRun, error) {
	text, err := io.ReadAll(io.LimitReader(in, mostRead+1))
	switch {
	case err != nil:
		return nil, nil, err
	case len(text) > mostRead:
		return nil, nil, fmt.Errorf("it has more than %d MB, and is no report", mostRead>>20)
	case len(bytes.TrimSpace(text)) == 0:
		return nil, nil, errors.New("it is empty")
	case !strings.ContainsRune("{[", rune(bytes.TrimSpace(text)[0])):
		return nil, nil, fmt.Errorf("it is no JSON object, and so no report of meshchaos: it begins with %q; name report.json of a run, or its folder", beginning(text))
	}
	var all []*Record
	var without []NotRun
	decoder := json.NewDecoder(bytes.NewReader(text))
	for {
		began := decoder.InputOffset()
		var document json.RawMessage
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, nil, misread(text, 0, err)
		}
		began += int64(bytes.Index(text[began:], document))
		records, notRun, err := readDocument(document)
		if err != nil {
			return nil, nil, misread(text, began, err)
		}
		all, without = append(all, records...), append(without, notRun...)
	}
	switch {
	case len(all) > 0:
		return all, without, nil
	case len(without) > 0:
		return nil, nil, fmt.Errorf("it has no report: %s was %s: %s", without[0].Scenario.Name, without[0].Became, without[0].Error)
	}
	return nil, nil, errors.New("it is a list without a report")
}

// beginning is enough of a text to know it by.
func beginning(text []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	return strings.ToValidUTF8(line[:min(len(line), 20)], "")
}

// readDocument reads a record, what stands for one, or a list of them.
func readDocument(text []byte) ([]*Record, []NotRun, error) {
	var head struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, nil, err
	}
	switch {
	case head.APIVersion == APIVersion && head.Kind == Kind:
		var record Record
		if err := strictly(text, &record); err != nil {
			return nil, nil, err
		}
		return []*Record{&record}, nil, record.whole()
	case head.APIVersion == APIVersion && head.Kind == KindNotRun:
		var notRun NotRun
		err := strictly(text, &notRun)
		return nil, []NotRun{notRun}, err
	case head.APIVersion == APIVersion && head.Kind == KindList:
		return readList(text)
	}
	return nil, nil, fmt.Errorf("it is no report of meshchaos that this program reads: its apiVersion is %q and its kind %q, not %q and %q", head.APIVersion, head.Kind, APIVersion, Kind)
}

// readList reads what is in a list.
func readList(text []byte) (records []*Record, without []NotRun, err error) {
	var list List[json.RawMessage]
	if err := strictly(text, &list); err != nil {
		return nil, nil, err
	}
	at := 0
	for i, item := range list.Items {
		at += bytes.Index(text[at:], item)
		one, none, err := readDocument(item)
		if err != nil {
			return nil, nil, fmt.Errorf("its item %d: %w", i+1, further(err, at))
		}
		records, without = append(records, one...), append(without, none...)
		at += len(item)
	}
	return records, without, nil
}

func strictly(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err != nil {
		if field, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); unknown { // of which there is no type
			return fmt.Errorf("unknown field %s; take the version of meshchaos that wrote it, or a later one", field)
		}
	}
	return err
}

// whole says what is missing in a record without which nothing can be told of it.
func (r *Record) whole() error {
	for i, w := range r.Windows {
		for name, load := range w.Loads {
			if load == nil {
				return fmt.Errorf("windows[%d].loads has nothing of %s", i, name)
			}
		}
	}
	return nil
}

// further moves what is wrong in a part of a text to where that stands in it.
func further(err error, by int) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		syntax.Offset += int64(by)
	case errors.As(err, &kind):
		kind.Offset += int64(by)
	}
	return err
}

// misread says where a text is no record: err is of a document in it that begins there.
func misread(text []byte, began int64, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	at := int64(0)
	switch {
	case errors.As(err, &syntax):
		at = began + syntax.Offset
	case errors.As(err, &kind):
		at = began + kind.Offset
		err = errors.New(strings.Replace(err.Error(), kind.Error(), fmt.Sprintf("%sa report has no %s there", of(kind.Field), kind.Value), 1))
	}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("it is cut off: it ends in the middle of the report")
	case at > 0:
		before := text[:min(at, int64(len(text)))]
		line, column := 1+bytes.Count(before, []byte("\n")), int(at)-bytes.LastIndexByte(before, '\n')-1
		return fmt.Errorf("line %d, column %d: %w", line, column, err)
	}
	return err
}

// of is the place of a field before what is wrong with it.
func of(field string) string {
	if field == "" {
		return ""
	}
	return field + ": "
}
