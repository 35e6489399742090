package main

import (
	"fmt"
	"net"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/meshchaos/meshchaos/internal/agent"
	"github.com/meshchaos/meshchaos/internal/samples"
	"github.com/meshchaos/meshchaos/internal/samples/workload"
)

// newServe is what a sample service's pod runs.
func newServe() *cobra.Command {
	var v string
	cmd := &cobra.Command{
		Use:   "serve SERVICE",
		Short: "Serve one sample service, as its pod does",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			w, err := samples.Lookup(args[0], v)
			if err != nil {
				return err
			}
			l, err := net.Listen("tcp", fmt.Sprintf(":%d", w.Port))
			if err != nil {
				return &runError{fmt.Errorf("serving %s: %w", w.Name(), err)}
			}
			return w.Serve(cmd.Context(), l, workload.Env{PodName: os.Getenv("POD_NAME"), Dial: new(net.Dialer).DialContext})
		},
	}
	cmd.Flags().StringVar(&v, "version", "v1", "the version of the service")
	return cmd
}

// newAgent is what the load workload's pod runs.
func newAgent() *cobra.Command {
	var inherited bool
	cmd := &cobra.Command{
		Use:    "agent",
		Short:  "Drive load for a run, as the load workload does",
		Args:   noArguments,
		Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if inherited {
				if err := agent.ServeInherited(cmd.Context()); err != nil {
					return &runError{err}
				}
				return nil
			}
			// Only for the pod itself: a run reaches it by a port-forward.
			l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(agent.Port)))
			if err != nil {
				return &runError{fmt.Errorf("starting the load agent: %w", err)}
			}
			err = agent.Serve(cmd.Context(), l)
			if err == nil { // the last words of its log, in the report of a run that loses it
				fmt.Fprintln(cmd.ErrOrStderr(), "the load agent was told to end")
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&inherited, "inherited", false, "serve whoever has started this process, by the socket that it was given")
	return cmd
}

// agentProgram is this program as a load agent in a process of its own.
func agentProgram() []string {
	program, err := os.Executable()
	if err != nil { // of a system that does not tell, by its name
		program = os.Args[0]
	}
	return []string{program, "agent", "--inherited"}
}
