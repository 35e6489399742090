package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshchaos/meshchaos/report/terminal"
	"github.com/meshchaos/meshchaos/scenarios"
)

func newShow() *cobra.Command {
	return &cobra.Command{
		Use:               "show NAME",
		Short:             "Print a scenario of the library",
		Args:              arguments(1, 1),
		ValidArgsFunction: libraryName,
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := scenarios.Text(args[0])
			if err != nil {
				return err
			}
			_, err = io.WriteString(cmd.OutOrStdout(), text)
			return err
		},
	}
}

func newInit() *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "init NAME [FILE]",
		Short: "Copy a scenario of the library, to start one of your own from",
		Long: `Copy a scenario of the library to FILE, or into it if it is a folder; without
FILE into this folder, under its name there. A file that is there is not
overwritten without --force.`,
		Example: "  meshchaos init delay-jason\n  meshchaos init breaker-httpbin nightly/our-breaker.yaml",
		Args:    arguments(1, 2),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 1 {
				return nil, cobra.ShellCompDirectiveDefault
			}
			return libraryName(cmd, args, typed)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := scenarios.Text(args[0])
			if err != nil {
				return err
			}
			file := copyOf(args)
			if err := writeCopy(file, text, force); err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			return terminal.Fold(w, fmt.Sprintf("wrote %s; check it with meshchaos validate %[1]s, run it with meshchaos run %[1]s\n", file), columns(w))
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "overwrite the file if it is there")
	return cmd
}

// libraryName completes the one name of a scenario of the library.
func libraryName(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return scenarios.Names(), cobra.ShellCompDirectiveNoFileComp
}

// copyOf is the file that init writes.
func copyOf(args []string) string {
	name := strings.TrimSuffix(args[0], ".yaml") + ".yaml"
	if len(args) == 1 {
		return name
	}
	if info, err := os.Stat(args[1]); err == nil && info.IsDir() || strings.HasSuffix(args[1], string(filepath.Separator)) {
		return filepath.Join(args[1], name)
	}
	return args[1]
}

// writeCopy writes a new file; one that is there only by force.
func writeCopy(file, text string, force bool) error {
	if force {
		if err := writeFile(file, []byte(text)); err != nil {
			return fmt.Errorf("writing %s: %w; %s", file, bare(err), elsewhere(err))
		}
		return nil
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("writing %s: it is there, and stays as it is; name another file, or overwrite it with --force", file)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w; %s", file, bare(err), elsewhere(err))
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", file, bare(err))
	}
	return nil
}

// elsewhere says what to do of a file that cannot be written.
func elsewhere(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "is there such a folder?"
	}
	return "name another file"
}

// bare is an error without the name of the file that it is about, which who passes it on
// says, and which may be that of a temporary one.
func bare(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}
