package re2

import "testing"

func TestAnExpressionMatchesWholeTexts(t *testing.T) {
	for _, test := range []struct {
		expression, text string
		want             bool
	}{
		{"a|ab", "ab", true},
		{"a", "ab", false},
		{"a$|b", "a", true},
		{"(?i)AB", "aB", true},
		{"(?i:A)B", "ab", false},
		{"(?m)^a$", "a\nb", false},
		{"(?U)a+", "aa", true},
		{"a.b", "a\nb", false},
		{"(?s)a.b", "a\nb", true},
		{`\Qa.b`, "a.b", true},
		{`\Qa.b`, "axb", false},
		{`\Q`, "", true},
		{`a\Q)\E`, "a)", true},
		{"", "", true},
		{"", "a", false},
		{`\p{Lu}+|`, "É", true},
	} {
		re, err := Whole(test.expression)
		if err != nil {
			t.Errorf("%q: %v", test.expression, err)
			continue
		}
		if got := re.MatchString(test.text); got != test.want {
			t.Errorf("that %q matches %q is %v", test.expression, test.text, got)
		}
	}
}

func TestWhatIsNoExpressionIsRefused(t *testing.T) {
	for _, expression := range []string{"a)|(?:b", "(", "*", `\E`, "a(?=b)", `(a)\1`} {
		if re, err := Whole(expression); err == nil {
			t.Errorf("%q is taken, as %s", expression, re)
		}
	}
}
