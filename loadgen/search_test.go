package loadgen

import (
	"testing"

	"pgregory.net/rapid"
)

// However a body comes, what is found in it is what stands in the whole.
func TestABodyThatComesInPartsIsSearchedAsAWhole(t *testing.T) {
	letters := rapid.StringOfN(rapid.RuneFrom([]rune("ab")), 1, 4, -1)
	rapid.Check(t, func(r *rapid.T) {
		draw := func(list string) (statements []Check) {
			for i := range rapid.IntRange(0, 3).Draw(r, list) {
				c := Check{Name: list + string(rune('0'+i))}
				if text := letters.Draw(r, "text"); rapid.Bool().Draw(r, "an expression") {
					c.Match = "^(?:" + text + ")+|b$"
				} else {
					c.Body = text
				}
				statements = append(statements, c)
			}
			return statements
		}
		m, err := newMatcher(&Plan{Checks: draw("checks"), Versions: draw("versions")})
		if err != nil {
			r.Fatal(err)
		}
		var s search
		for _, body := range rapid.SliceOfN(rapid.StringOfN(rapid.RuneFrom([]rune("ab")), 0, 20, -1), 1, 3).Draw(r, "bodies") {
			s.begin(nil)
			for left := []byte(body); len(left) > 0; {
				n := rapid.IntRange(1, len(left)).Draw(r, "part")
				part := append([]byte(nil), left[:n]...)
				left = left[n:]
				told := rapid.Bool().Draw(r, "whether the last is known as such")
				if err := s.read(m, part, told && len(left) == 0); err != nil {
					r.Fatal(err)
				}
				clear(part)
			}
			checks, version := s.found(m)
			if wanted, v := m.held([]byte(body)), m.version([]byte(body)); checks != wanted || version != v {
				r.Fatalf("of %q: %b and %q; want %b and %q", body, checks, version, wanted, v)
			}
		}
	})
}
