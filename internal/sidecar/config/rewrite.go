package config

import (
	"fmt"
	"regexp"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

// Rewrite is what a route makes of a request's path and host.
type Rewrite struct {
	Prefix       string         // in place of what the route's match has of the path; empty: none
	Pattern      *regexp.Regexp // every match of which in the path Substitution takes the place of; nil: none
	Substitution string         // as Envoy has it, groups by \1
	Authority    string         // in place of the request's; empty: as it is
}

// RouteRewrite is that of an HTTP route; nil if it has none.
func RouteRewrite(r *networking.HTTPRoute) *Rewrite {
	in := r.GetRewrite()
	if in == nil {
		return nil
	}
	out := &Rewrite{Prefix: in.GetUri(), Authority: in.GetAuthority()}
	if regex := in.GetUriRegexRewrite(); regex != nil {
		out.Pattern = regexp.MustCompile(regex.GetMatch()) // CheckRewrite has seen it.
		out.Substitution = regex.GetRewrite()
	}
	return out
}

// Path is the path of a request, its query included, as the route of a match
// rewrites it.
func (w *Rewrite) Path(path string, match StringMatch) string {
	bare, query := cutQuery(path)
	switch {
	case w.Pattern != nil:
		return w.Pattern.ReplaceAllString(bare, goSubstitution(w.Substitution)) + query
	case w.Prefix != "":
		return withPrefix(path, match, w.Prefix)
	}
	return path
}

// withPrefix is a path with another prefix in place of what a match has of it: the
// prefix, or the whole path without its query.
func withPrefix(path string, match StringMatch, prefix string) string {
	bare, query := cutQuery(path)
	if match.Kind == MatchPrefix {
		return prefix + bare[len(match.Value):] + query
	}
	return prefix + query
}

// cutQuery cuts a path before its query.
func cutQuery(path string) (bare, query string) {
	if i := strings.IndexByte(path, '?'); i >= 0 {
		return path[:i], path[i:]
	}
	return path, ""
}

// goSubstitution is a substitution of RE2 as package regexp writes it.
func goSubstitution(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '$':
			b.WriteString("$$")
		case s[i] == '\\' && i+1 < len(s):
			i++
			if s[i] == '\\' {
				b.WriteByte('\\')
			} else {
				fmt.Fprintf(&b, "${%c}", s[i])
			}
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// substituted are the escapes of a substitution: a digit, or another backslash.
var substituted = regexp.MustCompile(`\\(.|$)`)

// CheckRewrite refuses what Istio or Envoy refuse in the rewrite of a route.
func CheckRewrite(path string, r *networking.HTTPRoute, refuse Refuse) {
	in, path := r.GetRewrite(), path+".rewrite"
	regex := in.GetUriRegexRewrite()
	switch {
	case in == nil:
		return
	case in.GetUri() == "" && regex == nil && in.GetAuthority() == "":
		refuse(path, "it rewrites nothing; give it uri, uriRegexRewrite or authority")
	case in.GetUri() != "" && regex != nil:
		refuse(path, "uri cannot stand beside uriRegexRewrite; take one of them")
	}
	if in.GetAuthority() != "" && headerEdits(r.GetHeaders()).Authority != "" {
		refuse(path+".authority", "the headers beside it set the host too; take one of them")
	}
	if regex == nil {
		return
	}
	pattern, err := regexp.Compile(regex.GetMatch())
	switch {
	case regex.GetMatch() == "" || regex.GetRewrite() == "":
		refuse(path+".uriRegexRewrite", "it needs both match and rewrite; give the other")
		return
	case err != nil:
		refuse(path+".uriRegexRewrite.match", "%q is no RE2 expression: %v; correct it", regex.GetMatch(), err)
		return
	}
	for _, escape := range substituted.FindAllString(regex.GetRewrite(), -1) {
		group := strings.TrimPrefix(escape, `\`)
		if group != `\` && (group < "0" || group > fmt.Sprint(min(9, pattern.NumSubexp()))) {
			refuse(path+".uriRegexRewrite.rewrite", "%q names no group of the match, which has %d; write one of \\0 to \\9 that it has, or two backslashes", escape, pattern.NumSubexp())
		}
	}
}
