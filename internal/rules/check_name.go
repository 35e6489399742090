package rules

import (
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The forms of names that Istio takes. They are wider than those of Kubernetes:
// capitals stand in both.
var (
	// dnsLabel is that of a part of a domain, and of a subset (RFC 1123).
	dnsLabel = regexp.MustCompile(`^[a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$`)
	// headerName is that of a header (RFC 9110, token).
	headerName = regexp.MustCompile("^[-!#$%&'*+.^_`|~A-Za-z0-9]+$")
	// headerValue is what a header may be set to.
	headerValue = regexp.MustCompile("^[^\x00-\x08\x0a-\x1f\x7f]*$")
	labelKey    = regexp.MustCompile(`^([a-zA-Z0-9][-a-zA-Z0-9.]{0,252}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$`)
	labelValue  = regexp.MustCompile(`^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$`)
)

// pseudoHeaders are what a match may name beside headers.
var pseudoHeaders = []string{":method", ":scheme", ":authority", ":path", ":status"}

// claims begins the name of a claim of a token, by which a gateway may match as if it
// were a header.
const claims = "@request.auth.claims"

// maxDomain is the length above which Istio refuses a host.
const maxDomain = 255

// validDomain says whether Istio takes a domain, whose first label may be a wildcard
// or begin with one.
func validDomain(name string, wild bool) bool {
	first, rest, several := strings.Cut(name, ".")
	if wild {
		if first == "*" {
			first = "a"
		}
		first = strings.TrimPrefix(strings.TrimPrefix(first, "*-"), "*")
	}
	switch {
	case len(name) > maxDomain, !dnsLabel.MatchString(first):
		return false
	case !several:
		return wild || !digits(first)
	}
	labels := strings.Split(rest, ".")
	if last := len(labels) - 1; labels[last] == "" { // the dot of an unambiguous name
		labels = labels[:last]
	} else if digits(labels[last]) {
		return false
	}
	for _, label := range labels {
		if !dnsLabel.MatchString(label) {
			return false
		}
	}
	return true
}

// digits says whether a label is a number, as the last one of an address is.
func digits(label string) bool {
	_, err := strconv.Atoi(label)
	return err == nil
}

// host checks a host that rules are for or send to, which may begin with a wildcard.
func (c *checker) host(path, host string) {
	if host != "" && !validDomain(host, true) {
		c.refuse(path, "%q is no host: it takes letters, digits and -, in parts with dots between them, of which the first may be or begin with *", host)
	}
}

// gateways checks the names of gateways, each of which may have its namespace before
// it.
func (c *checker) gateways(path string, names []string) {
	for _, name := range names {
		namespace, own, cut := strings.Cut(name, "/")
		if cut && dnsLabel.MatchString(namespace) && dnsLabel.MatchString(own) || !cut && validDomain(name, false) {
			continue
		}
		c.refuse(path, "%q is not the name of a gateway; write its name, or namespace/name", name)
	}
}

// labels checks the labels of pods.
func (c *checker) labels(path string, labels map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		switch value := labels[key]; {
		case !labelKey.MatchString(key):
			c.refuse(path, "%q is not the name of a label; it takes letters, digits and - _ . and begins and ends with a letter or digit", key)
		case !labelValue.MatchString(value):
			c.refuse(at(path, key), "%q cannot be the value of a label; it takes letters, digits and - _ . and begins and ends with a letter or digit", value)
		}
	}
}

// serverHost checks a host of a gateway's server: all, or a domain of several parts,
// with the namespace of its VirtualServices before it if there is one.
func (c *checker) serverHost(path, host string) {
	namespace, domain, cut := strings.Cut(host, "/")
	if !cut {
		namespace, domain = "*", host
	}
	_, notAddress := netip.ParseAddr(domain)
	parted := domain == "*" || strings.Contains(domain, ".")
	partly := strings.HasPrefix(domain, "*") && domain != "*" && !strings.HasPrefix(domain, "*.")
	if namespace != "*" && namespace != "." && !dnsLabel.MatchString(namespace) || !parted || partly || !validDomain(domain, true) && notAddress != nil {
		c.refuse(path, "%q is no host of a gateway; write *, a name with its domain, such as www.example.com, or *. before a domain", host)
	}
}
