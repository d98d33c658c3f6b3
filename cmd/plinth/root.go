package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"
)

// Exit statuses of the binary, the same for all commands.
const (
	statusOK          = 0
	statusFailed      = 1   // the command ran and failed, or a check did not hold
	statusUsage       = 2   // wrong flags or arguments: nothing was done
	statusInterrupted = 130 // ended by SIGINT or SIGTERM
)

// environment is what all commands share. Its fields are set once the flags
// are parsed, before a command's RunE is called.
type environment struct {
	// logger writes to standard error at the level and in the format that the
	// flags ask for.
	logger *slog.Logger
	// began says that flags and arguments were accepted and RunE was called.
	began bool
	// begin sets the fields above.
	begin func()
}

// commands lists the commands of the binary, in the order of the alphabet.
func commands(env *environment) []*cobra.Command {
	return []*cobra.Command{
		newBenchCommand(env),
		newCheckCommand(env),
		newDemoCommand(env),
		newDemoChildCommand(env),
		newExportCommand(env),
		newImportCommand(env),
		newShellCommand(env),
		newSimCommand(env),
		newVersionCommand(env),
	}
}

// run executes a command line and returns the exit status.
func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	env := &environment{}
	return execute(ctx, env, newRootCommand(env, commands(env)...), args, in, out, errOut)
}

func execute(ctx context.Context, env *environment, root *cobra.Command, args []string, in io.Reader, out, errOut io.Writer) int {
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	initCobraCommands(root)
	announce(root, env.begin)
	cmd, err := root.ExecuteContextC(ctx)
	switch {
	case err == nil:
		return statusOK
	case !env.began:
		fmt.Fprintf(errOut, "plinth: %v\nRun '%s --help' for usage.\n", err, cmd.CommandPath())
		return statusUsage
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintln(errOut, "plinth: interrupted")
		return statusInterrupted
	default:
		fmt.Fprintf(errOut, "plinth: %v\n", err)
		return statusFailed
	}
}

// newRootCommand puts the flags that all commands share above the given
// commands.
func newRootCommand(env *environment, subs ...*cobra.Command) *cobra.Command {
	root := &cobra.Command{
		Use:   "plinth",
		Short: "A transactional, ordered key-value store",
		Long: `Plinth is a transactional, ordered key-value store in the manner of
FoundationDB. This binary holds its tools.

Exit status: 0 success, 1 the command failed or a check did not hold,
2 wrong flags or arguments, 130 interrupted.`,
		Example: `  plinth shell --dir data
  plinth import --dir data rows.txt
  plinth version --json
  plinth help shell`,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.AddCommand(subs...)

	level := slog.LevelWarn
	format := textLog
	flags := root.PersistentFlags()
	flags.TextVar(&level, "log-level", level, "least `level` that is logged: debug, info, warn or error")
	flags.Var(&format, "log-format", "`format` of log lines: text or json")
	completeFlag(root, "log-level", "debug", "info", "warn", "error")
	completeFlag(root, "log-format", string(textLog), string(jsonLog))
	env.begin = func() {
		env.logger = slog.New(format.handler(root.ErrOrStderr(), level))
		env.began = true
	}
	return root
}

// initCobraCommands adds Cobra's own commands, as Cobra would later, and makes
// them refuse what they do not know: on their own they print help and succeed.
// The streams must have been set: the scripts go to what is standard output now.
func initCobraCommands(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "completion":
			cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		case "help":
			cmd.Args = func(_ *cobra.Command, args []string) error {
				_, _, err := root.Find(args)
				return err
			}
		}
	}
}

// announce makes every command below cmd call begin just before its RunE. A
// persistent pre-run hook would not do: it runs before required flags are
// checked, and a command's own hook would replace it.
func announce(cmd *cobra.Command, begin func()) {
	if runE := cmd.RunE; runE != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			begin()
			return runE(cmd, args)
		}
	}
	for _, sub := range cmd.Commands() {
		announce(sub, begin)
	}
}

// logFormat is the value of --log-format.
type logFormat string

const (
	textLog logFormat = "text"
	jsonLog logFormat = "json"
)

// String returns the format's name.
func (f *logFormat) String() string { return string(*f) }

// Type names the kind of value in the help text.
func (f *logFormat) Type() string { return "format" }

// Set accepts the name of a format.
func (f *logFormat) Set(name string) error {
	switch format := logFormat(name); format {
	case textLog, jsonLog:
		*f = format
		return nil
	}
	return fmt.Errorf("unknown format %q: use text or json", name)
}

func (f *logFormat) handler(w io.Writer, level slog.Level) slog.Handler {
	options := &slog.HandlerOptions{Level: level}
	if *f == jsonLog {
		return slog.NewJSONHandler(w, options)
	}
	return slog.NewTextHandler(w, options)
}
