package httpbin

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
)

// requestBody is how go-httpbin describes a request that may have a body. Files
// stays empty here: a multipart body is not taken apart and stands in Data.
type requestBody struct {
	request
	Data  string     `json:"data"`
	Files url.Values `json:"files"`
	Form  url.Values `json:"form"`
	JSON  any        `json:"json"`
}

func describeBody(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		writeError(w, fmt.Errorf("reading the request's body: %w", err))
		return
	}
	answer := requestBody{request: describe(r), Files: url.Values{}, Form: url.Values{}}
	if len(body) > 0 {
		if err := answer.take(body, r.Header.Get("Content-Type")); err != nil {
			writeError(w, fmt.Errorf("reading the request's body: %w", err))
			return
		}
	}
	writeJSON(w, http.StatusOK, answer)
}

// take puts the body where its content type says. What is no text becomes a data
// URL.
func (a *requestBody) take(body []byte, contentType string) (err error) {
	a.Data = string(body)
	kind, _, _ := mime.ParseMediaType(contentType)
	switch kind {
	case "text/plain", "text/html":
	case "application/json":
		err = json.Unmarshal(body, &a.JSON)
	case "application/x-www-form-urlencoded":
		a.Form, err = url.ParseQuery(a.Data)
	case "":
		a.Data = "data:application/octet-stream;base64," + base64.URLEncoding.EncodeToString(body)
	default:
		a.Data = "data:" + kind + ";base64," + base64.URLEncoding.EncodeToString(body)
	}
	return err
}
