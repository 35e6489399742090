package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

func newSchema() *cobra.Command {
	return &cobra.Command{
		Use:       "schema [scenario|report]",
		Short:     "Print the JSON Schema of a scenario, for editors, or of a report",
		Args:      arguments(0, 1),
		ValidArgs: []string{"scenario", "report"},
		RunE: func(cmd *cobra.Command, args []string) error {
			schema, err := schemaOf(args)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n", schema)
			return err
		},
	}
}

func schemaOf(args []string) ([]byte, error) {
	switch {
	case len(args) == 0 || args[0] == "scenario":
		return scenarios.Schema()
	case args[0] == "report":
		return report.Schema()
	}
	return nil, fmt.Errorf("printing a schema: there is none of %q; write meshchaos schema scenario, or report", args[0])
}
