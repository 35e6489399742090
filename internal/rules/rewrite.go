package rules

import (
	"cmp"
	"errors"
	"regexp"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

// Rewrite changes the path and the host of requests to services, in the proxies
// of their clients.
type Rewrite struct {
	Service         yamlnode.Names    `yaml:"service"`
	When            map[string]string `yaml:"when,omitempty" jsonschema_description:"Only requests with these headers."`
	SourceLabels    map[string]string `yaml:"sourceLabels,omitempty" jsonschema_description:"Only requests of pods with these labels."`
	Gateways        yamlnode.Names    `yaml:"gateways,omitempty" jsonschema_description:"Only requests that enter by these gateways."`
	URI             string            `yaml:"uri,omitempty" jsonschema_description:"In the place of what the entry matches of the path; of one that matches none: of its first slash."`
	URIRegexRewrite RegexRewrite      `yaml:"uriRegexRewrite,omitempty"`
	Authority       string            `yaml:"authority,omitempty" jsonschema_description:"In the place of the host."`
}

// RegexRewrite changes each part of a path, without its query, that an
// expression matches.
type RegexRewrite struct {
	Match   string `yaml:"match" jsonschema_description:"RE2"`
	Rewrite string `yaml:"rewrite" jsonschema_description:"\\1 and so on are the groups of match."`
}

// String implements Intent.
func (r *Rewrite) String() string { return "the rewrite of " + strings.Join(r.Service, ", ") }

// Services implements Intent.
func (r *Rewrite) Services() []string { return r.Service }

// Versions implements Intent: a rewrite leads to where the requests went.
func (r *Rewrite) Versions() []string { return nil }

// Check implements Intent.
func (r *Rewrite) Check() error {
	regex := r.URIRegexRewrite
	switch {
	case r.URI == "" && !r.matches() && r.Authority == "":
		return errors.New("it rewrites nothing; write uri, uriRegexRewrite or authority")
	case r.URI != "" && r.matches():
		return wrongKey("uri", "uri cannot stand beside uriRegexRewrite; take one of them")
	case strings.ContainsAny(r.URI, " \x00\r\n"):
		return wrongKey("uri", "uri takes a path without spaces, not %q; correct it", r.URI)
	case strings.ContainsAny(r.Authority, " /\x00\r\n"):
		return wrongKey("authority", "authority takes a host without spaces, not %q; correct it", r.Authority)
	case r.matches() && (regex.Match == "" || regex.Rewrite == ""):
		return wrongKey("uriRegexRewrite", "uriRegexRewrite needs both match and rewrite; write the other")
	}
	if _, err := regexp.Compile(regex.Match); err != nil {
		return wrongKey("uriRegexRewrite.match", "uriRegexRewrite.match: %w; Envoy takes RE2 expressions", err)
	}
	return checkScope(r.Service, r.scope())
}

func (r *Rewrite) matches() bool { return r.URIRegexRewrite != RegexRewrite{} }

func (r *Rewrite) scope() scope { return scope{r.When, r.SourceLabels, r.Gateways} }

func (r *Rewrite) merge(d *draft, service Service) error {
	return d.edit(service, r.scope(), func(entry *networking.HTTPRoute) error {
		if entry.Rewrite == nil {
			entry.Rewrite = &networking.HTTPRewrite{}
		}
		if r.URI != "" {
			entry.Rewrite.Uri, entry.Rewrite.UriRegexRewrite = r.URI, nil
		}
		if r.matches() {
			entry.Rewrite.Uri = ""
			entry.Rewrite.UriRegexRewrite = &networking.RegexRewrite{Match: r.URIRegexRewrite.Match, Rewrite: r.URIRegexRewrite.Rewrite}
		}
		if r.Authority != "" {
			entry.Rewrite.Authority = r.Authority
		}
		return nil
	})
}

// PartRewrite is the kind of part of a rewrite: requests that got to an endpoint
// with what it makes of them.
const PartRewrite = "rewrite"

func rewriteParts() []entryPart {
	return []entryPart{{
		PartKind: PartKind{Name: PartRewrite, None: "no request that got to an endpoint rewritten", Remedy: "let a cohort send requests that it matches, and nothing else answer them; or take it out"},
		in: func(whole Part, entry *networking.HTTPRoute) []Part {
			return whole.field(PartRewrite, "rewrite", entry.Rewrite != nil)
		},
	}}
}

// Rewrites says whether a request of the load goes by the part's entry, and whether
// the entry's rewrite makes another request of it. Known is false if the one or the
// other cannot be told.
func (p Part) Rewrites(r Request, inForce []*Object) (goes, changed, known bool) {
	entry, known := p.takes(r, inForce)
	if entry == nil {
		return false, false, known
	}
	http, _ := entry.entry.(*networking.HTTPRoute)
	rewrite, path := http.GetRewrite(), cmp.Or(r.Path, "/")
	switch {
	case rewrite.GetAuthority() != "":
		return true, true, true
	case strings.ContainsAny(path, "%\\") || strings.Contains(path, "//") || strings.Contains(path, "/."):
		return true, false, false // a proxy may write it otherwise before
	case rewrite.GetUriRegexRewrite() != nil:
		now, err := substituted(path, rewrite.GetUriRegexRewrite())
		return true, now != path, err == nil
	}
	for _, block := range http.GetMatch() {
		switch r.meetsBlock(block) {
		case maybe:
			return true, false, false
		case yes:
			return true, withURI(path, block.GetUri(), rewrite.GetUri()) != path, true
		}
	}
	return true, withURI(path, nil, rewrite.GetUri()) != path, true
}

// substituted is a path with the rewrite in place of each match, where \1 is its
// first group.
func substituted(path string, by *networking.RegexRewrite) (string, error) {
	pattern, err := regexp.Compile(by.GetMatch())
	if err != nil {
		return "", err
	}
	template := group.ReplaceAllString(strings.ReplaceAll(by.GetRewrite(), "$", "$$"), `$${$1}`)
	return pattern.ReplaceAllString(path, template), nil
}

// group is how Envoy writes a group of an expression.
var group = regexp.MustCompile(`\\(\d)`)

// withURI is a path with another one in place of what a match has of it: the prefix,
// which is the first slash if it asks for no path, or all of it.
func withURI(path string, match *networking.StringMatch, uri string) string {
	switch {
	case match == nil:
		return uri + strings.TrimPrefix(path, "/")
	case match.GetPrefix() != "":
		return uri + path[min(len(match.GetPrefix()), len(path)):]
	}
	return uri
}
