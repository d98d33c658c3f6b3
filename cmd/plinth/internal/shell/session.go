package shell

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/plinthdb/plinth/kv"
)

// Session runs commands on a database, one at a time. It keeps the transaction
// between begin and commit.
type Session struct {
	db     *kv.Database
	out    io.Writer // what commands print
	errOut io.Writer // errors and usage
	status StatusFunc

	// tx is the transaction that begin began, nil outside of one. It lives
	// longer than the context of one command, and ends with endTx.
	tx       *kv.Transaction
	endTx    context.CancelFunc
	readOnly bool // writemode off
}

// Config is what a Session works with.
type Config struct {
	Database *kv.Database
	// Out gets what commands print, ErrOut their errors.
	Out, ErrOut io.Writer
	// Status describes the store for the status command; it may be nil.
	Status StatusFunc
}

// NewSession returns a session outside of any transaction.
func NewSession(c Config) *Session {
	return &Session{db: c.Database, out: c.Out, errOut: c.ErrOut, status: c.Status}
}

// ErrExit is returned by Run when the session is over: exit was called.
var ErrExit = errors.New("exit")

// CommandError says which command failed. What went wrong was printed already.
type CommandError struct {
	Command Command // empty if the line could not be read
	Err     error
}

// Error names the command and the error.
func (e *CommandError) Error() string {
	if len(e.Command) == 0 {
		return e.Err.Error()
	}
	return fmt.Sprintf("`%s': %v", Quote(e.Command), e.Err)
}

// Unwrap returns the error of the command.
func (e *CommandError) Unwrap() error { return e.Err }

// misuse is an error of a command that has not touched the store: the
// transaction goes on.
type misuse struct{ text string }

func (e *misuse) Error() string { return e.text }

// usage is the misuse of calling a verb with the wrong arguments.
type usage struct{ verb verb }

func (e *usage) Error() string { return "usage: " + e.verb.usage }

// Run runs the commands of a line, up to the first that fails. Its error is
// ErrExit or a *CommandError. When ctx ends, the running command fails.
func (s *Session) Run(ctx context.Context, line string) error {
	commands, err := Parse(line)
	if err != nil {
		fmt.Fprintf(s.errOut, "ERROR: %v\n", err)
		return &CommandError{Err: err}
	}
	for i, c := range commands {
		if len(commands) > 1 {
			fmt.Fprintf(s.out, ">>> %s\n", Quote(c))
		}
		if err := s.runCommand(ctx, c); err != nil {
			if errors.Is(err, ErrExit) {
				return ErrExit
			}
			s.explain(err)
			if i < len(commands)-1 {
				fmt.Fprintln(s.errOut, "WARNING: the remaining commands of the line are not run.")
			}
			return &CommandError{Command: c, Err: err}
		}
	}
	return nil
}

func (s *Session) runCommand(ctx context.Context, c Command) error {
	v, ok := verbs()[string(c[0])]
	if !ok {
		return &misuse{fmt.Sprintf("Unknown command `%s'. Try `help'?", Quote(c[:1]))}
	}
	args := c[1:]
	if len(args) < v.minArgs || len(args) > v.maxArgs {
		return &usage{v}
	}
	// A transaction outlives the commands in it, but not the interruption of
	// one.
	if s.tx != nil {
		defer context.AfterFunc(ctx, s.endTx)()
	}
	return v.run(s, ctx, args)
}

// explain prints an error, and ends the transaction if the store is its cause
// (H2).
func (s *Session) explain(err error) {
	var wrong *usage
	if errors.As(err, &wrong) {
		fmt.Fprintf(s.errOut, "Usage: %s\n", wrong.verb.usage)
		return
	}
	text := errorText(err)
	if errors.Is(err, context.Canceled) {
		text = "interrupted"
	}
	fmt.Fprintf(s.errOut, "ERROR: %s\n", text)
	if s.tx == nil || errors.As(err, new(*misuse)) {
		return
	}
	s.Rollback()
	switch {
	case kv.MaybeCommitted(err):
		fmt.Fprintln(s.out, "It may have been committed all the same: look before you run it again.")
	case kv.Retryable(err):
		fmt.Fprintln(s.out, "Nothing of it was committed. To run it again start over with `begin'.")
	}
}

// errorText is the text of an error as fdbcli prints it: its number at the end.
func errorText(err error) string {
	if e, ok := err.(*kv.Error); ok && errors.Unwrap(e) == nil {
		return fmt.Sprintf("%s (%d)", e.Text, e.Code)
	}
	return err.Error()
}

// InTransaction reports whether begin was called and the transaction has not
// ended.
func (s *Session) InTransaction() bool { return s.tx != nil }

// Rollback ends the transaction, if there is one, and says so. Call it before
// the session is forgotten.
func (s *Session) Rollback() {
	if s.tx == nil {
		return
	}
	fmt.Fprintln(s.out, "Rolling back current transaction")
	s.closeTx()
}

func (s *Session) closeTx() {
	s.tx.Cancel()
	s.endTx()
	s.tx, s.endTx = nil, nil
}
