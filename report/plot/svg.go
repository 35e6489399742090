package plot

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"regexp"
	"strings"

	"gonum.org/v1/plot/vg/vgsvg"
)

// rewrite makes of the library's document an element for a page: with a title and a
// description, as wide as there is room, inks as classes, and of all elements and
// attributes those that a picture has. What is a text goes out escaped.
func (p Picture) rewrite(paper *vgsvg.Canvas) (string, error) {
	var in bytes.Buffer
	if _, err := paper.WriteTo(&in); err != nil {
		return "", err
	}
	var out strings.Builder
	decoder := xml.NewDecoder(&in)
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return out.String(), nil
		}
		if err != nil {
			return "", err
		}
		switch token := token.(type) {
		case xml.StartElement:
			err = p.open(&out, token)
		case xml.EndElement:
			fmt.Fprintf(&out, "</%s>", token.Name.Local)
		case xml.CharData:
			if len(bytes.TrimSpace(token)) > 0 {
				out.WriteString(html.EscapeString(string(token)))
			}
		}
		if err != nil {
			return "", err
		}
	}
}

func (p Picture) open(out *strings.Builder, element xml.StartElement) error {
	switch element.Name.Local {
	case "svg":
		_, height := size(element)
		fmt.Fprintf(out, `<svg class="plot" id="%[1]s" role="img" aria-labelledby="%[1]s-title %[1]s-tells" viewBox="0 0 %[2]d %[3]s"><title id="%[1]s-title">%[4]s</title><desc id="%[1]s-tells">%[5]s</desc>`,
			html.EscapeString(p.ID), width, html.EscapeString(height), html.EscapeString(p.Title), html.EscapeString(p.Tells))
		return nil
	case "g", "path", "text":
	default:
		return fmt.Errorf("the library drew <%s>, which this program does not know", element.Name.Local)
	}
	out.WriteString("<" + element.Name.Local)
	for _, a := range element.Attr {
		switch a.Name.Local {
		case "d", "transform", "x", "y":
			fmt.Fprintf(out, ` %s="%s"`, a.Name.Local, html.EscapeString(fine.ReplaceAllString(a.Value, "$1")))
		case "style":
			restyle(out, a.Value)
		}
	}
	out.WriteString(">")
	return nil
}

// fine is what of a number in a picture nobody sees.
var fine = regexp.MustCompile(`(\.\d)\d+`)

// size is the width and the height of the picture's view box.
func size(element xml.StartElement) (width, height string) {
	for _, a := range element.Attr {
		if fields := strings.Fields(a.Value); a.Name.Local == "viewBox" && len(fields) == 4 {
			return fields[2], fields[3]
		}
	}
	return "", ""
}

// restyle writes a style as attributes, but for fonts, which are the page's, and for
// inks, which are classes: s3 is a stroke of the third, f3 a fill.
func restyle(out *strings.Builder, style string) {
	var classes []string
	for declaration := range strings.SplitSeq(style, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(declaration), ":")
		var red, green, blue int
		inked, _ := fmt.Sscanf(value, "#%02X%02X%02X", &red, &green, &blue)
		switch {
		case inked == 3 && (name == "fill" || name == "stroke"):
			classes = append(classes, fmt.Sprintf("%c%d", name[0], blue))
		case name == "fill", name == "stroke-width", name == "stroke-dasharray", name == "font-size":
			fmt.Fprintf(out, ` %s="%s"`, name, html.EscapeString(strings.TrimSuffix(value, "px")))
		}
	}
	if len(classes) > 0 {
		fmt.Fprintf(out, ` class="%s"`, strings.Join(classes, " "))
	}
}
