package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/plinthdb/plinth/cmd/plinth/internal/demo"
)

const (
	// demoLimitBytes bounds the import by default, so that the demo takes well
	// under a minute on a small machine. All of Go's own source is within it.
	demoLimitBytes = 200_000_000
	demoAccounts   = 1000
	demoWorkers    = 32
	// demoMaxSeconds bounds what is kept in memory about transfers.
	demoMaxSeconds = 120
)

type demoFlags struct {
	dir     string
	keep    bool
	source  string
	all     bool
	seconds float64
	asJSON  bool
}

func newDemoCommand(*environment) *cobra.Command {
	var flags demoFlags
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See a store at work: real data, a crash, and the proof that nothing is lost",
		Long: `Make a store in a temporary directory and show what it does:

  import the Go toolchain's own source tree, with indexes that are always in
  step with it, and ask questions about it;
  move money between accounts in a process that is killed in the middle;
  open the store again and prove that every transfer that was reported is there,
  that the balances are right, and that the files are untouched.

The exit status is 0 only if every check held. The import is limited to the
first 200 MB of source unless --all is given. The store is removed at the end
unless --keep is given or something failed.`,
		Example: `  plinth demo
  plinth demo --seconds 30 --all
  plinth demo --source ~/projects --dir demodata --keep
  plinth demo --json`,
		Args:    cobra.NoArgs,
		PreRunE: func(*cobra.Command, []string) error { return flags.validate() },
		RunE:    func(cmd *cobra.Command, _ []string) error { return flags.run(cmd) },
	}
	addDirectory(cmd, &flags.dir, "dir", "d", "", "make the store in this `directory`, which must be empty or not exist, instead of a temporary one")
	cmd.Flags().BoolVar(&flags.keep, "keep", false, "keep the store at the end")
	addDirectory(cmd, &flags.source, "source", "", "", "import the files of this `directory` instead of the Go toolchain's source")
	cmd.Flags().BoolVar(&flags.all, "all", false, "import all files of the source")
	cmd.Flags().Float64Var(&flags.seconds, "seconds", 8, "how many `seconds` transfers run, before and after the kill together")
	cmd.Flags().BoolVar(&flags.asJSON, "json", false, "print the report as JSON")
	return cmd
}

// validate refuses flags that make no sense, before anything is done.
func (f *demoFlags) validate() error {
	if !(f.seconds >= 0.1 && f.seconds <= demoMaxSeconds) {
		return fmt.Errorf("--seconds %v is not between 0.1 and %d", f.seconds, demoMaxSeconds)
	}
	return nil
}

func (f *demoFlags) run(cmd *cobra.Command) (err error) {
	ctx := cmd.Context()
	if f.source == "" {
		if f.source, err = goSource(ctx); err != nil {
			return err
		}
	}
	remove, err := f.makeDir()
	if err != nil {
		return err
	}
	config := demo.Config{
		Dir: f.dir, Source: f.source, LimitBytes: demoLimitBytes,
		Transfers: time.Duration(f.seconds * float64(time.Second)),
		Accounts:  demoAccounts, Workers: demoWorkers,
		Child: func(ctx context.Context) *exec.Cmd { return demoChild(ctx, f.dir) },
	}
	if f.all {
		config.LimitBytes = 0
	}
	ui := newDemoUI(cmd, f.asJSON)
	if !f.asJSON {
		ui.welcome(f.dir)
	}
	report, err := demo.Run(ctx, config, ui)
	if err == nil && !report.OK {
		err = fmt.Errorf("%d of %d checks failed", report.Failed(), len(report.Checks))
	}
	// A store that something went wrong with is worth a look, if there is
	// anything in it.
	failed := err != nil && ctx.Err() == nil && report.Import.Files > 0
	err = errors.Join(err, f.show(ui, report))
	switch {
	case failed:
		err = fmt.Errorf("%w; the store is kept in %s", err, f.dir)
	case !f.keep:
		err = errors.Join(err, remove())
	}
	return err
}

// show prints the report, the table only of a demo that came to its end.
func (f *demoFlags) show(ui *demoUI, report *demo.Report) error {
	if f.asJSON {
		encoder := json.NewEncoder(ui.out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(report)
	}
	if report.Ended {
		ui.table(report)
	}
	if f.keep {
		ui.kept(f.dir)
	}
	return ui.err
}

// goSource returns where the source of the Go toolchain is.
func goSource(ctx context.Context) (string, error) {
	root, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("cannot find the source of the Go toolchain: go env GOROOT: %w; name any tree of files with --source", err)
	}
	return filepath.Join(strings.TrimSpace(string(root)), "src"), nil
}

// makeDir makes the store's directory, and returns what removes it. One that
// was there before is emptied again and stays.
func (f *demoFlags) makeDir() (remove func() error, err error) {
	if f.dir == "" {
		f.dir, err = os.MkdirTemp("", "plinth-demo-")
		return func() error { return os.RemoveAll(f.dir) }, err
	}
	names, err := os.ReadDir(f.dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return func() error { return os.RemoveAll(f.dir) }, os.MkdirAll(f.dir, 0o755)
	case err != nil:
		return nil, err
	case len(names) > 0:
		return nil, fmt.Errorf("directory %s is not empty: the demo makes a store of its own; name another directory", f.dir)
	}
	return func() error { return emptyDir(f.dir) }, nil
}

func emptyDir(dir string) error {
	names, err := os.ReadDir(dir)
	for _, name := range names {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, name.Name())))
	}
	return err
}

// demoChildCommand is the name of the hidden command that the demo runs in a
// process of its own.
const demoChildCommand = "demo-child"

// demoChild returns the command of the process that is to be killed: this
// binary with the hidden command.
func demoChild(ctx context.Context, dir string) *exec.Cmd {
	self, err := os.Executable()
	cmd := exec.CommandContext(ctx, self, demoChildCommand, "--dir", dir,
		"--accounts", strconv.Itoa(demoAccounts), "--workers", strconv.Itoa(demoWorkers))
	if err != nil {
		cmd.Err = fmt.Errorf("find this program's own file: %w", err)
	}
	return cmd
}

func newDemoChildCommand(*environment) *cobra.Command {
	var dir string
	var accounts, workers int
	cmd := &cobra.Command{
		Use:     demoChildCommand,
		Short:   "Transfer money until killed; 'plinth demo' runs this",
		Example: `  plinth demo-child --dir data --accounts 100 --workers 16`,
		Hidden:  true,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if accounts < 2 || workers < 1 {
				return fmt.Errorf("%d accounts and %d workers: there must be 2 and 1 at least", accounts, workers)
			}
			return demo.Child(cmd.Context(), dir, accounts, workers, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	addDirectory(cmd, &dir, "dir", "", "", "data `directory` of the store")
	cmd.Flags().IntVar(&accounts, "accounts", demoAccounts, "`number` of accounts")
	cmd.Flags().IntVar(&workers, "workers", demoWorkers, "`number` of transfers at a time")
	cmd.MarkFlagsOneRequired("dir")
	return cmd
}
