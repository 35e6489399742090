package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshchaos/meshchaos/report"
)

// version is the module's version where it was installed as one, else dev.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || strings.ContainsAny(info.Main.Version, "(-+") {
		return "dev"
	}
	return info.Main.Version
}

// tool is this program, as a record names it.
func tool() report.Tool {
	made := report.Tool{Version: version(), Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				made.Commit = s.Value
			case "vcs.modified":
				made.Modified = s.Value == "true"
			}
		}
	}
	return made
}

// versionLine is what version and --version print: what the records of this program have.
func versionLine(of report.Tool) string {
	line := "meshchaos " + of.Version + " ("
	if of.Commit != "" {
		line += "commit " + of.Commit
		if of.Modified {
			line += " with changes that it has not"
		}
		line += ", "
	}
	return line + of.Go + ", " + of.Platform + ")\n"
}

func newVersion() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if output == "json" {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(tool())
			}
			_, err := fmt.Fprint(cmd.OutOrStdout(), versionLine(tool()))
			return err
		},
	}
	addOutput(cmd, &output, "text", "json")
	return cmd
}
