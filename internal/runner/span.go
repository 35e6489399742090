package runner

import (
	"context"
	"fmt"
	"slices"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/scenarios"
)

// span extends the mesh to the namespaces that a scenario has to do with: those of the
// services that its rules name, and, where there is such a service, of the hosts that its
// load calls and its expectations ask for.
func span(ctx context.Context, m mesh.Mesh, s *scenarios.Scenario) error {
	var namespaces []string
	hosts := addressed(slices.DeleteFunc(cohortsOf(s), func(c mesh.Cohort) bool { return c.From == mesh.FromGateway })) // which looks no host up
	rulesOf := slices.Clone(s.Given)
	for _, step := range s.Steps {
		rulesOf = append(rulesOf, step.Apply...)
		for _, line := range step.Expect {
			for _, need := range line.Needs() {
				hosts = append(hosts, need.Args[:1]...)
			}
		}
	}
	for _, rule := range rulesOf {
		if rule.Intent != nil {
			namespaces = append(namespaces, rules.NamespacesOf(rule.Intent)...)
		}
	}
	if err := m.Span(ctx, namespaces, hosts); err != nil {
		return fmt.Errorf("looking for the namespaces of the scenario: %w", err)
	}
	return nil
}
