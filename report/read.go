package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// mostRead bounds a record: one of a day's load has less than 1 MB.
const mostRead = 64 << 20

// Read reads a record as a run writes it. What is no record, is cut off, has anything
// behind it or something that this program does not know, is an error.
func Read(in io.Reader) (*Record, error) {
	text, err := io.ReadAll(io.LimitReader(in, mostRead+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > mostRead:
		return nil, fmt.Errorf("it has more than %d MB, and is no report", mostRead>>20)
	}
	var head struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, misread(text, err)
	}
	if head.Kind != Kind || head.APIVersion != APIVersion {
		return nil, fmt.Errorf("it is no report of meshchaos that this program reads: its apiVersion is %q and its kind %q, not %q and %q", head.APIVersion, head.Kind, APIVersion, Kind)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	var record Record
	if err := decoder.Decode(&record); err != nil {
		return nil, misread(text, err)
	}
	return &record, nil
}

// misread says where a text is no record.
func misread(text []byte, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	at := int64(0)
	switch {
	case errors.As(err, &syntax):
		at = syntax.Offset
	case errors.As(err, &kind):
		at = kind.Offset
	}
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		return errors.New("it is empty")
	case syntax != nil && at >= int64(len(text)):
		return errors.New("it is cut off: it ends in the middle of the report")
	case at > 0:
		before := text[:min(at, int64(len(text)))]
		line, column := 1+bytes.Count(before, []byte("\n")), int(at)-bytes.LastIndexByte(before, '\n')-1
		return fmt.Errorf("line %d, column %d: %w", line, column, err)
	}
	return err
}
