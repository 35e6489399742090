package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/meshchaos/meshchaos/loadgen"
)

// tls is whom a load of a URL trusts, and who it is; nil: whom this machine trusts, and nobody.
func (f *loadFlags) tls(url string) (*loadgen.TLS, error) {
	own := &loadgen.TLS{InsecureSkipVerify: f.insecure}
	first := ""
	if f.insecure {
		first = "-k"
	}
	for _, file := range []struct {
		flag, name string
		into       *string
	}{{"-cacert", f.caCert, &own.CACertificates}, {"-cert", f.cert, &own.ClientCertificate}, {"-key", f.key, &own.PrivateKey}} {
		if file.name == "" {
			continue
		}
		text, err := os.ReadFile(file.name)
		switch {
		case err != nil:
			return nil, fmt.Errorf("reading %s: %w; name a file in PEM", file.flag, err)
		case len(text) == 0:
			return nil, fmt.Errorf("reading %s: %s is empty; name a file in PEM", file.flag, file.name)
		case first == "":
			first = file.flag
		}
		*file.into = string(text)
	}
	switch secure := strings.EqualFold(url[:min(len(url), len("https://"))], "https://"); {
	case first == "":
		return nil, nil
	case !secure:
		return nil, fmt.Errorf("reading %s: nothing that is sent to %s is encrypted; write https://, or leave %s out", first, url, first)
	case f.insecure && f.caCert != "":
		return nil, errors.New("reading -cacert: with -k any certificate is taken, whoever signed it; leave one of them out")
	case f.cert == "" && f.key != "":
		return nil, errors.New("reading -key: it is of no certificate; name that too, by -cert")
	case f.cert != "" && f.key == "":
		return nil, errors.New("reading -cert: nobody can show a certificate without its key; name that too, by -key")
	}
	return own, nil
}

// adviseTLS says what can be done about a server with which no handshake came about.
func adviseTLS(r *loadgen.Refusal, http2 bool) string {
	switch r.Kind {
	case loadgen.RefusedUntrusted:
		return "name who signed the server's certificate, by -cacert, or write -k"
	case loadgen.RefusedName:
		return "write a name that the server's certificate is of into the URL, with -resolve IP where that leads elsewhere, or write -k"
	case loadgen.RefusedTime:
		return "have the server's certificate renewed, see to this machine's clock, or write -k"
	case loadgen.RefusedClient:
		return "write -cert and -key of a client whom the server trusts"
	case loadgen.RefusedPlain:
		return "write http://, or the port that speaks TLS"
	}
	if r.Kind == loadgen.RefusedProtocol && http2 {
		return "leave -h2 out"
	}
	return "see to the server"
}

// remarkOther says what was wrong where the name of an error does not.
func remarkOther(stderr io.Writer, seen *loadgen.Result) {
	if seen.Other != "" {
		remark(stderr, "other: the first was: "+seen.Other)
	}
}

// remarkRefusal says why requests had no answer that no handshake came before.
func remarkRefusal(stderr io.Writer, a *asked, seen *loadgen.Result) {
	if r := seen.Refusal; r != nil {
		remark(stderr, fmt.Sprintf("refused: %s; %s", r.Words, adviseTLS(r, a.Plan.HTTP.HTTP2)))
	}
}
