package mutate

import (
	"fmt"
	"net/url"
	"strings"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// caller leaves one of those who call a service by themselves with another version,
// where all were to be sent to one.
func caller(w written) []edit {
	var touches []touch
	w.splits(func(at spot, s split) {
		if s.http == nil || len(s.http.Route) != 1 || len(s.http.Match) > 0 {
			return
		}
		d := s.http.Route[0].Destination
		version := w.versionOf(d)
		others := w.otherVersions(d.Host, version)
		if version == "" || len(others) == 0 {
			return
		}
		for name, path := range w.callersOf(d.Host) {
			touches = append(touches, touch{
				spot: at, id: name + "-to-" + others[0], service: d.Host, version: others[0],
				what: fmt.Sprintf("what is asked of %s at %s, as by %s, is sent to %s, not %s", short(d.Host), path, name, others[0], version),
				do:   func(o *rules.Object, index int, subset string) { leaveCaller(o, index, path, subset) },
			})
		}
	})
	return w.grouped(touches)
}

// callersOf yields the cohorts that call a host themselves, with their paths.
func (w written) callersOf(host string) func(func(string, string) bool) {
	return func(yield func(string, string) bool) {
		for _, cohort := range w.cohorts {
			for name, called := range calls(cohort) {
				if rules.FQDN(called.host, w.site.Namespace) == rules.FQDN(host, w.site.Namespace) && !yield(name, called.path) {
					return
				}
			}
		}
	}
}

// called is a host and a path.
type called struct{ host, path string }

// calls yields what a cohort calls whose path is known, by names of it.
func calls(cohort mesh.Cohort) func(func(string, called) bool) {
	return func(yield func(string, called) bool) {
		if plan := cohort.Plan.GRPC; plan != nil {
			if host, _, err := cohort.Plan.Address(); err == nil {
				yield(cohort.Name, called{host, "/" + plan.Method})
			}
			return
		}
		for _, r := range cohort.Plan.OfHTTP() {
			u, err := url.Parse(r.HTTP.URL)
			if err != nil || r.HTTP.Varies() {
				continue
			}
			if !yield(strings.TrimSuffix(cohort.Name+"-"+r.Name, "-"), called{u.Hostname(), u.Path}) {
				return
			}
		}
	}
}

// leaveCaller puts an entry for one path before another.
func leaveCaller(o *rules.Object, index int, path, subset string) {
	vs := o.Spec.(*networking.VirtualService)
	entry := proto.CloneOf(vs.Http[index])
	entry.Match = []*networking.HTTPMatchRequest{{Uri: &networking.StringMatch{MatchType: &networking.StringMatch_Exact{Exact: path}}}}
	entry.Route[0].Destination.Subset = subset
	vs.Http = append(vs.Http[:index:index], append([]*networking.HTTPRoute{entry}, vs.Http[index:]...)...)
}
