// Command plinth is Plinth in one binary: tools that work on a store in a
// directory of their own, a demonstration, a benchmark and the simulation.
//
// A command is a file of its own with one constructor,
// newXCommand(*environment) *cobra.Command, which root.go lists. Commands
// follow these rules:
//
//	C1  They talk through cmd.InOrStdin, cmd.OutOrStdout and
//	    cmd.ErrOrStderr: results to the first, progress to the second.
//	C2  They return errors and never print them or exit; root.go does both.
//	C3  They end soon after cmd.Context() is done.
//	C4  They log to environment.logger.
//	C5  Their Example shows calls that work as written.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks the command to end; giving the signals back lets a
	// second one end the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
