package scenarios

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/invopop/jsonschema"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/internal/yamlnode"
	"github.com/meshchaos/meshchaos/loadgen"
)

// fileRequest is one request of a load that is a list of them.
type fileRequest struct {
	Name    string            `yaml:"name" jsonschema:"pattern=^[A-Za-z_][A-Za-z0-9_]*$" jsonschema_description:"By which expectations name it, behind the load: shop.basket.p99."`
	Get     string            `yaml:"get,omitempty" jsonschema_description:"The URL to GET; all of a list are of one host."`
	Post    string            `yaml:"post,omitempty" jsonschema_description:"The URL to POST body to."`
	Headers map[string]string `yaml:"headers,omitempty"`
	Body    string            `yaml:"body,omitempty"`
	Weight  int64             `yaml:"weight,omitempty" jsonschema:"minimum=1,maximum=1000000" jsonschema_description:"Of all requests of the list, or of none: each is drawn, by its weight in their sum. Absent: they are sent in turn."`
	Take    *fileTake         `yaml:"take,omitempty" jsonschema_description:"What its answer has for the requests behind it."`
}

// fileTake is a value of an answer.
type fileTake struct {
	Name    string `yaml:"name" jsonschema:"pattern=^[A-Za-z_][A-Za-z0-9_]*$" jsonschema_description:"{{.name}} stands for it in the requests behind."`
	Pointer string `yaml:"pointer,omitempty" jsonschema_description:"Where it stands in a body of JSON, as a JSON pointer: /basket/id."`
	Match   string `yaml:"match,omitempty" jsonschema_description:"Or an RE2 expression with one group, in which it stands: basket=(\\w+)."`
}

// fileThink is a time, or from how long to how long it may be.
type fileThink struct {
	said bool
	fileThinking
}

type fileThinking struct {
	From yamlnode.Duration `yaml:"from" jsonschema_description:"The shortest."`
	To   yamlnode.Duration `yaml:"to" jsonschema_description:"The longest; each time between is as likely."`
}

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (t *fileThink) UnmarshalYAML(node ast.Node) error {
	t.said = true
	if _, isScalar := yamlnode.Scalar(node); isScalar {
		err := t.From.UnmarshalYAML(node)
		t.To = t.From
		return err
	}
	if yamlnode.Pair(node, "from") == nil || yamlnode.Pair(node, "to") == nil {
		return yamlnode.At(node, "write one such as 1s, or {from: 500ms, to: 2s}", "think takes a time, or the shortest and the longest, not %s", yamlnode.Kind(node))
	}
	if err := yamlnode.Decode(node, &t.fileThinking, "the time to think"); err != nil {
		return err
	}
	if t.To.Duration < t.From.Duration {
		return yamlnode.At(yamlnode.Pair(node, "to").Value, "", "think is from %v to %v; write the shorter first", t.From, t.To)
	}
	return nil
}

// JSONSchema describes it to editors.
func (fileThink) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{yamlnode.Duration{}.JSONSchema(), {Ref: "#/$defs/fileThinking"}}}
}

// targets are the keys that say what a cohort calls.
func targets() []string { return []string{"get", "post", "grpc", "tcp", "ws", "send"} }

// oneTarget is the key of those that a node has; it is an error if it has none or several.
func oneTarget(node ast.Node, keys []string, whose string) (string, error) {
	at, found := node, ""
	n := 0
	for _, key := range keys {
		if yamlnode.Pair(node, key) != nil {
			at, found = yamlnode.Follow(node, key), key
			n++
		}
	}
	if n != 1 {
		last := len(keys) - 1
		return "", yamlnode.At(at, "", "%s has one of %s and %s, not %d", whose, strings.Join(keys[:last], ", "), keys[last], n)
	}
	return found, nil
}

// schemes are those of the URLs that each kind of target has.
var schemes = map[string][]string{"get": {"http", "https"}, "post": {"http", "https"}, "ws": {"ws", "wss"}}

// httpOf is how that is called which a key of a node names.
func httpOf(node ast.Node, called, address string) (*loadgen.HTTP, *url.URL, error) {
	h := &loadgen.HTTP{Method: http.MethodGet, URL: address}
	if called == "post" {
		h.Method = http.MethodPost
	}
	u, err := url.Parse(address)
	if err != nil || !slices.Contains(schemes[called], u.Scheme) || u.Host == "" {
		hint := fmt.Sprintf("write %s://service:port/path, or from the gateway %s://", schemes[called][0], schemes[called][1])
		return nil, nil, yamlnode.At(yamlnode.Follow(node, called), hint, "%q is no URL of a service in the mesh", address)
	}
	return h, u, nil
}

