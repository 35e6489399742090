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

// versionLine is what version and --version print.
func versionLine() string {
	return fmt.Sprintf("meshchaos %s (%s, %s/%s)\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

func newVersion() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if output == "json" {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]string{"version": version(), "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH})
			}
			_, err := fmt.Fprint(cmd.OutOrStdout(), versionLine())
			return err
		},
	}
	addOutput(cmd, &output, "text", "json")
	return cmd
}
