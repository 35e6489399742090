package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// unlikely refuses a load from a workload that a rule tells apart from some of that
// workload's own pods: what is observed would hold for the others alone. The load
// workloads are there by then, and no rule is written.
func (r *run) unlikely(ctx context.Context, objects []*rules.Object) error {
	if !slices.ContainsFunc(cohortsOf(r.scenario), func(c mesh.Cohort) bool { return c.Borrows() != "" }) {
		return nil
	}
	proxies, err := r.mesh.Proxies(ctx)
	if err != nil {
		return fmt.Errorf("finding the pods of the workloads that loads are from: %w", err)
	}
	for _, stage := range r.planned {
		objects = slices.Concat(objects, stage.Objects())
	}
	var wrong []error
	for _, step := range r.scenario.Steps {
		for _, cohort := range step.Cohorts {
			if err := r.toldApart(cohort, objects, proxies); err != nil {
				wrong = append(wrong, step.WrongEntrance(cohort.Name, fmt.Errorf("checking the load %s: %w", cohort.Name, err)))
			}
		}
	}
	if len(wrong) > 0 {
		return &RefusedError{errors.Join(wrong...)}
	}
	return nil
}

// toldApart says which rule for what a cohort calls asks for labels that the load
// workload has and a pod of the borrowed workload has not, or the other way round.
func (r *run) toldApart(cohort mesh.Cohort, objects []*rules.Object, proxies []mesh.Proxy) error {
	hosts := called([]mesh.Cohort{cohort}, r.mesh.Info())
	ours := slices.IndexFunc(proxies, func(p mesh.Proxy) bool { return p.Client && cohort.Enters(p) })
	if cohort.Borrows() == "" || ours < 0 {
		return nil
	}
	for _, o := range objects {
		if !slices.ContainsFunc(rules.Hosts(o), func(host string) bool { return slices.Contains(hosts, host) }) {
			continue
		}
		for _, asked := range rules.Sources(o) {
			have, pods := 0, 0
			for _, p := range proxies {
				if p.Client || p.Gateway || p.Workload != cohort.Borrows() || p.Namespace != r.mesh.Info().Namespace {
					continue
				}
				pods++
				if rules.Selects(asked, p.Labels) {
					have++
				}
			}
			if want := map[bool]int{true: pods}[rules.Selects(asked, proxies[ours].Labels)]; have != want {
				return fmt.Errorf("%s asks for pods with %s, which %d of the %d of %s are, and the load has those labels alone that all of them have in common, and none by which pods or generations of a workload are told apart; let the rule ask for others, or take the load from another workload",
					o.Ref, labels.Set(asked), have, pods, cohort.Borrows())
			}
		}
	}
	return nil
}
