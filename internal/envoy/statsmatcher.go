package envoy

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/meshchaos/meshchaos/internal/re2"
)

// StatsMatcher says which stats a proxy keeps (Envoy, config.metrics.v3.StatsMatcher).
// The zero value keeps all.
type StatsMatcher struct {
	RejectAll bool         `json:"reject_all"`
	Exclusion *matcherList `json:"exclusion_list"`
	Inclusion *matcherList `json:"inclusion_list"`
}

type matcherList struct {
	Patterns []nameMatcher `json:"patterns"`
}

// nameMatcher is Envoy's type.matcher.v3.StringMatcher.
type nameMatcher struct {
	Exact      *string `json:"exact"`
	Prefix     *string `json:"prefix"`
	Suffix     *string `json:"suffix"`
	Contains   *string `json:"contains"`
	IgnoreCase bool    `json:"ignore_case"`
	SafeRegex  *struct {
		Regex string `json:"regex"`
	} `json:"safe_regex"`
}

// StatsMatcher reads which stats the proxy keeps, from its bootstrap.
func (a *Admin) StatsMatcher(ctx context.Context) (StatsMatcher, error) {
	body, err := a.Get(ctx, "/config_dump?mask=bootstrap.stats_config.stats_matcher")
	if err != nil {
		return StatsMatcher{}, err
	}
	return decodeStatsMatcher(body)
}

func decodeStatsMatcher(body []byte) (StatsMatcher, error) {
	var dump struct {
		Configs []struct {
			Bootstrap struct {
				StatsConfig struct {
					Matcher StatsMatcher `json:"stats_matcher"`
				} `json:"stats_config"`
			} `json:"bootstrap"`
		} `json:"configs"`
	}
	if err := json.Unmarshal(body, &dump); err != nil {
		return StatsMatcher{}, fmt.Errorf("decoding the bootstrap of the proxy's /config_dump: %w", err)
	}
	for _, config := range dump.Configs {
		if m := config.Bootstrap.StatsConfig.Matcher; m.RejectAll || m.Exclusion != nil || m.Inclusion != nil {
			return m, nil
		}
	}
	return StatsMatcher{}, nil
}

// Keeps says whether a stat of that name is kept. The name is spelt as the proxy does,
// with a semicolon behind that of a cluster where Istio puts one.
func (m StatsMatcher) Keeps(stat string) bool {
	switch {
	case m.RejectAll:
		return false
	case m.Exclusion != nil:
		return !m.Exclusion.match(stat)
	case m.Inclusion != nil:
		return m.Inclusion.match(stat)
	}
	return true
}

func (l *matcherList) match(stat string) bool {
	for _, p := range l.Patterns {
		if p.match(stat) {
			return true
		}
	}
	return false
}

func (m nameMatcher) match(stat string) bool {
	fold := func(s string) string {
		if m.IgnoreCase {
			return strings.ToLower(s)
		}
		return s
	}
	switch name := fold(stat); {
	case m.Exact != nil:
		return name == fold(*m.Exact)
	case m.Prefix != nil:
		return strings.HasPrefix(name, fold(*m.Prefix))
	case m.Suffix != nil:
		return strings.HasSuffix(name, fold(*m.Suffix))
	case m.Contains != nil:
		return strings.Contains(name, fold(*m.Contains))
	case m.SafeRegex != nil:
		whole, err := re2.Whole(m.SafeRegex.Regex)
		return err == nil && whole.MatchString(stat)
	}
	return false
}
