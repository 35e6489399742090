package bookinfo

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"strconv"
	"unicode"
)

//go:embed html
var files embed.FS

var pages = template.Must(template.ParseFS(files, "html/*.html"))

// mostStars is how many stars a review can give.
const mostStars = 5

// page is what the product page shows.
type page struct {
	User    string // empty: nobody is signed in
	Product product
	Details *book    // nil: could not be had
	Reviews *reviews // nil: could not be had
}

// DetailsError says that there are no details.
func (page) DetailsError() string { return unavailable("details") }

// ReviewsError says that there are no reviews.
func (page) ReviewsError() string { return unavailable("reviews") }

// Initial is the first letter of the user's name.
func (p page) Initial() string { return initial(p.User) }

// Initial is the first letter of the reviewer's name.
func (r review) Initial() string { return initial(r.Reviewer) }

func initial(name string) string {
	for _, letter := range name {
		return string(unicode.ToUpper(letter))
	}
	return ""
}

// Given has one element for each star that was given, whatever number came over
// the wire.
func (r rating) Given() []struct{} {
	if r.Stars == nil {
		return nil
	}
	return make([]struct{}, min(max(*r.Stars, 0), mostStars))
}

// Missing has one element for each star that was not given.
func (r rating) Missing() []struct{} { return make([]struct{}, mostStars-len(r.Given())) }

// index leads to the page, and lets one sign in.
func index(w http.ResponseWriter, r *http.Request) {
	writePage(w, "index.html", page{User: sessionUser(r), Product: theProduct()})
}

func writePage(w http.ResponseWriter, name string, p page) {
	var out bytes.Buffer
	if err := pages.ExecuteTemplate(&out, name, p); err != nil {
		http.Error(w, "showing "+name+": "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(out.Len()))
	// The caller may have gone; there is nobody left to tell.
	_, _ = out.WriteTo(w)
}