// setSend says what a load sends that is a list of requests.
func setSend(node ast.Node, load fileLoad, plan *loadgen.Plan) error {
	for _, key := range []string{"body", "headers", "lines"} {
		if yamlnode.Pair(node, key) != nil {
			return yamlnode.At(yamlnode.Follow(node, key), "write them in the requests that they are of", "%s is of one request, and the load is a list of them", key)
		}
	}
	if len(load.Send) == 0 {
		return yamlnode.At(yamlnode.Follow(node, "send"), "write a request, as in - {name: home, get: http://service:port/path}", "the list is empty")
	}
	for i, r := range load.Send {
		at := yamlnode.Follow(node, fmt.Sprintf("send[%d]", i))
		called, err := oneTarget(at, []string{"get", "post"}, "a request of a list")
		if err != nil {
			return err
		}
		if yamlnode.Pair(at, "weight") != nil && r.Weight == 0 {
			return yamlnode.At(yamlnode.Follow(at, "weight"), "write 1 or more; or take the request out, or all weights, by which they are sent in turn", "weight is 0, and the request would never be drawn")
		}
		h, u, err := httpOf(at, called, r.Get+r.Post)
		if err != nil {
			return err
		}
		h.Header, h.Body, h.HTTP2 = r.Headers, r.Body, load.HTTP2
		if load.As != "" && i == 0 {
			h.Login = loginOf(u, load.As)
		}
		request := loadgen.Request{Name: r.Name, HTTP: *h, Weight: r.Weight}
		if r.Take != nil {
			request.Take = &loadgen.Take{Name: r.Take.Name, Pointer: r.Take.Pointer, Match: r.Take.Match}
		}
		plan.Send = append(plan.Send, request)
	}
	return nil
}

func loginOf(u *url.URL, as string) *loadgen.Login {
	return &loadgen.Login{URL: u.Scheme + "://" + u.Host + "/login", Form: map[string]string{"username": as}}
}

// misnamed says which request of a load no expectation could name.
func misnamed(node ast.Node, load fileLoad) error {
	for i, r := range load.Send {
		if wrong := check.ValidateRequest(r.Name); wrong != "" {
			return yamlnode.At(yamlnode.Follow(node, fmt.Sprintf("send[%d].name", i)), "", "naming a request: %s", wrong)
		}
	}
	return nil
}

// requestsOf are the names of the requests of each load that is a list of them.
func requestsOf(loads map[string]fileLoad) map[string][]string {
	names := map[string][]string{}
	for name, load := range loads {
		for _, r := range load.Send {
			names[name] = append(names[name], r.Name)
		}
	}
	return names
}

// headersOf are the names of the header fields that a load sends, and whether it has a body.
func headersOf(load fileLoad) (names []string, body bool) {
	names, body = slices.Collect(maps.Keys(load.Headers)), load.Body != ""
	for _, r := range load.Send {
		names, body = append(names, slices.Collect(maps.Keys(r.Headers))...), body || r.Body != ""
	}
	slices.Sort(names)
	return slices.Compact(names), body
}

// fieldOfRequest is the node that says a field of a request of a list, or of the only one:
// url, header.x-name, login.url.
func fieldOfRequest(node, cohort ast.Node, field string) ast.Node {
	header, is := strings.CutPrefix(field, "header.")
	switch {
	case is:
		if headers := yamlnode.Pair(node, "headers"); headers != nil {
			if entry := yamlnode.Pair(headers.Value, header); entry != nil {
				return entry
			}
		}
		return node
	case strings.HasPrefix(field, "login"):
		return yamlnode.Follow(cohort, "as")
	case field == "http2":
		return yamlnode.Follow(cohort, "http2")
	case field == "messages":
		return yamlnode.Follow(cohort, "lines")
	case (field == "body" || field == "descriptors") && yamlnode.Pair(node, field) != nil:
		return yamlnode.Follow(node, field)
	}
	return targetOf(node)
}

// fieldOfSend is the node that says a field of a list: [1].http.url, [0].take.match, or the
// list itself.
func fieldOfSend(cohort ast.Node, field string) ast.Node {
	index, inner, _ := strings.Cut(field, ".")
	node := yamlnode.Follow(cohort, "send"+index)
	if of, is := strings.CutPrefix(inner, "http."); is {
		return fieldOfRequest(node, cohort, of)
	}
	if inner == "" {
		return node
	}
	return yamlnode.Follow(node, inner)
}
