package runner

import (
	"fmt"
	"iter"

	"github.com/meshchaos/meshchaos/internal/keeper"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// kept says which of the objects that a run would change somebody else keeps as they
// are, or changes by himself. With gitOps an agent that may set a rule back is left to
// be found out: that ends the run, and is no verdict.
func (p *Planned) kept(gitOps bool) (wrong []error) {
	for stage, change := range p.first() {
		if err := notOurs(rules.Find(p.objects, change.Ref()), gitOps); err != nil {
			wrong = append(wrong, stage.wrong(change.Ref(), err))
		}
	}
	return wrong
}

// first are the changes by which the run first writes each object.
func (p *Planned) first() iter.Seq2[Stage, rules.Change] {
	return func(yield func(Stage, rules.Change) bool) {
		seen := map[rules.Ref]bool{}
		for _, stage := range p.Stages {
			for _, change := range stage.Changes {
				if !seen[change.Ref()] && !yield(stage, change) {
					return
				}
				seen[change.Ref()] = true
			}
		}
	}
}

func notOurs(o *rules.Object, gitOps bool) error {
	k := keeper.Of(o)
	switch {
	case k == nil, k.GitOps && gitOps:
		return nil
	case k.GitOps:
		return fmt.Errorf("changing %s: it belongs to %s, which would set it back in the middle of the run; %s; or take that chance with --allow-gitops: a rule that is set back makes the run inconclusive", o.Ref, k, k.Pause)
	}
	return fmt.Errorf("changing %s: it belongs to %s, which shifts the traffic by it, and would meet the run's rules; %s", o.Ref, k, k.Pause)
}

// wrong places what is wrong with an object that a stage writes at the rule that has it
// written.
func (s Stage) wrong(ref rules.Ref, err error) error {
	if rule, ok := s.by[ref]; ok {
		return rule.Wrong(err)
	}
	return err
}
