package samples

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// TestPageIsSelfContained: a page in a cluster without a way out must look as it
// should.
func TestPageIsSelfContained(t *testing.T) {
	town := newLoopback(t)
	town.bookinfo("v3", nil)
	outside := regexp.MustCompile(`(?:src|href|action)="(?:https?:)?//|url\(|@import`)
	for _, url := range []string{page, "http://productpage:9080/"} {
		got := town.get(url, nil)
		if got.status != 200 || len(got.body) >= 40_000 {
			t.Errorf("%s: %d with %d bytes, want 200 with less than 40,000", url, got.status, len(got.body))
		}
		if found := outside.FindString(got.body); found != "" {
			t.Errorf("%s: refers to something outside: %s", url, found)
		}
	}
}

// TestTextsStandOnlyWhereTheyAreMeant guards the checks that scenarios make on a
// page's body: its styles must not have the words that they look for.
func TestTextsStandOnlyWhereTheyAreMeant(t *testing.T) {
	town := newLoopback(t)
	town.bookinfo("v1", nil)
	body := town.get(page, nil).body
	for _, text := range []string{"glyphicon-star", "text-black-500", "text-red-500", "unavailable", "Error"} {
		// The title of the book has one, as the page's and as its heading.
		if strings.Contains(strings.ReplaceAll(body, "Comedy of Errors", ""), text) {
			t.Errorf("a healthy page without stars contains %q", text)
		}
	}
}

// TestErrorsAreRed: Istio's page gives the class of red stars to its error texts
// too, so that the class alone does not tell the colour of the stars.
func TestErrorsAreRed(t *testing.T) {
	for service, texts := range map[string]int{"details": 1, "reviews": 1, "ratings": 2} {
		town := newLoopback(t)
		town.bookinfo("v2", map[string]http.Handler{service: answers(503, "")})
		if n := strings.Count(town.get(page, nil).body, "text-red-500"); n != texts {
			t.Errorf("without %s the page has the class text-red-500 %d times, want %d", service, n, texts)
		}
	}
}

func TestUsersNameIsEscaped(t *testing.T) {
	town := newLoopback(t)
	town.bookinfo("v1", nil)
	const name = `<script>alert("é")</script>`
	body := town.get(page, map[string][]string{"Cookie": {town.signIn(name, "").cookie()}}).body
	if strings.Contains(body, "<script>") || !strings.Contains(body, "&lt;script&gt;") {
		t.Errorf("the name %q stands unescaped, or not at all, in the page:\n%s", name, body)
	}
}
