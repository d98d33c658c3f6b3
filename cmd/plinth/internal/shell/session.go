package shell

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/directory"
)

// Session runs commands on a database, one at a time. It keeps the transaction
// between begin and commit.
type Session struct {
	db     *kv.Database
	out    io.Writer // what commands print
	errOut io.Writer // errors and usage
	status StatusFunc
	json   bool
	color  bool

	// options are those of every transaction, in the order they were given.
	options []setting
	// entered returns the lines that a person has entered; nil in a script.
	entered func() []string

	// tx is the transaction that begin began, nil outside of one. It lives
	// longer than the context of one command, and ends with endTx.
	tx       *kv.Transaction
	endTx    context.CancelFunc
	inEffect []setting // options of tx
	readOnly bool      // writemode off
	display  display
}

// Config is what a Session works with.
type Config struct {
	Database *kv.Database
	// Out gets what commands print, ErrOut their errors.
	Out, ErrOut io.Writer
	// Status describes the store for the status command; it may be nil.
	Status StatusFunc
	// JSON prints one line of JSON for each command, errors included, instead
	// of text.
	JSON bool
	// Color prints errors, headings and keys in colours.
	Color bool
}

// NewSession returns a session outside of any transaction.
func NewSession(c Config) *Session {
	return &Session{
		db: c.Database, out: c.Out, errOut: c.ErrOut, status: c.Status,
		json: c.JSON, color: c.Color && !c.JSON, display: displayBytes,
	}
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

// usageOf returns the error of wrong arguments to a verb.
func usageOf(name string) error { return &usage{verbs()[name]} }

// Run runs the commands of a line, up to the first that fails. Its error is
// ErrExit or a *CommandError. When ctx ends, the running command fails.
func (s *Session) Run(ctx context.Context, line string) error {
	commands, err := Parse(line)
	if err != nil {
		if s.json {
			s.printAnswer(answer{Error: describe(err)})
		} else {
			s.printError(err)
		}
		return &CommandError{Err: err}
	}
	for i, c := range commands {
		if len(commands) > 1 && !s.json {
			fmt.Fprintf(s.out, ">>> %s\n", Quote(c))
		}
		answered, err := s.runCommand(ctx, c)
		if errors.Is(err, ErrExit) {
			return ErrExit
		}
		if err != nil {
			s.explain(c, err)
			if i < len(commands)-1 && !s.json {
				fmt.Fprintln(s.errOut, "WARNING: the remaining commands of the line are not run.")
			}
			return &CommandError{Command: c, Err: err}
		}
		s.print(c, answered)
	}
	return nil
}

// print prints what a command has to say.
func (s *Session) print(c Command, r reply) {
	if s.json {
		s.printAnswer(answer{Command: Quote(c), OK: true, Result: r.result})
		return
	}
	fmt.Fprint(s.out, r.text)
}

// note tells people something at once. Scripts learn it from the command's
// answer.
func (s *Session) note(format string, args ...any) {
	if !s.json {
		fmt.Fprintf(s.out, format+"\n", args...)
	}
}

func (s *Session) runCommand(ctx context.Context, c Command) (reply, error) {
	v, ok := verbs()[string(c[0])]
	if !ok {
		return reply{}, unknownVerb(c)
	}
	args := c[1:]
	if len(args) < v.minArgs || len(args) > v.maxArgs {
		return reply{}, &usage{v}
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
func (s *Session) explain(c Command, err error) {
	ends := s.tx != nil && !isMisuse(err)
	unknown := kv.MaybeCommitted(err) && verbs()[string(c[0])].commits
	if s.json {
		f := describe(err)
		f.TransactionEnded, f.MaybeCommitted = ends, unknown
		s.printAnswer(answer{Command: Quote(c), Error: f})
		if ends {
			s.closeTx()
		}
		return
	}
	s.printError(err)
	if ends {
		s.Rollback()
	}
	switch {
	case unknown:
		s.note("It may have been committed all the same: look before you run it again.")
	case ends && kv.Retryable(err):
		s.note("Nothing of it was committed. To run it again start over with `begin'.")
	}
}

// isMisuse reports whether an error has left the store and the transaction as
// they were.
func isMisuse(err error) bool {
	return errors.As(err, new(*misuse)) || errors.As(err, new(*usage)) || errors.As(err, new(*directory.Error))
}

// printError prints an error for people.
func (s *Session) printError(err error) {
	var wrong *usage
	if errors.As(err, &wrong) {
		fmt.Fprintf(s.errOut, "Usage: %s\n", wrong.verb.usage)
		return
	}
	text := errorText(err)
	if errors.Is(err, context.Canceled) {
		text = "interrupted"
	}
	fmt.Fprintf(s.errOut, "%s: %s\n", s.paint(red, "ERROR"), text)
	var conflict *conflictError
	if errors.As(err, &conflict) {
		for _, r := range conflict.ranges {
			fmt.Fprintf(s.errOut, "Somebody has changed keys from %s to %s\n", s.keyText(r.Begin), s.keyText(r.End))
		}
	}
}

// errorText is the text of an error as fdbcli prints it: its number at the end.
func errorText(err error) string {
	var conflict *conflictError
	if errors.As(err, &conflict) {
		err = conflict.error
	}
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
	if s.json {
		fmt.Fprintln(s.errOut, "plinth: a transaction that was not committed is rolled back")
	} else {
		fmt.Fprintln(s.out, "Rolling back current transaction")
	}
	s.closeTx()
}

func (s *Session) closeTx() {
	s.tx.Cancel()
	s.endTx()
	s.tx, s.endTx, s.inEffect = nil, nil, nil
}
