// Command fortio is two commands of fortio's own program by its own handlers: server, as
// far as load is asked of it, its REST API at its paths, and report, which shows results.
// It stands in for fortio's stock image in the tests of internal/fortio, where no registry
// of images can be had, and for the program in those of report/fortio.
//
// It is a module of its own, since those handlers need gRPC and more, which nothing else
// of this project does.
package main

import (
	"flag"
	"os"

	"fortio.org/cli"
	"fortio.org/fortio/bincommon"
	"fortio.org/fortio/ui"
	"fortio.org/scli"
)

// disabled is what fortio takes for a port that is not served.
const disabled = "disabled"

func main() {
	bincommon.SharedMain()
	port := flag.String("http-port", "8080", "where to serve: a port, host:port, or the path of a socket")
	data := flag.String("data-dir", ".", "where results are kept that are to be saved")
	var others []*string
	for _, name := range []string{"grpc-port", "tcp-port", "udp-port", "redirect-port"} {
		others = append(others, flag.String(name, "", "must be "+disabled))
	}
	cli.CommandBeforeFlags = true
	cli.ArgsHelp = "server|report [flags]"
	scli.ServerMain()
	if cli.Command == "report" {
		if !ui.Report("", *port, *data) {
			os.Exit(1)
		}
		select {}
	}
	for _, other := range others {
		if *other != disabled {
			cli.ErrUsage("this serves nothing but -http-port: disable the other ports")
			os.Exit(2)
		}
	}
	if cli.Command != "server" || !ui.Serve(&ui.ServerConfig{Port: *port, DebugPath: "/debug", UIPath: "/fortio/", DataDir: *data, TLSOptions: &bincommon.SharedHTTPOptions().TLSOptions}) {
		os.Exit(1)
	}
	select {}
}
