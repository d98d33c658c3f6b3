package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/plinthdb/plinth/internal/sim/host"
)

// simArgs takes arguments for the user's tests only: those after "--".
func (f *simFlags) simArgs(cmd *cobra.Command, args []string) error {
	if f.pkg == "" || cmd.ArgsLenAtDash() != 0 {
		return cobra.NoArgs(cmd, args)
	}
	f.testArgs = args
	return nil
}

// runTests runs the tests of the user's package, one after the other.
func (f *simFlags) runTests(ctx context.Context, printer simPrinter) error {
	tests, err := host.BuildTests(ctx, host.TestConfig{Package: f.pkg, Tags: f.tags, CacheDir: f.cache, Log: printer.progress})
	if err != nil {
		return err
	}
	chosen, err := tests.Choose(f.runs)
	if err != nil {
		return err
	}
	if f.trace && len(chosen) > 1 {
		return fmt.Errorf("--trace prints the trace of one test; name one with --run: %s", strings.Join(chosen, " "))
	}
	program, err := host.Load(ctx, tests.Wasm, host.LoadConfig{CacheDir: f.cache, Interruptible: f.slow, Log: printer.progress})
	if err != nil {
		return err
	}
	defer program.Close(ctx)
	campaign, err := f.campaign(time.Now())
	if err != nil {
		return err
	}
	campaign.Run.Args, campaign.Run.Command = f.testArgs, simCommand(os.Args[0])
	// One failure is enough to go on with.
	campaign.MaxFailures = 1
	var failed []error
	for i, test := range chosen {
		c := campaign
		c.Run.Test = test
		c.Run.Flags = f.packageFlags(test)
		if !c.Until.IsZero() {
			// The tests share the time.
			c.Until = time.Now().Add(time.Until(c.Until) / time.Duration(len(chosen)-i))
		}
		if err := f.runTest(ctx, program, c, printer); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", strings.Trim(test, "^$"), err))
		}
	}
	return errors.Join(failed...)
}

// runTest runs one test from one or more seeds.
func (f *simFlags) runTest(ctx context.Context, program *host.Program, c host.CampaignConfig, printer simPrinter) error {
	if f.trace {
		c.Run.Seed, c.Run.Trace, c.Run.TailLines = c.First, printer.out, 0
		r := program.Run(ctx, c.Run)
		return errors.Join(r.Print(printer.out), r.Err)
	}
	s := simSitting{printer: printer, campaign: c}
	return s.run(ctx, program)
}

// packageFlags are those that run one test again.
func (f *simFlags) packageFlags(test string) []string {
	flags := []string{"--package", f.pkg, "--run", test}
	if f.tags != "" {
		flags = append(flags, "--tags", f.tags)
	}
	return flags
}

// simCommand is how the user has called plinth sim, whose first argument was
// name: go run makes a binary in a directory that will be gone.
func simCommand(name string) string {
	if strings.Contains(filepath.ToSlash(name), "/go-build") {
		return "go run github.com/plinthdb/plinth/cmd/plinth sim"
	}
	return "plinth sim"
}
