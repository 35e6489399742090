package runner

import (
	"context"
	"fmt"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/report"
)

// Close takes away what the mesh made for the run. What could not be taken away
// is entered into the record, which may be nil: the run is no pass then, and on
// a cluster something is left behind.
func Close(ctx context.Context, m mesh.Mesh, record *report.Record) error {
	err := m.Close(ctx)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("closing the mesh: %w", err)
	if record != nil {
		record.Problems = append(record.Problems, err.Error())
		record.Restored = record.Restored && m.Info().Ephemeral
		if record.Verdict == report.Pass {
			record.Verdict = report.Inconclusive
		}
	}
	return err
}
