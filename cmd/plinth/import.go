package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/plinthdb/plinth/cmd/plinth/internal/dump"
	"github.com/plinthdb/plinth/cmd/plinth/internal/escape"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
)

// badLinesShown is how many bad lines are printed; the others are counted.
const badLinesShown = 100

type importFlags struct {
	storeFlags
	rangeFlags
	onError errorMode
	asJSON  bool
}

func newImportCommand(env *environment) *cobra.Command {
	flags := importFlags{onError: stopOnError}
	cmd := &cobra.Command{
		Use:   "import FILE|-",
		Short: "Set the rows that the lines of a file hold",
		Long: `Read rows as lines of text from FILE, or from standard input if it is -, and
set them in the store, which is made if there is none in the directory.

A line is key, tab, value. In both \xNN is a byte and \\ a backslash; printable
characters stand for themselves. 'plinth export' writes such lines. They may
be in any order; of two lines with one key the later wins.

The file is committed in batches, several at a time, so it is not one
transaction. A bad line ends the import: the lines before it are imported, none
after. With --on-error continue it is reported and passed over, and the exit
status is 1 in the end. After an interruption everything read is imported, and
the number of the last such line is printed. To import the same file again does
no harm.`,
		Example: `  plinth import --dir data rows.txt
  zcat rows.txt.gz | plinth import --dir data -
  plinth import --dir data --begin user/ --end 'user0' --on-error continue rows.txt
  plinth import --dir data --json rows.txt`,
		Args: oneArgument("FILE", "the file to read, - for standard input"),
		RunE: func(cmd *cobra.Command, args []string) error {
			// A file that is not there must not leave a new store behind.
			in, err := openInput(cmd, args[0])
			if err != nil {
				return err
			}
			err = flags.with(env, cmd, func(db *kv.Database, _ *embedded.Store) error { return flags.run(cmd, db, in) })
			return errors.Join(err, in.Close())
		},
	}
	flags.addDir(cmd)
	flags.addRange(cmd)
	cmd.Flags().Var(&flags.onError, "on-error", "what a bad line does: `stop` or continue")
	completeFlag(cmd, "on-error", string(stopOnError), string(continueOnError))
	cmd.Flags().BoolVar(&flags.asJSON, "json", false, "print the report as JSON")
	return cmd
}

func (f *importFlags) run(cmd *cobra.Command, db *kv.Database, in *input) error {
	errOut := cmd.ErrOrStderr()
	meter := newMeter(errOut, "imported", in.bytes)
	report, err := dump.Import(cmd.Context(), db, in, dump.ImportOptions{
		Range:           f.keys,
		ContinueOnError: f.onError == continueOnError,
		Bad:             badLinePrinter(errOut, in.name),
		Progress:        meter.add,
	})
	seconds := meter.end().Seconds()
	if err != nil {
		err = fmt.Errorf("import %s: %w", in.name, err)
	} else if report.BadLines > 0 {
		err = fmt.Errorf("import %s: %s could not be imported", in.name, quantity(report.BadLines, "bad line"))
	}
	if report.Unfinished {
		fmt.Fprintf(errOut, "plinth: the last line of %s has no line end: the file may have been cut short\n", in.name)
	}
	if report.Interrupted && report.Lines > 0 {
		fmt.Fprintf(errOut, "plinth: %s is imported up to line %d. Import it again from line %d on, or all of it, which does no harm.\n",
			in.name, report.Lines, report.Lines+1)
	}
	return errors.Join(err, f.report(cmd.OutOrStdout(), report, seconds))
}

// report prints what was imported, also if it is not everything.
func (f *importFlags) report(out io.Writer, r dump.ImportReport, seconds float64) error {
	if f.asJSON {
		return json.NewEncoder(out).Encode(struct {
			dump.ImportReport
			Seconds float64 `json:"seconds"`
		}{r, seconds})
	}
	_, err := fmt.Fprintf(out, "imported %s (%s) of %s in %s, %.1f s", quantity(r.Rows, "row"), formatBytes(r.Bytes),
		quantity(r.Lines, "line"), quantity(r.Transactions, "transaction"), seconds)
	if r.Skipped > 0 {
		fmt.Fprintf(out, "; %s outside of the range left out", quantity(r.Skipped, "row"))
	}
	fmt.Fprintln(out)
	return err
}

// input is what an import reads.
type input struct {
	io.Reader
	io.Closer
	name string
	// bytes is its length, -1 if that is not known.
	bytes int64
}

// openInput opens a file, or standard input for "-".
func openInput(cmd *cobra.Command, name string) (*input, error) {
	ctx := cmd.Context()
	if name == "-" {
		in := cmd.InOrStdin()
		return &input{newInterruptible(ctx, in), io.NopCloser(in), name, -1}, nil
	}
	// A named pipe does not open before somebody writes to it.
	f, err := await(ctx, func() (*os.File, error) { return os.Open(name) })
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, errors.Join(err, f.Close())
	case info.IsDir():
		return nil, errors.Join(fmt.Errorf("%s is a directory; give a file", name), f.Close())
	case info.Mode().IsRegular():
		return &input{f, f, name, info.Size()}, nil
	}
	return &input{newInterruptible(ctx, f), f, name, -1}, nil
}

// badLinePrinter prints bad lines, up to a limit.
func badLinePrinter(out io.Writer, file string) func(dump.BadLine) {
	count := 0
	return func(bad dump.BadLine) {
		switch count++; {
		case count <= badLinesShown:
			fmt.Fprintf(out, "plinth: %s: %v\n", file, bad)
		case count == badLinesShown+1:
			fmt.Fprintf(out, "plinth: %s: further bad lines are only counted\n", file)
		}
	}
}

// errorMode is the value of --on-error.
type errorMode string

const (
	stopOnError     errorMode = "stop"
	continueOnError errorMode = "continue"
)

// String returns the mode's name.
func (m *errorMode) String() string { return string(*m) }

// Type names the kind of value in the help text.
func (m *errorMode) Type() string { return "mode" }

// Set accepts the name of a mode.
func (m *errorMode) Set(name string) error {
	switch mode := errorMode(name); mode {
	case stopOnError, continueOnError:
		*m = mode
		return nil
	}
	return fmt.Errorf("unknown mode %q: use stop or continue", name)
}

// rangeFlags are --begin and --end.
type rangeFlags struct{ keys kv.KeyRange }

// addRange adds the flags, and the check that goes with them.
func (f *rangeFlags) addRange(cmd *cobra.Command) {
	f.keys = kv.AllKeys()
	cmd.Flags().Var((*escapedKey)(&f.keys.Begin), "begin", `first `+"`key`"+` of the range, with \xNN for bytes`)
	cmd.Flags().Var((*escapedKey)(&f.keys.End), "end", `first `+"`key`"+` after the range, with \xNN for bytes`)
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if bytes.Compare(f.keys.Begin, f.keys.End) > 0 {
			return errors.New("--begin sorts after --end")
		}
		return nil
	}
}

// escapedKey is a key as the value of a flag.
type escapedKey []byte

// String returns the key as it can be given; the defaults are not shown.
func (k *escapedKey) String() string { return "" }

// Type names the kind of value in the help text.
func (k *escapedKey) Type() string { return "key" }

// Set accepts a key with escapes.
func (k *escapedKey) Set(text string) error {
	key, err := escape.Parse(text)
	if err != nil {
		return err
	}
	*k = key
	return nil
}
