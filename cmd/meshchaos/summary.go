package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// summarize prints how several scenarios ended; beside records it goes to stderr.
func (f *runFlags) summarize(cmd *cobra.Command, outcomes []outcome) error {
	if len(outcomes) < 2 {
		return nil
	}
	w := cmd.OutOrStdout()
	if f.output == "json" {
		w = cmd.ErrOrStderr()
	}
	return writeSummary(w, outcomes)
}

func writeSummary(w io.Writer, outcomes []outcome) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table)
	counts := map[string]int{}
	var words []string
	for _, o := range outcomes {
		took := "-"
		if o.took > 0 {
			took = o.took.Round(100 * time.Millisecond).String()
		}
		fmt.Fprintf(table, " %s\t%s\t%s\n", o.name, o.word, took)
		if counts[o.word]++; !slices.Contains(words, o.word) {
			words = append(words, o.word)
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for i, word := range words {
		words[i] = fmt.Sprintf("%d %s", counts[word], word)
	}
	_, err := fmt.Fprintf(w, "\n%d scenarios: %s\n", len(outcomes), strings.Join(words, ", "))
	return err
}
