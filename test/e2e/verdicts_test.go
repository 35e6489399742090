//go:build e2e

package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/scenarios"
	"github.com/meshchaos/meshchaos/test/verdicts"
)

// TestWhatMustNotPassDoesNotOnTheCluster runs rows of the table of
// test/verdicts on the real mesh: they must end there as they do on the
// embedded one, and for the same reason.
func TestWhatMustNotPassDoesNotOnTheCluster(t *testing.T) {
	before := objectsOf(t)
	rows, err := verdicts.OnCluster("../verdicts/testdata")
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range rows {
		t.Run(row.ID(), func(t *testing.T) {
			for n := range runs(t) {
				id := fmt.Sprintf("row%x%02d%02d", time.Now().Unix()&0xffff, i, n)
				ended := runRow(t, row, id)
				if err := row.Held(ended); err != nil {
					t.Error(err)
					if ended.Record != nil {
						show(t, ended.Record)
					}
				}
			}
		})
	}
	if after := objectsOf(t); !slices.Equal(before, after) {
		t.Errorf("the namespace held\n%s\nand holds\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
}

func runRow(t *testing.T, row verdicts.Row, id string) verdicts.Ended {
	t.Helper()
	s, err := scenarios.Read(row.Path)
	if err != nil {
		return verdicts.Ended{Err: err}
	}
	ended := verdicts.Ended{}
	for _, w := range s.Warnings {
		ended.Warnings = append(ended.Warnings, w.Message)
	}
	ended.Record, ended.Err = runScenario(t, s, id, openIstio(t.Context(), t, id))
	return ended
}
