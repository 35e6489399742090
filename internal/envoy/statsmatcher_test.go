package envoy

import "testing"

func TestAProxyKeepsTheStatsThatItsBootstrapNames(t *testing.T) {
	const stat = "cluster.outbound|9080||ratings.shop.svc.cluster.local;.upstream_rq_retry_overflow"
	of := func(matcher string) string {
		return `{"configs":[{"@type":"x","bootstrap":{"stats_config":{"stats_matcher":` + matcher + `}}},{"static_listeners":[]}]}`
	}
	for name, test := range map[string]struct {
		dump string
		want bool
	}{
		"no matcher":              {`{"configs":[{"bootstrap":{"stats_config":{}}}]}`, true},
		"no bootstrap":            {`{}`, true},
		"none at all":             {of(`{"reject_all":true}`), false},
		"Istio's default":         {of(`{"inclusion_list":{"patterns":[{"prefix":"reporter="},{"prefix":"cluster.xds-grpc"},{"suffix":"rbac.allowed"},{"safe_regex":{"regex":"vhost\\..*\\.route\\..*"}}]}}`), false},
		"with the annotation":     {of(`{"inclusion_list":{"patterns":[{"prefix":"server"},{"prefix":"cluster.outbound"}]}}`), true},
		"by suffix":               {of(`{"inclusion_list":{"patterns":[{"suffix":"upstream_rq_retry_overflow"}]}}`), true},
		"by suffix, of another":   {of(`{"inclusion_list":{"patterns":[{"suffix":"upstream_rq_retry"}]}}`), false},
		"by an expression":        {of(`{"inclusion_list":{"patterns":[{"safe_regex":{"regex":"cluster\\.outbound.*retry.*"}}]}}`), true},
		"by part of one":          {of(`{"inclusion_list":{"patterns":[{"safe_regex":{"regex":"retry"}}]}}`), false},
		"whatever its case":       {of(`{"inclusion_list":{"patterns":[{"contains":"RETRY_over","ignore_case":true}]}}`), true},
		"by its case":             {of(`{"inclusion_list":{"patterns":[{"contains":"RETRY_over"}]}}`), false},
		"exactly":                 {of(`{"inclusion_list":{"patterns":[{"exact":"` + stat + `"}]}}`), true},
		"excluded":                {of(`{"exclusion_list":{"patterns":[{"prefix":"cluster."}]}}`), false},
		"others are excluded":     {of(`{"exclusion_list":{"patterns":[{"prefix":"listener."}]}}`), true},
		"an empty list of wanted": {of(`{"inclusion_list":{}}`), false},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := decodeStatsMatcher([]byte(test.dump))
			if err != nil {
				t.Fatal(err)
			}
			if got := m.Keeps(stat); got != test.want {
				t.Errorf("kept: %t, want %t", got, test.want)
			}
		})
	}
	if _, err := decodeStatsMatcher([]byte(`{"configs":`)); err == nil {
		t.Error("half a dump is read")
	}
}
