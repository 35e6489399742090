package envoy

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
)

// dump reads one kind of resource from /config_dump, each into a T. name is an
// RE2 expression that the whole name of a resource must match, empty for all;
// mask are the fields to keep, empty for all, counted from the dump's element.
func dump[T any](ctx context.Context, a *Admin, resource, name, mask string) ([]T, error) {
	query := url.Values{"resource": {resource}}
	if name != "" {
		query.Set("name_regex", name)
	}
	if mask != "" {
		query.Set("mask", mask)
	}
	body, err := a.Get(ctx, "/config_dump?"+query.Encode())
	if err != nil {
		return nil, err
	}
	var answer struct {
		Configs []T `json:"configs"` // absent when nothing has such a name
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("decoding %s of the proxy's /config_dump: %w", resource, err)
	}
	return answer.Configs, nil
}

// Weighted is a cluster and its share of the traffic.
type Weighted struct {
	Cluster string
	Weight  uint32 // of the sum of all; 0 where the cluster stands alone
}

// action is where a route or a TCP proxy leads, as both word it.
type action struct {
	Cluster  string `json:"cluster"`
	Weighted struct {
		Clusters []struct {
			Name   string `json:"name"`
			Weight uint32 `json:"weight"`
		} `json:"clusters"`
	} `json:"weighted_clusters"`
}

func (a action) clusters() []Weighted {
	if a.Cluster != "" {
		return []Weighted{{Cluster: a.Cluster}}
	}
	var out []Weighted
	for _, each := range a.Weighted.Clusters {
		out = append(out, Weighted{Cluster: each.Name, Weight: each.Weight})
	}
	return out
}
