package envoy

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// Stats returns the counters and gauges whose name the RE2 expression filter
// matches somewhere; text readouts and histograms are left out.
//
// A name is returned as statName has it, whichever way the proxy spells it, but
// filter is matched by the proxy against its own spelling: write ;?\. after a
// cluster's name. A stat that is not returned was excluded by the proxy's stats
// matcher, or not created yet: it is not known to be 0.
func (a *Admin) Stats(ctx context.Context, filter string) (map[string]uint64, error) {
	body, err := a.Get(ctx, "/stats?format=json&filter="+url.QueryEscape(filter))
	if err != nil {
		return nil, err
	}
	return decodeStats(body)
}

// statName returns the spelling of a stat's name that this package uses: the
// one without the semicolon that Istio puts behind a cluster's name, and behind
// a listener's, since 1.23.
func statName(name string) string { return strings.ReplaceAll(name, ";.", ".") }

func decodeStats(body []byte) (map[string]uint64, error) {
	var dump struct {
		Stats []struct {
			Name  string          `json:"name"` // absent in the element that holds all histograms
			Value json.RawMessage `json:"value"`
		} `json:"stats"`
	}
	if err := json.Unmarshal(body, &dump); err != nil {
		return nil, fmt.Errorf("decoding /stats of the proxy: %w", err)
	}
	stats := make(map[string]uint64, len(dump.Stats))
	for _, stat := range dump.Stats {
		text := string(stat.Value)
		if stat.Name == "" || strings.HasPrefix(text, `"`) {
			continue
		}
		value, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("decoding /stats of the proxy: the value of %s: %w", stat.Name, err)
		}
		stats[statName(stat.Name)] = value
	}
	return stats, nil
}
