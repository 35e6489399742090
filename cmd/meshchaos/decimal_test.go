package main

import (
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func TestEveryNumberOfEveryFlagIsDecimal(t *testing.T) {
	flags := 0
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		cmd.Flags().VisitAll(func(flag *pflag.Flag) {
			if kind := flag.Value.Type(); !strings.HasPrefix(kind, "int") && !strings.HasPrefix(kind, "uint") && !strings.HasPrefix(kind, "float") {
				return
			}
			flags++
			for _, text := range []string{"010", "10", "+10"} {
				if strings.HasPrefix(flag.Value.Type(), "uint") && text[0] == '+' {
					continue
				}
				if err := flag.Value.Set(text); err != nil || flag.Value.String() != "10" {
					t.Errorf("%s --%s %s is %s: %v", cmd.Name(), flag.Name, text, flag.Value, err)
				}
			}
			for _, text := range []string{"0x10", "0o10", "0b10", "1_0", "1e1", "0x1p4", "inf", "", "99999999999999999999999999x"} {
				if err := flag.Value.Set(text); err == nil || strings.Contains(err.Error(), "strconv") {
					t.Errorf("%s --%s takes %q as %s: %v", cmd.Name(), flag.Name, text, flag.Value, err)
				}
			}
		})
		for _, below := range cmd.Commands() {
			visit(below)
		}
	}
	visit(newRoot(io.Discard, io.Discard))
	if flags < 5 {
		t.Errorf("only %d flags take a number", flags)
	}
}
