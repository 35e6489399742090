package loadgen

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/meshchaos/meshchaos/internal/nearest"
)

// The bounds of what a plan sends.
const (
	maxSend   = 32 // requests of a list, of which each has histograms of its own
	maxWeight = 1_000_000
)

// valueName is what {{.name}} can name.
var valueName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// validateSend refuses a list of requests that cannot be sent, and values that are not
// there where a request has them.
func validateSend(p *Plan) error {
	list := p.OfHTTP()
	if len(p.Send) > maxSend {
		return wrong("send", "send has %d requests; at most %d are possible", len(p.Send), maxSend)
	}
	if err := validateValues(p); err != nil {
		return err
	}
	var used []string // names, by all requests
	for i := range list {
		field := p.fieldOf(i)
		gaps, err := validateHTTP(field, &list[i].HTTP)
		if err != nil {
			return err
		}
		if err := validateNamed(p, i); err != nil {
			return err
		}
		if err := validateGaps(p, i, gaps); err != nil {
			return err
		}
		for _, g := range gaps {
			used = append(used, g.name)
		}
	}
	return validateUsed(p, used)
}

// fieldOf is where the i-th request stands in a plan.
func (p *Plan) fieldOf(i int) string {
	if p.HTTP != nil {
		return "http"
	}
	return fmt.Sprintf("send[%d].http", i)
}

// validateNamed refuses a request that does not fit into its list.
func validateNamed(p *Plan, i int) error {
	if p.HTTP != nil {
		return nil
	}
	r, field := p.Send[i], fmt.Sprintf("send[%d]", i)
	first, _ := url.Parse(p.Send[0].HTTP.URL)
	own, err := url.Parse(r.HTTP.URL)
	switch {
	case r.Name == "":
		return wrong(field, "%s has no name; give it one", field)
	case slices.ContainsFunc(p.Send[:i], func(other Request) bool { return other.Name == r.Name }):
		return wrong(field+".name", "send has two requests named %q; rename one", r.Name)
	case r.HTTP.IsWebSocket():
		return wrong(field+".http.url", "%s is a WebSocket, which is a connection of its own, and those of a list are shared by its requests; write another load for it", field)
	case err != nil || origin(own) != origin(first):
		return wrong(field+".http.url", "%s goes to %q and the first to %q; a connection is to one host: write another load for it", field, origin(own), origin(first))
	case r.HTTP.HTTP2 != p.Send[0].HTTP.HTTP2:
		return wrong(field+".http.http2", "some requests of the list are sent by HTTP/2 and others are not; a connection speaks one of the two")
	case i > 0 && r.HTTP.Login != nil:
		return wrong(field+".http.login", "%s has a login, and a connection logs in once, before the first of its list", field)
	case r.HTTP.Connect != p.Send[0].HTTP.Connect:
		return wrong(field+".http.connect", "%s connects to %q and the first to %q", field, r.HTTP.Connect, p.Send[0].HTTP.Connect)
	case r.Weight < 0 || r.Weight > maxWeight:
		return wrong(field+".weight", "%s.weight is %d; it must be 1 to %d, or be left out of all", field, r.Weight, maxWeight)
	case (r.Weight > 0) != p.Drawn():
		return wrong(field, "some requests of the list have a weight and others have none; either each is drawn by its weight, or they are sent in turn")
	case r.Take != nil && p.Drawn():
		return wrong(field+".take", "%s takes a value, and which request comes behind it is drawn; leave the weights out", field)
	case r.Take != nil && !valueName.MatchString(r.Take.Name):
		return wrong(field+".take.name", "%s takes a value named %q; use letters, digits and _, a letter first", field, r.Take.Name)
	case r.Take != nil && p.Values != nil && slices.Contains(p.Values.Columns, r.Take.Name):
		return wrong(field+".take.name", "%s takes a value named %q, and so is a column of %s; rename one", field, r.Take.Name, p.Values.File)
	case r.Take != nil:
		_, err := newTaker(field+".take", r.Take)
		return err
	}
	return nil
}

