package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/meshchaos/meshchaos/internal/evidence"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/scenarios"
)

// inspected says what of the mesh itself keeps a run from seeing what it is to see.
func (p *Planned) inspected(ctx context.Context, m mesh.Mesh, s *scenarios.Scenario) ([]error, error) {
	wrong, warnings, err := m.Inspect(ctx, p.named(s, m.Info()))
	if err != nil {
		return nil, fmt.Errorf("inspecting the mesh: %w", err)
	}
	p.Warnings = append(p.Warnings, warnings...)
	return append(wrong, p.sourceless(ctx, s, m.Info())...), nil
}

// sourceless says which expectations ask for what nobody in the mesh could tell, as far
// as the proxies are known.
func (p *Planned) sourceless(ctx context.Context, s *scenarios.Scenario, home mesh.Info) (wrong []error) {
	for _, step := range s.Steps {
		direct := slices.DeleteFunc(slices.Clone(step.Cohorts), func(c mesh.Cohort) bool { return c.From == mesh.FromGateway })
		hosts := called(direct, home)
		for _, line := range step.Expect {
			for _, need := range line.Needs() {
				if why := evidence.Sourceless(ctx, need, p.services, p.proxies, hosts); why != "" {
					wrong = append(wrong, line.Wrong(errors.New(why)))
				}
			}
		}
	}
	return wrong
}

// named are the hosts of the services that the rules and the load have to do with.
func (p *Planned) named(s *scenarios.Scenario, home mesh.Info) []string {
	hosts := p.hosts()
	for _, stage := range p.Stages {
		for _, o := range stage.Objects() {
			for _, target := range rules.Targets(o) {
				hosts = append(hosts, target.Host)
			}
		}
	}
	hosts = append(hosts, called(cohortsOf(s), home)...)
	var all []string
	for _, service := range p.services {
		if slices.ContainsFunc(hosts, func(host string) bool { return rules.Covers(host, home.Namespace, service.Host) }) {
			all = append(all, service.Host)
		}
	}
	return all
}
