package live

import (
	"errors"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/envoy/envoytest"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// lessSeen is a change of webRule that no policy of a cluster shows.
func lessSeen(o *rules.Object) *rules.Object {
	o = o.Clone()
	rule := o.Spec.(*networking.DestinationRule)
	rule.Subsets[0].Labels = map[string]string{"version": "v9"}
	rule.TrafficPolicy.LoadBalancer = &networking.LoadBalancerSettings{Warmup: &networking.WarmupConfiguration{Duration: durationpb.New(time.Second)}}
	return o
}

// With istiod away nothing comes, and what is there is what was there before.
func TestAChangeThatNoPolicyShowsIsSeenByItsMark(t *testing.T) {
	before := webRule(7, "v1", "v2")
	after := lessSeen(before)
	_, err := waitFor(t.Context(), shop(t, "rules"), rules.Change{Before: before, After: after}, "", never)
	if !errors.Is(err, errUnseen) {
		t.Errorf("error %v; want that it cannot be seen", err)
	}
	_, err = waitFor(t.Context(), shop(t, "rules"), rules.Change{Before: before, After: after}, "meshchaos-r1-1", never)
	if err == nil || !strings.Contains(err.Error(), "none of its subsets is called meshchaos-r1-1") {
		t.Errorf("error %v; want that the mark is not there", err)
	}
	rules.Mark(after, "meshchaos-r1-1-0")
	_, err = waitFor(t.Context(), shop(t, "rules"), rules.Change{Before: before, After: after}, "meshchaos-r1-1", never)
	if err == nil || !strings.Contains(err.Error(), "client: it has no cluster outbound|8000|meshchaos-r1-1-0|web.shop.svc.cluster.local") {
		t.Errorf("error %v; want that its mark is not there", err)
	}
}

// The rule is that of policies, which Istio 1.31 turned into the capture.
func TestEachPolicyIsWaitedFor(t *testing.T) {
	subset := func(name string, p *networking.TrafficPolicy) *networking.Subset {
		return &networking.Subset{Name: name, TrafficPolicy: p}
	}
	simple := func(lb networking.LoadBalancerSettings_SimpleLB) *networking.LoadBalancerSettings {
		return &networking.LoadBalancerSettings{LbPolicy: &networking.LoadBalancerSettings_Simple{Simple: lb}}
	}
	rule := func(lb networking.LoadBalancerSettings_SimpleLB, mark string) *rules.Object {
		return object(rules.DestinationRule, "web", &networking.DestinationRule{
			Host: "web",
			TrafficPolicy: &networking.TrafficPolicy{
				ConnectionPool:   &networking.ConnectionPoolSettings{Tcp: &networking.ConnectionPoolSettings_TCPSettings{MaxConnections: 5}},
				OutlierDetection: &networking.OutlierDetection{},
			},
			Subsets: []*networking.Subset{subset("rand", &networking.TrafficPolicy{
				LoadBalancer: simple(lb), Tls: &networking.ClientTLSSettings{Mode: networking.ClientTLSSettings_DISABLE},
			}), subset(mark, nil)},
		})
	}
	proxies := []mesh.Proxy{{Name: "client", Admin: envoytest.Serve(t, "client", "policies").Admin}}
	random, ours := networking.LoadBalancerSettings_RANDOM, "meshchaos-c797c023-1-0"
	if _, err := waitFor(t.Context(), proxies, rules.Change{After: rule(random, ours)}, "meshchaos-c797c023-1", soon); err != nil {
		t.Error(err)
	}
	for words, change := range map[string]rules.Change{
		"outbound|8000|rand|web.shop.svc.cluster.local has lb_policy RANDOM, not ROUND_ROBIN":      {Before: rule(random, ours), After: rule(networking.LoadBalancerSettings_ROUND_ROBIN, ours)},
		"it still has the cluster outbound|8000|meshchaos-c797c023-1-0|web.shop.svc.cluster.local": {Before: rule(random, ours), After: rule(random, "v1")},
	} {
		if _, err := waitFor(t.Context(), proxies, change, "", never); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("error %v; want %s", err, words)
		}
	}
}
