package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/plinthdb/plinth/cmd/plinth/internal/shell"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
)

// historyName is the file in the user's home directory that keeps the lines
// entered in the shell.
const historyName = ".plinth_history"

type shellFlags struct {
	storeFlags
	exec      string
	history   string
	noHistory bool
	asJSON    bool
}

func newShellCommand(env *environment) *cobra.Command {
	var flags shellFlags
	cmd := &cobra.Command{
		Use:   "shell (--dir DIR | --memory)",
		Short: "Read and change a store by hand or by script",
		Long: `Run commands on a store, which is made if there is none in the directory.

The commands are fdbcli's: get, set, clear, clearrange, getrange, getrangekeys,
begin, commit, reset, rollback, option, getversion, status, writemode and more;
'help' explains them. At a terminal there is line editing, completion by Tab, a
history, and Ctrl-C ends the command that is running. Otherwise lines are read
from standard input, and the first command that fails ends the script with exit
status 1; lines that begin with # are comments.

With --json each command prints one line, a JSON object: "command", "ok", and
"result" or "error". Colours are used at a terminal, unless NO_COLOR is set.`,
		Example: `  plinth shell --dir data
  plinth shell --dir data --exec 'set hello world; get hello'
  plinth shell --memory < commands.txt
  plinth shell --dir data --exec 'status json'
  plinth shell --dir data --json --exec 'getrange user/'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.with(env, cmd, func(db *kv.Database, store *embedded.Store) error {
				out := &writer{out: cmd.OutOrStdout()}
				session := shell.NewSession(shell.Config{
					Database: db, Out: out, ErrOut: cmd.ErrOrStderr(),
					Status: statusOf(store), JSON: flags.asJSON,
					Color: hasColors(cmd.OutOrStdout(), os.Getenv),
				})
				return flags.run(cmd, session, out)
			})
		},
	}
	flags.addDirOrMemory(cmd)
	cmd.Flags().StringVar(&flags.exec, "exec", "", "run these `commands`, separated by semicolons, and end")
	cmd.Flags().StringVar(&flags.history, "history", "", "`file` that keeps the history (default ~/"+historyName+")")
	cmd.Flags().BoolVar(&flags.asJSON, "json", false, "print a line of JSON for each command")
	cmd.Flags().BoolVar(&flags.noHistory, "no-history", false, "neither read nor write the history")
	cmd.MarkFlagsMutuallyExclusive("history", "no-history")
	completeNothing(cmd, "exec")
	cmd.ValidArgsFunction = cobra.NoFileCompletions
	return cmd
}

// run feeds the session, which prints to out, from --exec, a terminal or a
// pipe.
func (f *shellFlags) run(cmd *cobra.Command, session *shell.Session, out *writer) error {
	switch {
	case cmd.Flags().Changed("exec"):
		err := session.RunExec(cmd.Context(), f.exec)
		return errors.Join(err, out.err)
	case isTerminal(cmd.InOrStdin()) && isTerminal(cmd.OutOrStdout()):
		return f.interact(cmd.Context(), session)
	}
	err := session.RunScript(cmd.Context(), newInterruptible(cmd.Context(), cmd.InOrStdin()))
	return errors.Join(err, out.err)
}

// errTerminated ends a shell at a terminal that was told to by SIGTERM.
var errTerminated = errors.New("terminated")

// interact runs the session at the terminal. Ctrl-C does not end the shell
// but the command that is running, so the command's own context is not used,
// and SIGTERM is awaited here.
func (f *shellFlags) interact(ctx context.Context, session *shell.Session) error {
	terminal, err := shell.OpenTerminal(f.historyFile(), session.Complete)
	if err != nil {
		return err
	}
	base, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	// Between commands an interrupt has no effect. Without line editing, as on
	// a dumb terminal, it would end the process.
	ignored := make(chan os.Signal, 1)
	signal.Notify(ignored, os.Interrupt)
	defer signal.Stop(ignored)
	terminate := make(chan os.Signal, 1)
	signal.Notify(terminate, syscall.SIGTERM)
	defer signal.Stop(terminate)

	ended := make(chan error, 1)
	go func() {
		ended <- session.Interact(terminal, func() (context.Context, context.CancelFunc) {
			return signal.NotifyContext(base, os.Interrupt)
		})
	}()
	select {
	case err = <-ended:
	case <-terminate:
		// The goroutine is not waited for: it may be reading the terminal,
		// which nothing can end but the end of the process.
		err = errTerminated
	}
	return errors.Join(err, terminal.Close())
}

// historyFile is where to keep the history, empty for nowhere.
func (f *shellFlags) historyFile() string {
	if f.noHistory || f.history != "" {
		return f.history
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, historyName)
}

// isTerminal reports whether a stream of a command is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// hasColors reports whether a stream is a terminal that shows colours, as far
// as the environment says (see no-color.org).
func hasColors(stream any, getenv func(string) string) bool {
	return isTerminal(stream) && getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
}
