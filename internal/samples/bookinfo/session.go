package bookinfo

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"unicode"
)

const sessionName = "session"

// sessionKey signs the sessions. It is fixed, and no secret, so that a session
// holds at every replica of productpage and after a restart; who may be whom is
// not what this sample is about.
const sessionKey = "meshchaos bookinfo sample"

// maxUser is the longest name of a user, in bytes.
const maxUser = 256

// login signs the user in by the form field username. As in Istio's sample no
// password is looked at.
func login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	user := strings.TrimSpace(r.FormValue("username"))
	if len(user) > maxUser || strings.ContainsFunc(user, unicode.IsControl) {
		http.Error(w, "signing in: the username is longer than 256 bytes or has control characters; choose another", http.StatusBadRequest)
		return
	}
	setSession(w, user)
	redirectBack(w, r)
}

func logout(w http.ResponseWriter, r *http.Request) {
	setSession(w, "")
	redirectBack(w, r)
}

// redirectBack leads to where the form was sent from.
func redirectBack(w http.ResponseWriter, r *http.Request) {
	back := r.Referer()
	if back == "" {
		back = "/productpage"
	}
	http.Redirect(w, r, back, http.StatusFound)
}

// setSession makes the session the user's; an empty name ends it.
func setSession(w http.ResponseWriter, user string) {
	cookie := &http.Cookie{Name: sessionName, Path: "/", HttpOnly: true, MaxAge: -1}
	if user != "" {
		name := base64.RawURLEncoding.EncodeToString([]byte(user))
		cookie.Value, cookie.MaxAge = name+"."+signature(name), 0
	}
	http.SetCookie(w, cookie)
}

// sessionUser returns who is signed in, empty if nobody is or the session was
// not signed by a productpage.
func sessionUser(r *http.Request) string {
	cookie, err := r.Cookie(sessionName)
	if err != nil {
		return ""
	}
	name, signed, _ := strings.Cut(cookie.Value, ".")
	if !hmac.Equal([]byte(signed), []byte(signature(name))) {
		return ""
	}
	user, err := base64.RawURLEncoding.DecodeString(name)
	if err != nil {
		return ""
	}
	return string(user)
}

func signature(name string) string {
	mac := hmac.New(sha256.New, []byte(sessionKey))
	mac.Write([]byte(name))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
