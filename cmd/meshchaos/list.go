package main

import (
	"fmt"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/tw"
	"github.com/spf13/cobra"

	"github.com/meshchaos/meshchaos/scenarios"
)

// listed is a scenario of the library, as list -o json prints it.
type listed struct {
	Name    string `json:"name"`
	App     string `json:"app"`
	Summary string `json:"summary"`

	Conclusions []string `json:"conclusions,omitempty"` // what a pass shows, of each step

	Labels map[string]string `json:"labels,omitempty"`
}

func newList() *cobra.Command {
	var output string
	var find findFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the scenarios of the library",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var all []listed
			var library []found
			for _, name := range scenarios.Names() {
				s, err := scenarios.OfLibrary(name)
				if err != nil {
					return err
				}
				library = append(library, found{scenario: s})
			}
			chosen, err := find.choose(library)
			if err != nil {
				return err
			}
			for _, one := range chosen {
				s := one.scenario
				all = append(all, listed{s.Name, s.App, s.Summary, s.Conclusions(), s.Labels})
			}
			return printList(cmd, all, output)
		},
	}
	find.add(cmd)
	addOutput(cmd, &output, "table", "json", "name")
	return cmd
}

func printList(cmd *cobra.Command, all []listed, output string) error {
	w := cmd.OutOrStdout()
	switch output {
	case "json":
		return printJSON(w, all)
	case "name":
		for _, s := range all {
			if _, err := fmt.Fprintln(w, s.Name); err != nil {
				return err
			}
		}
		return nil
	}
	options := []tablewriter.Option{tablewriter.WithRendition(tw.Rendition{
		Borders:  tw.BorderNone,
		Settings: tw.Settings{Separators: tw.SeparatorsNone, Lines: tw.LinesNone},
	}), tablewriter.WithHeaderAlignment(tw.AlignLeft), tablewriter.WithHeaderAutoFormat(tw.Off), tablewriter.WithRowAutoWrap(tw.WrapNone)}
	if width := columns(w); width > 0 {
		options = append(options, tablewriter.WithRowAutoWrap(tw.WrapNormal), tablewriter.WithRowMaxWidth(max(20, width-besideSummary(all))))
	}
	var text strings.Builder // the table says nothing of a write that failed
	table := tablewriter.NewTable(&text, options...)
	table.Header("name", "app", "summary")
	for _, s := range all {
		if err := table.Append(s.Name, s.App, s.Summary); err != nil {
			return err
		}
	}
	if err := table.Render(); err != nil {
		return err
	}
	for line := range strings.Lines(text.String()) {
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

// besideSummary is how wide the other columns are, with the blanks around each.
func besideSummary(all []listed) int {
	name, app := 0, 0
	for _, s := range all {
		name, app = max(name, len(s.Name)), max(app, len(s.App))
	}
	return name + app + 6
}