// validateGaps refuses a request with a value that it cannot have, or not there.
func validateGaps(p *Plan, i int, gaps []gap) error {
	list := p.OfHTTP()
	takes := func(from []Request, name string) bool {
		return slices.ContainsFunc(from, func(r Request) bool { return r.Take != nil && r.Take.Name == name })
	}
	for _, g := range gaps {
		column := -1
		if p.Values != nil {
			column = slices.Index(p.Values.Columns, g.name)
		}
		switch {
		case column >= 0 && g.inHead && g.as == plain:
			for n, row := range p.Values.Rows {
				if !httpguts.ValidHeaderFieldValue(row[column]) {
					return wrong(g.field, "%s has {{.%s}}, which in row %d of %s holds a character that no header field may", g.field, g.name, n+1, p.Values.File)
				}
			}
		case column >= 0 || takes(list[:i], g.name):
		case takes(list[i:], g.name):
			return wrong(g.field, "%s has {{.%s}}, which is taken only from an answer that comes later", g.field, g.name)
		default:
			return wrong(g.field, "%s has {{.%s}}, and there is no such value; %s", g.field, g.name, p.valuesThereAre(g.name))
		}
	}
	return nil
}

// valuesThereAre names them, or the one that is likely meant.
func (p *Plan) valuesThereAre(typed string) string {
	var names []string
	if p.Values != nil {
		names = slices.Clone(p.Values.Columns)
	}
	for _, r := range p.Send {
		if r.Take != nil && !slices.Contains(names, r.Take.Name) {
			names = append(names, r.Take.Name)
		}
	}
	if len(names) == 0 {
		return `there are none: name a file of them, take one from an answer, or write {{"{{"}} for two braces`
	}
	if meant := nearest.Word(typed, names); meant != "" {
		return "did you mean " + meant + "?"
	}
	return "there are " + strings.Join(names, ", ")
}

// validateValues refuses a file of values with which nothing can be begun.
func validateValues(p *Plan) error {
	v := p.Values
	switch {
	case v == nil:
		return nil
	case p.TCP != nil:
		return wrong("values", "values stand in requests of HTTP, and this is a load of TCP")
	case p.HTTP != nil && p.HTTP.IsWebSocket():
		return wrong("values", "values stand in requests of HTTP, and this is a load of WebSocket")
	case p.GRPC != nil:
		return wrong("values", "values stand in requests of HTTP, and this is a load of gRPC")
	case v.Count < 1 || v.Rows != nil && v.Count != len(v.Rows):
		return wrong("values", "values has %d rows, and says that it has %d; it takes one at least", len(v.Rows), v.Count)
	}
	for i, name := range v.Columns {
		if !valueName.MatchString(name) || slices.Contains(v.Columns[:i], name) {
			return wrong("values", "a column of %s is named %q; use letters, digits and _, a letter first, and each name once", v.File, name)
		}
	}
	for i, row := range v.Rows {
		if len(row) != len(v.Columns) {
			return wrong("values", "row %d of %s has %d values, and there are %d columns", i+1, v.File, len(row), len(v.Columns))
		}
	}
	return nil
}

// validateUsed refuses values that no request has.
func validateUsed(p *Plan, used []string) error {
	if p.Values != nil && !slices.ContainsFunc(p.Values.Columns, func(name string) bool { return slices.Contains(used, name) }) {
		return wrong("values", "no request has a value of %s; write {{.%s}} where one is to stand", p.Values.File, strings.Join(p.Values.Columns, "}} or {{."))
	}
	for i, r := range p.Send {
		if r.Take != nil && !slices.Contains(used, r.Take.Name) {
			return wrong(fmt.Sprintf("send[%d].take", i), "send[%d] takes %s, and no request has {{.%s}}; leave it out, or write a check for what an answer is to have", i, r.Take.Name, r.Take.Name)
		}
	}
	return nil
}

// validateThink refuses time to think where nobody has it.
func validateThink(p *Plan) error {
	t := p.Think
	switch {
	case t == nil:
		return nil
	case p.Open():
		return wrong("think", "there is time to think, and at a rate requests are due at times of their own; leave one of them out")
	case t.From.Duration < 0 || t.To.Duration < t.From.Duration || t.To.Duration <= 0 || t.To.Duration > maxTimeout:
		return wrong("think", "there is time to think from %s to %s; it must be above 0 and up to %s, the shorter first", t.From, t.To, maxTimeout)
	}
	return nil
}
