package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// mostRead bounds what is read: a record of a day's load has less than 1 MB.
const mostRead = 256 << 20

// KindList heads several records in one document.
const KindList = "List"

// List is several records in one document.
type List struct {
	APIVersion string    `json:"apiVersion"`
	Kind       string    `json:"kind"`
	Items      []*Record `json:"items"`
}

// ListOf is a list of records.
func ListOf(records []*Record) List {
	return List{APIVersion, KindList, slices.Concat([]*Record{}, records)}
}

// Read reads a record as a run writes it. What is no record, is cut off, has anything
// behind it or something that this program does not know, is an error.
func Read(in io.Reader) (*Record, error) {
	all, err := ReadAll(in)
	if err != nil {
		return nil, err
	}
	if len(all) != 1 {
		return nil, fmt.Errorf("it has %d reports, where one is to be", len(all))
	}
	return all[0], nil
}

// ReadAll reads records: one, or several as a List or one behind the other. The errors
// are those of Read; without any record it is one too.
func ReadAll(in io.Reader) ([]*Record, error) {
	text, err := io.ReadAll(io.LimitReader(in, mostRead+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > mostRead:
		return nil, fmt.Errorf("it has more than %d MB, and is no report", mostRead>>20)
	case len(bytes.TrimSpace(text)) == 0:
		return nil, errors.New("it is empty")
	}
	var all []*Record
	decoder := json.NewDecoder(bytes.NewReader(text))
	for {
		began := decoder.InputOffset()
		var document json.RawMessage
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, misread(text, 0, err)
		}
		began += int64(bytes.Index(text[began:], document))
		records, err := readDocument(document)
		if err != nil {
			return nil, misread(text, began, err)
		}
		all = append(all, records...)
	}
	if len(all) == 0 {
		return nil, errors.New("it is a list without a report")
	}
	return all, nil
}

// readDocument reads a record or a list of them.
func readDocument(text []byte) ([]*Record, error) {
	var head struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	switch {
	case head.APIVersion != APIVersion || head.Kind != Kind && head.Kind != KindList:
		return nil, fmt.Errorf("it is no report of meshchaos that this program reads: its apiVersion is %q and its kind %q, not %q and %q", head.APIVersion, head.Kind, APIVersion, Kind)
	case head.Kind == Kind:
		var record Record
		if err := decoder.Decode(&record); err != nil {
			return nil, err
		}
		return []*Record{&record}, record.whole()
	}
	var list List
	if err := decoder.Decode(&list); err != nil {
		return nil, err
	}
	for i, record := range list.Items {
		if record == nil || record.Kind != Kind || record.APIVersion != APIVersion {
			return nil, fmt.Errorf("its item %d is no report of meshchaos that this program reads", i+1)
		}
		if err := record.whole(); err != nil {
			return nil, fmt.Errorf("its item %d: %w", i+1, err)
		}
	}
	return list.Items, nil
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
